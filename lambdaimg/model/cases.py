"""Test cases: every key that a case may have, and what a checked case is.

The one list of keys: what the project file and case files are checked against, and the reference's tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from voluptuous import Invalid

from lambdaimg.model import quotas
from lambdaimg.model.checks import (
    Check,
    NameInvalid,
    all_checked,
    anything,
    boolean,
    environment_key,
    json_value,
    list_of,
    matching,
    one_of,
    path_inside,
    pattern_inside,
    positive,
    table,
    table_of,
    text,
    whole_number,
)
from lambdaimg.model.edge.sent import Sent
from lambdaimg.model.edge.settings import TRIGGERS
from lambdaimg.model.matching import MODES, expected_value
from lambdaimg.model.samples import sample_name


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of a case: what it may be, and what the reference says of it."""

    check: Check
    says: str


def _checks(keys: Mapping[str, Key]) -> dict[str, Check]:
    return {name: key.check for name, key in keys.items()}


def _reason(value: Any) -> Any:
    if value is not True and (not isinstance(value, str) or not value):
        raise Invalid("must be true, or the reason as a string")
    return value


_NAME = matching(r"\S(?:[^\x00-\x1f\x7f]{0,198}\S)?", "one line of at most 200 characters")
_TAG = matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "letters, digits and ._-")
_ENVIRONMENT = table_of(environment_key, text)

_HEADERS = table_of(text, text)

EDGE_KEYS: Final[Mapping[str, Key]] = {
    "trigger": Key(check=one_of(*TRIGGERS), says="the trigger that sends the event; needed"),
    "url": Key(check=text, says="the path, or the whole URL, that a viewer asks for; needed"),
    "method": Key(check=_NAME, says="the request's method; default `GET`"),
    "headers": Key(check=_HEADERS, says="headers of the request"),
    "body": Key(check=text, says="the request's body, which the function sees"),
    "status": Key(check=whole_number(quotas.Bounds(200, 599, "(a status)")), says="the response's status; default 200"),
    "response-headers": Key(check=_HEADERS, says="headers of the response"),
}


def _edge_rule(edge: Mapping[str, Any]) -> None:
    for key in ("trigger", "url"):
        if key not in edge:
            raise NameInvalid(f"has no {key}", remedy=f"add {key}")


EVENT_KEYS: Final[Mapping[str, Key]] = {
    "event": Key(check=json_value, says="the event itself; without any event, `{}`"),
    "event-file": Key(check=path_inside, says="a JSON file with the event, its path relative to the project's folder"),
    "sample-event": Key(check=sample_name, says="a sample event by its name; `lambdaimg event` lists them"),
    "edge": Key(
        check=table(_checks(EDGE_KEYS), _edge_rule),
        says="a Lambda@Edge event; the answer must be one that CloudFront takes",
    ),
    "set": Key(
        check=table_of(text, json_value), says='values to put into the sample event: { "Records.0.body" = "hi" }'
    ),
}

ERROR_KEYS: Final[Mapping[str, Key]] = {
    "type": Key(check=expected_value, says="the error's type, such as `ValueError` or `Sandbox.Timedout`"),
    "message": Key(check=expected_value, says="the error's message"),
}

EXPECT_KEYS: Final[Mapping[str, Key]] = {
    "payload": Key(check=anything, says="what the function returns; matchers may stand in the place of values"),
    "match": Key(
        check=one_of(*MODES),
        says="`subset` (default): further keys are allowed; `exact`: none are; `schema`: the payload is a JSON Schema",
    ),
    "error": Key(
        check=table(_checks(ERROR_KEYS)),
        says="the function must fail, with this `type` and `message` (either may be left out, or be a matcher)",
    ),
    "max-duration-ms": Key(check=positive("ms"), says="the longest that an invocation may take"),
    "max-init-ms": Key(check=positive("ms"), says="the longest that the init phase may take; implies `cold`"),
    "max-memory-mb": Key(check=positive("MB"), says="the most memory that the environment may have held"),
    "log-contains": Key(check=list_of(text), says="each must stand in the invocation's log"),
    "log-not-contains": Key(check=list_of(text), says="none may stand in the invocation's log"),
}


