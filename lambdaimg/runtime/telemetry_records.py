"""What an environment tells of itself, in the form of each schema of the Telemetry API and of the Logs API.

Sources: Developer Guide, "Lambda Telemetry API Event schema reference", and "Lambda Logs API" for the older form.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from lambdaimg.model.environment import VERSION
from lambdaimg.model.invocation import Report, Request

TELEMETRY_SCHEMAS: Final = ("2022-07-01", "2022-12-13", "2025-01-29")
LOGS_SCHEMAS: Final = ("2020-08-15", "2021-03-18")
_WITHOUT_ERROR_TYPE: Final = ("2022-07-01", *LOGS_SCHEMAS)
_WITHOUT_OBJECTS: Final = _WITHOUT_ERROR_TYPE
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


@dataclass(frozen=True, kw_only=True)
class Record:
    """One event: `kind` is Lambda's type of it; `content` an object, or the text of a line."""

    kind: str
    content: Mapping[str, Any] | str
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
        time = self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"time": time, "type": self.kind, "record": content}

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
        hidden = ("errorType",) if schema in _WITHOUT_ERROR_TYPE else ()
        return {key: value for key, value in self.content.items() if key not in hidden}


def _line(text: str) -> Any:
    """A line of the JSON log format: an object where it is one."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, dict) else text


def _failed(error_type: str) -> dict[str, str]:
    return {"errorType": error_type} if error_type else {}


def _phase(phase: str) -> dict[str, str]:
    return {"initializationType": "on-demand", "phase": phase}


def init_start(function: str, phase: str) -> Record:
    names = {"functionName": function, "functionVersion": VERSION}
    return Record(kind="platform.initStart", content={**_phase(phase), **names})


def init_runtime_done(phase: str, status: str, error_type: str = "") -> Record:
    content = {**_phase(phase), "status": status, **_failed(error_type)}
    return Record(kind="platform.initRuntimeDone", content=content)


def init_report(phase: str, status: str, duration_ms: float, error_type: str = "") -> Record:
    metrics = {"durationMs": round(duration_ms, 3)}
    content = {**_phase(phase), "status": status, "metrics": metrics, **_failed(error_type)}
    return Record(kind="platform.initReport", content=content)


def _tracing(request: Request) -> dict[str, Any]:
    return {"tracing": {"type": "X-Amzn-Trace-Id", "value": request.trace_id}}


def start(request: Request) -> Record:
    content = {"requestId": request.request_id, "version": VERSION, **_tracing(request)}
    return Record(kind="platform.start", content=content)


def ended(request: Request, report: Report, produced_bytes: int) -> tuple[Record, ...]:
    """The records at the end of an invocation."""
    result = {"requestId": report.request_id, "status": _status(report), **_failed(report.error_type)}
    duration = round(report.duration_ms, 3)
    done = {"durationMs": duration, "producedBytes": produced_bytes}
    metrics: dict[str, Any] = {
        "durationMs": duration,
        "billedDurationMs": int(-(-report.duration_ms // 1)),
        "memorySizeMB": report.memory_size,
        "maxMemoryUsedMB": report.max_memory_used or 0,
        **({"initDurationMs": round(report.init_ms, 3)} if report.init_ms is not None else {}),
    }
    return (
        Record(kind="platform.runtimeDone", content={**result, "metrics": done, **_tracing(request)}),
        Record(kind="platform.end", content={"requestId": report.request_id}),
        Record(kind="platform.report", content={**result, "metrics": metrics, **_tracing(request)}),
    )


def _status(report: Report) -> str:
    """`failure` is a function that fell over, `error` one that told its error."""
    if report.status != "error":
        return report.status or "success"
    return "failure" if report.error_type.startswith(("Runtime.", "Extension.", "Sandbox.")) else "error"


def extension(name: str, state: str, events: tuple[str, ...]) -> Record:
    return Record(kind="platform.extension", content={"name": name, "state": state, "events": list(events)})


def subscription(kind: str, name: str, types: tuple[str, ...]) -> Record:
    return Record(kind=kind, content={"name": name, "state": "Subscribed", "types": list(types)})


def dropped(records: int, size: int) -> Record:
    reason = "Some logs were dropped because the downstream consumer is slower than the logs production rate"
    return Record(
        kind="platform.logsDropped", content={"reason": reason, "droppedRecords": records, "droppedBytes": size}
    )
