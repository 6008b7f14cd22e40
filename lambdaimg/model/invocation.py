"""One invocation: the event that goes in, and all that is known of the answer."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdaimg.model import quotas
from lambdaimg.model.errors import EventError


@dataclass(frozen=True, kw_only=True)
class Report:
    """The figures of Lambda's REPORT line. Times are ms, memory MB; `init_ms` only of a cold start."""

    request_id: str
    duration_ms: float
    memory_size: int
    max_memory_used: int | None
    init_ms: float | None = None
    status: str = ""

    def line(self) -> str:
        """The line as Lambda writes it, fields separated by tabs (image-requirements.md §5)."""
        fields = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration_ms:.2f} ms",
            f"Billed Duration: {-(-self.duration_ms // 1):.0f} ms",
            f"Memory Size: {self.memory_size} MB",
            *([f"Max Memory Used: {self.max_memory_used} MB"] if self.max_memory_used is not None else []),
            *([f"Init Duration: {self.init_ms:.2f} ms"] if self.init_ms is not None else []),
            *([f"Status: {self.status}"] if self.status else []),
        ]
        return "\t".join(fields)


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """An answered invocation. `payload` is the response's bytes; `function_error` is set where the function failed."""

    payload: bytes
    function_error: bool
    log: tuple[str, ...]
    report: Report | None

    @property
    def log_tail(self) -> bytes:
        """The last 4 KB of the log, as `X-Amz-Log-Result` carries them."""
        return "".join(f"{line}\n" for line in self.log).encode()[-quotas.LOG_TAIL_BYTES :]


def parse_event(text: str | bytes, origin: str) -> bytes:
    """An event's bytes, as they are sent. An empty text is the empty event, as `curl -d ''` sends it.

    Raises EventError, with line and column, when it is not JSON or larger than Lambda takes.
    """
    content = text.encode() if isinstance(text, str) else text
    if len(content) > quotas.SYNCHRONOUS_PAYLOAD_BYTES:
        raise EventError(
            f"{origin} has {len(content)} bytes; a synchronous invocation takes {quotas.SYNCHRONOUS_PAYLOAD_BYTES}"
        )
    try:
        json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise EventError(f"{origin} is not UTF-8", remedy="an event is JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        raise EventError(
            f"{origin}:{error.lineno}:{error.colno}: not JSON: {error.msg}",
            remedy='an event is a JSON document, such as \'{"name": "Ada"}\'',
        ) from None
    return content


def _refuse_constant(name: str) -> None:
    """NaN and Infinity, which Python reads and JSON doesn't know."""
    raise json.JSONDecodeError(f"{name} is not a JSON value", "", 0)


def read_event(file: Path) -> bytes:
    """The event in a file. Raises EventError when it can't be read or is no event."""
    try:
        return parse_event(file.read_bytes(), str(file))
    except OSError as error:
        raise EventError(f"can't read the event {file}: {error.strerror}") from None


def error_of(payload: bytes) -> dict[str, Any] | None:
    """The error that a payload is, in any language's shape: an object with `errorType` and `errorMessage`."""
    try:
        found = json.loads(payload)
    except ValueError:
        return None
    return found if isinstance(found, dict) and {"errorType", "errorMessage"} <= found.keys() else None
