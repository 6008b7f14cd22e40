"""What an ARN of the project file may be: each check names the resources that Lambda takes there."""

from typing import Final

from lambdaimg.model.checks import Check, matching

_ARN: Final = r"arn:aws[a-z-]*"
_PLACE: Final = r"[a-z]{2}(?:-[a-z]+)+-\d:\d{12}"

PUSHING: Final = {
    "S3 bucket": rf"{_ARN}:s3:::[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]",
    "SNS topic": rf"{_ARN}:sns:{_PLACE}:[A-Za-z0-9_-]+(?:\.fifo)?",
    "EventBridge rule": rf"{_ARN}:events:{_PLACE}:rule/[A-Za-z0-9./_-]+",
    "API Gateway path": rf"{_ARN}:execute-api:{_PLACE}:[a-z0-9]+(?:/[^/\s]+)+",
    "target group": rf"{_ARN}:elasticloadbalancing:{_PLACE}:targetgroup/[A-Za-z0-9-]+/[0-9a-f]+",
    "log group": rf"{_ARN}:logs:{_PLACE}:log-group:[.\-_/#A-Za-z0-9]+:\*",
}
"""Triggers that call the function: its resource policy lets them (Developer Guide, "Resource-based policies")."""

POLLED: Final = {
    "SQS queue": rf"{_ARN}:sqs:{_PLACE}:[A-Za-z0-9_-]+(?:\.fifo)?",
    "Kinesis stream": rf"{_ARN}:kinesis:{_PLACE}:stream/[A-Za-z0-9_.-]+",
    "DynamoDB stream": rf"{_ARN}:dynamodb:{_PLACE}:table/[A-Za-z0-9_.-]+/stream/[0-9T:.-]+",
}
"""Triggers that Lambda reads from: the execution role lets it (event source mappings)."""

_TARGETS: Final = {
    "SQS queue": POLLED["SQS queue"],
    "SNS topic": PUSHING["SNS topic"],
    "Lambda function": rf"{_ARN}:lambda:{_PLACE}:function:[a-zA-Z0-9-_]+(?::[a-zA-Z0-9-_$]+)?",
    "event bus": rf"{_ARN}:events:{_PLACE}:event-bus/[A-Za-z0-9./_-]+",
    "S3 bucket": PUSHING["S3 bucket"],
}
LOCAL_DESTINATION: Final = r"file:[^\s/][^\s]*|https?://[^\s]+"
"""Where only local runs send records: a file of the project, a URL."""


def is_local(destination: str) -> bool:
    return destination.startswith(("file:", "http://", "https://"))


_DEAD_LETTERS: Final = {kind: _TARGETS[kind] for kind in ("SQS queue", "SNS topic")}
_FILE_SYSTEMS: Final = {
    "EFS access point": rf"{_ARN}:elasticfilesystem:{_PLACE}:access-point/fsap-[0-9a-f]{{17}}",
}


def _one_of(kinds: dict[str, str], more: str = "") -> str:
    return "|".join([*kinds.values(), *([more] if more else [])])


def _named(kinds: dict[str, str]) -> str:
    *first, last = kinds
    return f"{', '.join(first)} or {last}" if first else last


TRIGGER: Final[Check] = matching(
    _one_of(PUSHING | POLLED), f"the ARN of what may invoke the function: {_named(PUSHING | POLLED)}"
)
DESTINATION: Final[Check] = matching(
    _one_of(_TARGETS, "function:[a-zA-Z0-9-_]{1,64}|" + LOCAL_DESTINATION),
    f"function:NAME, file:PATH, a URL, or the ARN of a {_named(_TARGETS)}",
)
DEAD_LETTER: Final[Check] = matching(_one_of(_DEAD_LETTERS), f"the ARN of an {_named(_DEAD_LETTERS)}")
FILE_SYSTEM: Final[Check] = matching(_one_of(_FILE_SYSTEMS), f"the ARN of an {_named(_FILE_SYSTEMS)}")
ROLE: Final[Check] = matching(
    rf"{_ARN}:iam::\d{{12}}:role/[a-zA-Z_0-9+=,.@\-_/]+", "a role's ARN, arn:aws:iam::ACCOUNT:role/NAME"
)
KEY: Final[Check] = matching(
    rf"{_ARN}:kms:{_PLACE}:key/[A-Za-z0-9-]+", "a key's ARN, arn:aws:kms:REGION:ACCOUNT:key/ID"
)
PRINCIPAL: Final[Check] = matching(
    rf"\d{{12}}|{_ARN}:(?:iam|sts)::\d{{12}}:(?:root|(?:role|user|assumed-role)/[a-zA-Z_0-9+=,.@\-_/]+)",
    "an account's number, or the ARN of a role or user",
)
