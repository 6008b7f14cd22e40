"""What an environment's log has in Lambda's two formats: its own records, and the function's lines by their level.

Sources: Developer Guide, "Configuring JSON and plain text log formats" and "Log-level filtering", whose table "System
log level event mapping" says which record is of which level.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from lambdaimg.model.deployment import (
    APPLICATION_LOG_LEVELS,
    DEFAULT_LOG_LEVEL,
    SYSTEM_LOG_LEVELS,
    LoggingSettings,
)
from lambdaimg.runtime.telemetry_records import TELEMETRY_SCHEMAS, Record

_OTHER_NAMES: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}
"""Of levels, in Python's `logging`."""
_SAMPLED: Final = "Sampled=1"


class LogFormat:
    """One function's log format."""

    def __init__(self, settings: LoggingSettings) -> None:
        self.is_json = settings.is_json
        level, system_level = settings.level or DEFAULT_LOG_LEVEL, settings.system_level or DEFAULT_LOG_LEVEL
        self._shown = APPLICATION_LOG_LEVELS[APPLICATION_LOG_LEVELS.index(level) :]
        self._shown_records = SYSTEM_LOG_LEVELS[SYSTEM_LOG_LEVELS.index(system_level) :]

    def records(self, records: Iterable[Record]) -> list[str]:
        """The lines that stand for records: of a format's own kind, and of its level or above."""
        lines = (self._record(record) if self.is_json else record.line for record in records)
        return [line for line in lines if line]

    def _record(self, record: Record) -> str:
        found = record.rendered(TELEMETRY_SCHEMAS[-1], json_lines=True)
        if found is None or _level(record.kind, found["record"]) not in self._shown_records:
            return ""
        if _SAMPLED not in str(found["record"].get("tracing")):
            found["record"].pop("tracing", None)
        return json.dumps(found, separators=(",", ":"))

    def lines(self, lines: Sequence[str]) -> Sequence[str]:
        """The function's lines, in the format JSON without those of a lower level than its own."""
        return [line for line in lines if _level_of_line(line) in self._shown] if self.is_json else lines


def _level(kind: str, record: dict[str, Any]) -> str:
    """The level of a record. An image function's initStart has no runtimeVersion, which would make it INFO."""
    succeeded = record.get("status", "success") == "success"
    match kind:
        case "platform.initStart":
            return "DEBUG"
        case "platform.initReport" if succeeded and record["initializationType"] != "on-demand":
            return "INFO"
        case "platform.initRuntimeDone" | "platform.initReport" | "platform.runtimeDone":
            return "DEBUG" if succeeded else "WARN"
        case "platform.report":
            return "INFO" if succeeded else "WARN"
        case "platform.logsDropped":
            return "WARN"
    return "INFO"


def _level_of_line(line: str) -> str:
    """The level that a line names, if it is a JSON object; INFO of any other."""
    try:
        found = json.loads(line)
        level = str(found["level"]).upper()
    except (ValueError, TypeError, KeyError):
        return DEFAULT_LOG_LEVEL
    level = _OTHER_NAMES.get(level, level)
    return level if level in APPLICATION_LOG_LEVELS else DEFAULT_LOG_LEVEL
