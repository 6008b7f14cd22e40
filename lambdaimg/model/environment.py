"""The environment variables that Lambda sets for a function (image-requirements.md §6)."""

import time
from typing import Final

from lambdaimg.model.deployment import DEFAULT_LOG_LEVEL, LoggingSettings
from lambdaimg.model.project import Function, Project

VERSION: Final = "$LATEST"
XRAY_DAEMON_ADDRESS: Final = "AWS_XRAY_DAEMON_ADDRESS"
_XRAY_DAEMON: Final = "169.254.100.1:2000"


def lambda_variables(project: Project, function: Function) -> dict[str, str]:
    """What Lambda sets, whichever the emulator; a function may change those that are not reserved (TZ).

    `AWS_EXECUTION_ENV` is not among them: it names a managed runtime, and an image sets its own (AWS's base images do).
    """
    return {
        "AWS_DEFAULT_REGION": project.region,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.settings.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": VERSION,
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group_name(function),
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_REGION": project.region,
        "LAMBDA_TASK_ROOT": "/var/task",
        "TZ": ":UTC",
        **_logging_variables(function.settings.logging or LoggingSettings()),
    }


def log_group_name(function: Function) -> str:
    logging = function.settings.logging
    return (logging and logging.group) or f"/aws/lambda/{function.name}"


def _logging_variables(logging: LoggingSettings) -> dict[str, str]:
    """What runtime interface clients read ("Using Lambda advanced logging controls"); the format Text sets nothing."""
    if not logging.is_json:
        return {}
    return {"AWS_LAMBDA_LOG_FORMAT": logging.format, "AWS_LAMBDA_LOG_LEVEL": logging.level or DEFAULT_LOG_LEVEL}


def rie_variables(function: Function) -> dict[str, str]:
    """What only the RIE reads: Lambda has no such variable. Seconds."""
    return {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.settings.timeout)}


def runtime_variables(
    environment: str, api: str, handler: str, initialization: str, metadata_token: str
) -> dict[str, str]:
    """What differs from environment to environment, where lambdaimg is the Runtime API at `api` (host:port).

    `handler` is the image's command, which Lambda is seen to give as `_HANDLER`.
    """
    return {
        "_HANDLER": handler,
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization,
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{VERSION}]{environment}",
        "AWS_LAMBDA_METADATA_API": api,
        "AWS_LAMBDA_METADATA_TOKEN": metadata_token,
        "AWS_LAMBDA_RUNTIME_API": api,
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
    }


_DIRECTIONS: Final = (("north", "n"), ("south", "s"), ("east", "e"), ("west", "w"), ("central", "c"), ("gov", "g"))


def zone_id(region: str) -> str:
    """The id of a region's first Availability Zone: `use1-az1` of us-east-1, `apne2-az1` of ap-northeast-2."""
    first, *middle, last = region.split("-")
    short = "".join(middle)
    for word, letter in _DIRECTIONS:
        short = short.replace(word, letter)
    return f"{first}{short}{last}-az1"


def xray_variables(daemon: str) -> dict[str, str]:
    """What X-Ray's SDKs read; `daemon` is the address for segments, empty for Lambda's own, where nobody listens here.

    It may name two, as the SDKs have it: `tcp:HOST:PORT udp:HOST:PORT`, of which segments go to the latter.
    """
    address = daemon or _XRAY_DAEMON
    host, _, port = address.rpartition("udp:")[2].split()[0].rpartition(":")
    return {
        XRAY_DAEMON_ADDRESS: address,
        "_AWS_XRAY_DAEMON_ADDRESS": host,
        "_AWS_XRAY_DAEMON_PORT": port,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    }


DUMMY_CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_SESSION_TOKEN": "none",
}
"""What a function sees when it is given no credentials: AWS refuses them, and the RIE starts with them."""
