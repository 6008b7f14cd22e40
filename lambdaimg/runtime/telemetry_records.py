"""What an environment tells of itself, in the form of each schema of the Telemetry API and of the Logs API.

Sources: Developer Guide, "Lambda Telemetry API Event schema reference", and "Lambda Logs API" for the older form.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from lambdaimg.model.environment import VERSION
from lambdaimg.model.invocation import Report, Request

TELEMETRY_SCHEMAS: Final = ("2022-07-01", "2022-12-13", "2025-01-29")
LOGS_SCHEMAS: Final = ("2020-08-15", "2021-03-18")
_WITHOUT_OBJECTS: Final = ("2022-07-01", *LOGS_SCHEMAS)
"""Schemas in which a JSON line is a string as any other."""
_LOGS_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "platform.start": ("requestId", "version"),
    "platform.end": ("requestId",),
    "platform.runtimeDone": ("requestId", "status"),
    "platform.report": ("requestId", "metrics"),
    "platform.extension": ("name", "state", "events"),
    "platform.logsSubscription": ("name", "state", "types"),
    "platform.logsDropped": ("reason", "droppedRecords", "droppedBytes"),
}
"""The platform records that the Logs API knows, with their keys."""
_SINCE: Final[Mapping[tuple[str, str], str]] = {
    ("", "errorType"): "2022-12-13",
    ("platform.initReport", "status"): "2022-12-13",
    ("platform.start", "functionArn"): "2025-01-29",
}
"""Keys that came with a later schema of the Telemetry API, of one type of record or of any."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One event: `kind` is Lambda's type of it; `content` an object, or the text of a line.

    `line` is what the log has of it in the format Text, where it has something.
    """

    kind: str
    content: Mapping[str, Any] | str
    line: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def category(self) -> str:
        """What a subscription names: platform, function or extension."""
        return self.kind.partition(".")[0]

    def rendered(self, schema: str, *, json_lines: bool) -> dict[str, Any] | None:
        """The record in a schema, None where that has no such one; JSON lines are objects in the JSON log format."""
        content = self._content(schema, json_lines=json_lines)
        if content is None:
            return None
        return {"time": _time(self.at), "type": self.kind, "record": content}

    def _content(self, schema: str, *, json_lines: bool) -> Any:
        if isinstance(self.content, str):
            return _line(self.content) if json_lines and schema not in _WITHOUT_OBJECTS else self.content
        if schema in LOGS_SCHEMAS:
            keys = _LOGS_KEYS.get(self.kind)
            if keys is None or (self.kind == "platform.runtimeDone" and schema == LOGS_SCHEMAS[0]):
                return None
            return {key: self.content[key] for key in keys}
        if self.kind in ("platform.end", "platform.logsSubscription"):
            return None
        return {key: value for key, value in self.content.items() if self._since(key) <= schema}

    def _since(self, key: str) -> str:
        return _SINCE.get((self.kind, key)) or _SINCE.get(("", key), "")


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(text: str) -> Any:
    """A line of the JSON log format: an object where it is one."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, dict) else text


def _failed(error_type: str) -> dict[str, str]:
    return {"errorType": error_type} if error_type else {}


@dataclass(frozen=True, kw_only=True)
class InitPhase:
    """An init phase; `phase` is `invoke` where it is part of an invocation, `initialization` on-demand or provisioned.

    Times are ms; `status` is success, error or timeout.
    """

    initialization: str
    phase: str = "init"

    def _content(self, status: str, error_type: str) -> dict[str, Any]:
        return {**self._facts, "status": status, **_failed(error_type)}

    @property
    def _facts(self) -> dict[str, Any]:
        return {"initializationType": self.initialization, "phase": self.phase}

    def start(self, function: str, instance: str, memory: int) -> Record:
        """`instance` names the environment; `memory` is MB."""
        names = {"functionName": function, "functionVersion": VERSION}
        sizes = {"instanceId": instance, "instanceMaxMemory": memory * 1024 * 1024}
        return Record(kind="platform.initStart", content={**self._facts, **names, **sizes})

    def runtime_done(self, status: str, error_type: str = "") -> Record:
        return Record(kind="platform.initRuntimeDone", content=self._content(status, error_type))

    def report(self, status: str, duration_ms: float, error_type: str = "") -> Record:
        """The INIT_REPORT line is a failed init phase's alone, and not of one within an invocation ("lifecycle")."""
        fields = [
            f"INIT_REPORT Init Duration: {duration_ms:.2f} ms",
            f"Phase: {self.phase}",
            f"Status: {status}",
            *([f"Error Type: {error_type}"] if status == "error" else []),
        ]
        return Record(
            kind="platform.initReport",
            content={**self._content(status, error_type), "metrics": {"durationMs": round(duration_ms, 3)}},
            line="\t".join(fields) if status != "success" and self.phase == "init" else "",
        )


