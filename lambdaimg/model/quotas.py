"""Lambda's quotas, as data: Developer Guide, "Lambda quotas", unless a line names another source.

AWS writes MB for 1,024 KB throughout, and so do we.
"""

from typing import Final, NamedTuple


class Bounds(NamedTuple):
    """An inclusive range, with the unit it is given in."""

    least: int
    most: int
    unit: str

    def __str__(self) -> str:
        return f"{self.least} to {self.most} {self.unit}"


MEMORY: Final = Bounds(128, 10_240, "MB")
TIMEOUT: Final = Bounds(1, 900, "s")
EPHEMERAL_STORAGE: Final = Bounds(512, 10_240, "MB")

RESERVED_CONCURRENCY: Final = Bounds(0, 2**31 - 1, "execution environments")
PROVISIONED_CONCURRENCY: Final = Bounds(1, 2**31 - 1, "execution environments")
"""The service model's own lower bounds; the upper one is each account's."""
RETRY_ATTEMPTS: Final = Bounds(0, 2, "retries")
EVENT_AGE: Final = Bounds(60, 21_600, "s")

SUBNETS: Final = 16
SECURITY_GROUPS: Final = 5
TAGS: Final = 50

IMAGE_BYTES: Final = 10 * 1024**3
"""All layers of an image together, uncompressed."""
ZIP_BYTES: Final = 52_428_800
"""A zip sent with the request; a larger one goes through S3 (recorded: `RequestEntityTooLargeException`)."""
UNZIPPED_BYTES: Final = 262_144_000

DEFAULT_MEMORY: Final = 128
DEFAULT_TIMEOUT: Final = 3
DEFAULT_EPHEMERAL_STORAGE: Final = 512

MEMORY_PER_VCPU: Final = 1_769
"""MB of memory that come with one whole virtual processor; the share is proportional."""

FILE_DESCRIPTORS: Final = 1_024
PROCESSES: Final = 1_024

ENVIRONMENT_BYTES: Final = 4_096
"""All variables of a function, measured as compact JSON (recorded rejections of the API)."""

FUNCTION_NAME: Final = r"[a-zA-Z0-9-_]{1,64}"
"""CreateFunction's pattern for a bare name (service model 2015-03-31)."""

ALIAS: Final = r"(?!\d+$)[a-zA-Z0-9-_]{1,128}"
LOG_GROUP: Final = r"[.\-_/#A-Za-z0-9]{1,512}"
MOUNT_PATH: Final = r"/mnt/[a-zA-Z0-9-_.]{1,155}"

ENVIRONMENT_KEY: Final = r"[a-zA-Z][a-zA-Z0-9_]+"
HANDLER: Final = r"\S{1,128}"

SYNCHRONOUS_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
ASYNCHRONOUS_PAYLOAD_BYTES: Final = 1024 * 1024
RESPONSE_BYTES: Final = 6 * 1024 * 1024 + 100
"""A buffered response (recorded: `Response payload size exceeded maximum allowed payload size (6291556 bytes)`)."""
STREAMED_RESPONSE_BYTES: Final = 200 * 1024 * 1024
"""Developer Guide, "Response streaming for Lambda functions". Lambda's bandwidth beyond 6 MB is not emulated."""

CLIENT_CONTEXT_BYTES: Final = 3_583
"""Of base64 (API reference, "Invoke")."""

INIT_PHASE: Final = 10.0
PROVISIONED_INIT_PHASE: Final = 130.0
"""Seconds of the init phase; with provisioned concurrency the function's timeout where that is longer ("lifecycle")."""

LOG_TAIL_BYTES: Final = 4_096

RESERVED_ENVIRONMENT: Final = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
"""Keys that a function's configuration can't set (Developer Guide, "Working with Lambda environment variables")."""
