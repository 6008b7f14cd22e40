"""lambdaimg: build AWS Lambda container images on any base image, and prove them before they are deployed."""

__version__ = "0.1.0"
