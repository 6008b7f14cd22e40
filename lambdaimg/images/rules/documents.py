"""The documents that the rules go by, as they are named in reports."""

from typing import Final

IMAGES: Final = 'Lambda Developer Guide, "Create a Lambda function using a container image"'
QUOTAS: Final = 'Lambda Developer Guide, "Lambda quotas"'
ENVIRONMENT: Final = 'Lambda Developer Guide, "Working with Lambda environment variables"'
RUNTIMES: Final = 'Lambda Developer Guide, "Lambda runtimes"'
RUNTIME_API: Final = 'Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes"'
LIFECYCLE: Final = 'Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle"'
TROUBLESHOOTING: Final = 'Lambda Developer Guide, "Troubleshoot invocation issues in Lambda"'
EMULATOR: Final = "aws-lambda-runtime-interface-emulator, README"
DOCKERFILE: Final = 'Docker documentation, "Dockerfile reference", "Shell and exec form"'
REJECTIONS: Final = "reports of images that Lambda rejected (aws/aws-lambda-roadmap 82, bazel-contrib/rules_oci 645)"
PRACTICES: Final = 'Lambda Developer Guide, "Best practices for working with AWS Lambda functions"'