@dataclass(frozen=True, kw_only=True)
class Span:
    """A part of an invocation, from `start` to `end`."""

    name: str
    start: datetime
    end: datetime

    def content(self) -> dict[str, Any]:
        took = (self.end - self.start).total_seconds() * 1000
        return {"name": self.name, "start": _time(self.start), "durationMs": round(took, 3)}


def response_spans(delivered: datetime, began: datetime, ended: datetime) -> tuple[Span, Span]:
    """From the event to the response's first byte, and from there to its last."""
    latency = Span(name="responseLatency", start=delivered, end=began)
    return latency, Span(name="responseDuration", start=began, end=ended)


def _tracing(request: Request) -> dict[str, Any]:
    return {"tracing": {"type": "X-Amzn-Trace-Id", "value": request.trace_id}}


def start(request: Request, arn: str) -> Record:
    facts = {"requestId": request.request_id, "functionArn": arn, "version": VERSION}
    line = f"START RequestId: {request.request_id} Version: {VERSION}"
    return Record(kind="platform.start", content={**facts, **_tracing(request)}, line=line)


def ended(
    request: Request, report: Report, produced_bytes: int = 0, spans: Sequence[Span] = ()
) -> tuple[Record, Record, Record]:
    """The records at the end of an invocation."""
    result = {"requestId": report.request_id, "status": _status(report), **_failed(report.error_type)}
    duration = round(report.duration_ms, 3)
    done = {
        "spans": [span.content() for span in spans],
        "metrics": {"durationMs": duration, "producedBytes": produced_bytes},
    }
    metrics: dict[str, Any] = {
        "durationMs": duration,
        "billedDurationMs": int(-(-report.duration_ms // 1)),
        "memorySizeMB": report.memory_size,
        "maxMemoryUsedMB": report.max_memory_used or 0,
        **({"initDurationMs": round(report.init_ms, 3)} if report.init_ms is not None else {}),
    }
    end = f"END RequestId: {report.request_id}"
    return (
        Record(kind="platform.runtimeDone", content={**result, **done, **_tracing(request)}),
        Record(kind="platform.end", content={"requestId": report.request_id}, line=end),
        Record(kind="platform.report", content={**result, "metrics": metrics, **_tracing(request)}, line=report.line()),
    )


def _status(report: Report) -> str:
    """`failure` is a function that fell over, `error` one that told its error."""
    if report.status != "error":
        return report.status or "success"
    return "failure" if report.error_type.startswith(("Runtime.", "Extension.", "Sandbox.")) else "error"


def extension(name: str, state: str, events: tuple[str, ...]) -> Record:
    line = f"EXTENSION\tName: {name}\tState: {state}\tEvents: [{', '.join(events)}]"
    return Record(kind="platform.extension", content={"name": name, "state": state, "events": list(events)}, line=line)


def subscription(kind: str, name: str, types: tuple[str, ...]) -> Record:
    """`kind` is platform.telemetrySubscription or platform.logsSubscription."""
    word = "TELEMETRY" if kind == "platform.telemetrySubscription" else "LOGS"
    line = f"{word}\tName: {name}\tState: Subscribed\tTypes: [{', '.join(map(str.title, types))}]"
    return Record(kind=kind, content={"name": name, "state": "Subscribed", "types": list(types)}, line=line)


def dropped(records: int, size: int) -> Record:
    reason = "Some logs were dropped because the downstream consumer is slower than the logs production rate"
    return Record(
        kind="platform.logsDropped", content={"reason": reason, "droppedRecords": records, "droppedBytes": size}
    )
