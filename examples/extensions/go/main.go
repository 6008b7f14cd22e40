// An extension without dependencies that counts invocations. Build it into a layer:
//
//	CGO_ENABLED=0 go build -o layers/go/extensions/count ./go
//
// and name the layer in lambdaimg.toml: layers = ["go"], [layers.go].
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
)

type event struct {
	EventType      string `json:"eventType"`
	ShutdownReason string `json:"shutdownReason"`
}

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2020-01-01/extension/"
	request, _ := http.NewRequest("POST", api+"register", strings.NewReader(`{"events": ["INVOKE", "SHUTDOWN"]}`))
	request.Header.Set("Lambda-Extension-Name", "count")
	id := send(request).Header.Get("Lambda-Extension-Identifier")
	for count := 0; ; count++ {
		request, _ := http.NewRequest("GET", api+"event/next", nil)
		request.Header.Set("Lambda-Extension-Identifier", id)
		var found event
		if err := json.NewDecoder(send(request).Body).Decode(&found); err != nil {
			panic(err)
		}
		if found.EventType == "SHUTDOWN" {
			fmt.Printf("count: %d invocations until %s\n", count, found.ShutdownReason)
			return
		}
	}
}

func send(request *http.Request) *http.Response {
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	return answer
}
