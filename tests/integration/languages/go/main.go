package main

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

type event struct {
	Name string `json:"name"`
	Do   string `json:"do"`
}

type trouble struct{}

func (trouble) Error() string { return "on purpose" }

func handler(_ context.Context, e event) (map[string]string, error) {
	switch e.Do {
	case "fail":
		return nil, trouble{}
	case "exit":
		os.Exit(3)
	case "hang":
		time.Sleep(30 * time.Second)
	}
	return map[string]string{"message": "Hello, " + e.Name}, nil
}

func main() {
	if os.Getenv("FAIL") == "init" {
		panic("no start")
	}
	lambda.Start(handler)
}
