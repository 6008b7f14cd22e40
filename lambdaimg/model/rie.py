"""Facts of AWS's Runtime Interface Emulator (the binary in AWS SAM CLI 1.170.0, and its documentation)."""

from typing import Final

PORT: Final = 8080
INVOKE_PATH: Final = "/2015-03-31/functions/function/invocations"
"""Its one route; the function is always called `function`."""

HOME_FOLDER: Final = ".aws-lambda-rie"
"""In the user's home; AWS's documentation mounts it at `MOUNT_POINT`."""
MOUNT_POINT: Final = "/aws-lambda"

_BINARIES: Final = {"x86_64": "aws-lambda-rie", "arm64": "aws-lambda-rie-arm64"}


def binary_name(architecture: str) -> str:
    return _BINARIES[architecture]
