package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

type event struct {
	Name string `json:"name"`
}

type response struct {
	Message string `json:"message"`
}

func handler(_ context.Context, e event) (response, error) {
	if e.Name == "" {
		e.Name = "World"
	}
	return response{Message: "Hello, " + e.Name}, nil
}

func main() {
	lambda.Start(handler)
}
