"""One invocation: the event that goes in, and all that is known of the answer."""

import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambdaimg.model import quotas
from lambdaimg.model.errors import EventError
from lambdaimg.model.response_stream import ResponseStream


def new_request_id() -> str:
    return str(uuid.uuid4())


def new_trace_id() -> str:
    """A trace header as X-Ray has it, not sampled: `Root=1-<time in hex>-<24 hex digits>;Parent=<16>;Sampled=0`."""
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"


@dataclass(frozen=True, kw_only=True)
class Request:
    """An invocation that is asked for: the event, and what Lambda tells the runtime beside it.

    `client_context` is the JSON text, decoded. With `whole_log`, the answer waits for the end of the function's log;
    without, it comes as soon as the function has answered, and its `log` is empty. What the function writes goes into
    `stream`, if there is one, as it is written; a response that is not streamed comes there as one piece.
    """

    event: bytes
    request_id: str = field(default_factory=new_request_id)
    trace_id: str = field(default_factory=new_trace_id)
    client_context: str = ""
    cognito_identity: str = ""
    tenant_id: str = ""
    whole_log: bool = False
    stream: ResponseStream | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """The figures of Lambda's REPORT line. Times are ms, memory MB; `init_ms` only of a cold start.

    `status` is empty, `error` or `timeout`; `error_type` is Lambda's own, or the runtime's name for the error.
    """

    request_id: str
    duration_ms: float
    memory_size: int
    max_memory_used: int | None
    init_ms: float | None = None
    status: str = ""
    error_type: str = ""

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
            *([f"Error Type: {self.error_type}"] if self.status == "error" and self.error_type else []),
        ]
        return "\t".join(fields)


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """An answered invocation. `function_error` is set where the function failed, also in the midst of a stream.

    `payload` is the response's bytes, or the error; of a response that went into the request's stream, it is empty.
    """

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
