"""Whether an answer is what a case expects: a pure judgement, with every reason that it is not."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lambdaimg.model.cases import Expectation
from lambdaimg.model.errors import EdgeRefused
from lambdaimg.model.invocation import Invocation, error_of
from lambdaimg.model.matching import Difference, compare


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One expectation that does not hold: in words, and with the places where a payload or error differs."""

    what: str
    differences: tuple[Difference, ...] = ()


def judge(expect: Expectation, invocation: Invocation, *, cold: bool) -> list[Failure]:
    """Every failure of an answer; `cold` says whether an init phase came before it."""
    return [
        *_error(expect, invocation),
        *_payload(expect, invocation),
        *_edge(expect, invocation),
        *_figures(expect, invocation, cold),
        *_log(expect, invocation),
    ]


def _error(expect: Expectation, invocation: Invocation) -> Iterator[Failure]:
    if expect.error is None:
        if invocation.function_error:
            yield Failure(what=f"the function failed: {_told(invocation.payload)}")
        return
    if not invocation.function_error:
        yield Failure(what=f"the function did not fail, but returned {_cut(invocation.payload)}")
        return
    error = error_of(invocation.payload) or {}
    got = {"type": error.get("errorType"), "message": error.get("errorMessage")}
    found = compare(dict(expect.error), got, "subset")
    if found:
        renamed = tuple(
            Difference(path="error" + each.path.removeprefix("payload"), expected=each.expected, got=each.got)
            for each in found
        )
        yield Failure(what="the function failed with another error", differences=renamed)


def _payload(expect: Expectation, invocation: Invocation) -> Iterator[Failure]:
    if not expect.has_payload or (invocation.function_error and expect.error is None):
        return
    try:
        got = json.loads(invocation.payload)
    except ValueError:
        yield Failure(what=f"the payload is not JSON: {_cut(invocation.payload)}")
        return
    found = compare(expect.payload, got, expect.match)
    if found:
        yield Failure(what="the payload differs", differences=tuple(found))


def _edge(expect: Expectation, invocation: Invocation) -> Iterator[Failure]:
    """Whether CloudFront would take the answer."""
    if expect.edge is None or invocation.function_error:
        return
    try:
        expect.edge.check(invocation.payload)
    except EdgeRefused as error:
        yield Failure(what=f"CloudFront refuses the result: {error.what}")


def _figures(expect: Expectation, invocation: Invocation, cold: bool) -> Iterator[Failure]:
    """What was measured, against its bounds; what could not be measured fails too."""
    report = invocation.report
    bounds: tuple[tuple[str, str, float | None, float | None], ...] = (
        ("the invocation took", "ms", expect.max_duration_ms, report.duration_ms if report else None),
        ("the init phase took", "ms", expect.max_init_ms if cold else None, report.init_ms if report else None),
        ("the environment held", "MB", expect.max_memory_mb, report.max_memory_used if report else None),
    )
    for what, unit, most, measured in bounds:
        if most is not None and measured is None:
            yield Failure(what=f"{what} an unknown number of {unit}")
        elif most is not None and measured is not None and measured > most:
            yield Failure(what=f"{what} {measured:g} {unit}, more than {most:g}")


def _log(expect: Expectation, invocation: Invocation) -> Iterator[Failure]:
    log = "\n".join(invocation.log)
    for text in expect.log_contains:
        if text not in log:
            yield Failure(what=f"the log does not contain {json.dumps(text, ensure_ascii=False)}")
    for text in expect.log_not_contains:
        if text in log:
            yield Failure(what=f"the log contains {json.dumps(text, ensure_ascii=False)}")


def _told(payload: bytes) -> str:
    error: dict[str, Any] | None = error_of(payload)
    return f"{error['errorType']}: {error['errorMessage']}" if error else _cut(payload)


def _cut(payload: bytes, most: int = 200) -> str:
    text = payload.decode("utf-8", "replace")
    return text if len(text) <= most else f"{text[:most]}… ({len(payload)} bytes)"