def _payload_rule(expect: Mapping[str, Any]) -> None:
    """The payload, as what `match` makes of it. Whether a schema is one is seen when the cases are loaded."""
    if "payload" in expect:
        check = json_value if expect.get("match") == "schema" else expected_value
        all_checked([(("payload",), check, expect["payload"])])
    elif "match" in expect:
        raise NameInvalid("has no payload to compare", path=["match"], remedy="add payload, or remove match")


_EXPECT: Final = Key(
    check=table(_checks(EXPECT_KEYS), _payload_rule),
    says="what must be true of the answer; without it, that the function doesn't fail",
)


def _event_rule(written: Mapping[str, Any]) -> None:
    given = [key for key in ("event", "event-file", "sample-event", "edge") if key in written]
    if len(given) > 1:
        raise NameInvalid(f"excludes {given[0]}", path=[given[1]], remedy="remove one of the two")
    if "set" in written and "sample-event" not in written:
        raise NameInvalid("has no sample event to set values in", path=["set"], remedy="add sample-event")


STEP_KEYS: Final[Mapping[str, Key]] = {**EVENT_KEYS, "expect": _EXPECT}

CASE_KEYS: Final[Mapping[str, Key]] = {
    "name": Key(check=_NAME, says="the case's name, once in a function"),
    **STEP_KEYS,
    "steps": Key(
        check=list_of(table(_checks(STEP_KEYS), _event_rule), at_most=100),
        says="several events in order to one fresh environment, each with an `expect` of its own",
    ),
    "cold": Key(check=boolean, says="a fresh environment for this case, instead of the function's warm one"),
    "repeat": Key(check=whole_number(quotas.Bounds(1, 10_000, "times")), says="how often the event is sent, in turn"),
    "concurrency": Key(
        check=whole_number(quotas.Bounds(1, 100, "environments")),
        says="how many fresh environments get the event at once",
    ),
    "environment": Key(check=_ENVIRONMENT, says="variables over the function's own; implies `cold`"),
    "skip": Key(check=_reason, says="not run; `true`, or the reason"),
    "xfail": Key(check=_reason, says="expected to fail: it counts as failed when it passes; `true`, or the reason"),
    "tags": Key(check=list_of(_TAG), says="names for `--tags`"),
}


def _name_rule(written: Mapping[str, Any]) -> None:
    if "name" not in written:
        raise NameInvalid("the case has no name", remedy='add name = "…"')


def _steps_rule(written: Mapping[str, Any]) -> None:
    for key in (*STEP_KEYS, "repeat", "concurrency"):
        if "steps" in written and key in written:
            raise NameInvalid("has no effect beside steps", path=[key], remedy="move it into a step, or remove it")


case_table: Final = table(_checks(CASE_KEYS), _name_rule, _event_rule, _steps_rule)
"""Checks one case as it is written."""


def _inline_or_pattern(value: Any) -> Any:
    return pattern_inside(value) if isinstance(value, str) else case_table(value)


def tests_value(value: Any) -> Any:
    """Checks `tests`: cases, patterns of case files, or one pattern."""
    return pattern_inside(value) if isinstance(value, str) else list_of(_inline_or_pattern)(value)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A case as it is written (checked), or a pattern of case files; `file` is relative to the project."""

    written: Any
    file: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What must be true of an answer. Times are ms, memory MB; `has_payload` tells an expected null from none."""

    payload: Any = None
    has_payload: bool = False
    match: str = "subset"
    error: Mapping[str, Any] | None = None
    max_duration_ms: float | None = None
    max_init_ms: float | None = None
    max_memory_mb: float | None = None
    log_contains: tuple[str, ...] = ()
    log_not_contains: tuple[str, ...] = ()
    edge: Sent | None = None
    """The edge event that it answers, whose trigger decides what CloudFront takes."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One event, its bytes as they are sent, and what is expected of the answer."""

    event: bytes
    expect: Expectation


@dataclass(frozen=True, kw_only=True)
class Case:
    """A checked case. `file` is relative to the project; `snapshot` is the file that holds the expected payload."""

    function: str
    name: str
    file: str
    line: int
    steps: tuple[Step, ...]
    fresh: bool = False
    """Whether it gets environments of its own, instead of the function's warm one."""
    repeat: int = 1
    concurrency: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    skip: str = ""
    xfail: str = ""
    tags: tuple[str, ...] = ()
    snapshot: Path | None = None

    @property
    def id(self) -> str:
        return f"{self.function}::{self.name}"
