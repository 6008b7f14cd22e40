"""AWS's event stream encoding, in which InvokeWithResponseStream answers.

Sources: botocore's `eventstream` module (message layout); the Lambda service model (PayloadChunk, InvokeComplete).
"""

import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
_STRING: Final = 7
_PRELUDE: Final = struct.Struct(">III")
"""Length of the message and of its headers, then the checksum of both."""
_CHECKSUM: Final = struct.Struct(">I")


@dataclass(frozen=True, kw_only=True)
class Event:
    """One message, by its `:event-type`."""

    kind: str
    payload: bytes


def payload_chunk(piece: bytes) -> bytes:
    return _message("PayloadChunk", "application/octet-stream", piece)


def invoke_complete(error_code: str = "", error_details: str = "", log_result: str = "") -> bytes:
    """The last message; `log_result` is the log's tail in base64."""
    members = {"ErrorCode": error_code, "ErrorDetails": error_details, "LogResult": log_result}
    said = {name: value for name, value in members.items() if value}
    return _message("InvokeComplete", "application/json", json.dumps(said).encode())


def _message(kind: str, content_type: str, payload: bytes) -> bytes:
    named = {":event-type": kind, ":content-type": content_type, ":message-type": "event"}
    headers = b"".join(_header(name, value) for name, value in named.items())
    lengths = struct.pack(">II", _PRELUDE.size + len(headers) + len(payload) + _CHECKSUM.size, len(headers))
    message = lengths + _CHECKSUM.pack(zlib.crc32(lengths)) + headers + payload
    return message + _CHECKSUM.pack(zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _STRING, len(value)) + value.encode()


def events(pieces: Iterable[bytes]) -> Iterator[Event]:
    """The messages in a body that comes in pieces; one that is cut is left out."""
    held = b""
    for piece in pieces:
        held += piece
        while len(held) >= _PRELUDE.size and len(held) >= (total := _PRELUDE.unpack_from(held)[0]):
            yield _event(held[:total])
            held = held[total:]


def _event(message: bytes) -> Event:
    _, length, _ = _PRELUDE.unpack_from(message)
    headers = _headers(message[_PRELUDE.size : _PRELUDE.size + length])
    payload = message[_PRELUDE.size + length : -_CHECKSUM.size]
    return Event(kind=headers.get(":event-type", ""), payload=payload)


def _headers(block: bytes) -> dict[str, str]:
    """Headers whose values are strings, which all of ours are."""
    found, at = {}, 0
    while at < len(block):
        name = block[at + 1 : at + 1 + block[at]]
        at += 1 + len(name)
        (length,) = struct.unpack_from(">H", block, at + 1)
        found[name.decode()] = block[at + 3 : at + 3 + length].decode()
        at += 3 + length
    return found
