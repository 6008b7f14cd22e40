"""Around the Docker SDK: its errors as ours, its streams as Python's."""

import contextlib
import io
import os
from collections.abc import Generator, Iterator, Mapping
from typing import IO, Any, Final

import docker
import requests
from docker.errors import APIError

from lambdaimg.engine.records import Event
from lambdaimg.model.errors import EngineError, EngineUnavailable

TIMEOUT: Final = 120
"""Seconds for an answer of the engine's."""
PIECE: Final = 1024 * 1024
"""Bytes of a stream that are asked for at once."""


class Connected:
    """A connected client of the engine's API."""

    def __init__(self, client: docker.APIClient) -> None:
        self._client = client


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """The SDK's errors as ours."""
    try:
        yield
    except APIError as error:
        raise EngineError(f"the engine refused: {_explanation(error)}") from None
    except requests.RequestException as error:
        raise unavailable(error) from None


def _explanation(error: APIError) -> str:
    explanation = error.explanation
    return (explanation.decode("utf-8", "replace") if isinstance(explanation, bytes) else str(explanation)).strip()


def unavailable(error: Exception) -> EngineUnavailable:
    where = os.environ.get("DOCKER_HOST", "")
    reason = str(error.args[0] if error.args else error).strip()
    return EngineUnavailable(
        f"no container engine answers{' at ' + where if where else ''}: {_innermost(reason)}",
        remedy="start Docker, or see `lambdaimg doctor`",
    )


def _innermost(reason: str) -> str:
    """The last cause in a chain of wrapped connection errors: `No such file or directory`, `Connection refused`."""
    for known in ("No such file or directory", "Connection refused", "Permission denied", "Name or service not known"):
        if known in reason:
            return known
    return reason


def labelled(wanted: Mapping[str, str]) -> dict[str, list[str]]:
    return {"label": [f"{key}={value}" if value else key for key, value in wanted.items()]}


class _Pieces(io.RawIOBase):
    """A generator of bytes as a raw stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            with translated():
                self._rest = memoryview(next(self._pieces, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if isinstance(self._pieces, Generator):
            self._pieces.close()
        super().close()


def as_file(pieces: Iterator[bytes]) -> IO[bytes]:
    """A stream of the engine's, to be closed. Read errors are EngineError and EngineUnavailable."""
    return io.BufferedReader(_Pieces(pieces), PIECE)


def pieces_of(stream: Any) -> Iterator[tuple[bytes, bytes]]:
    """The pieces of an output stream, which is closed after the last."""
    try:
        for output, errors in stream:
            yield output or b"", errors or b""
    finally:
        close(stream)


class Events:
    """An open stream of the engine's events; iterating ends when it is closed, or the engine goes away."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Event]:
        with contextlib.suppress(requests.RequestException, OSError, ValueError, AttributeError):
            for event in self._stream:
                code = event["Actor"]["Attributes"].get("exitCode", "0")
                yield Event(container=event["Actor"]["ID"], kind=event["Action"], code=int(code))

    def close(self) -> None:
        close(self._stream)


def close(stream: Any) -> None:
    with contextlib.suppress(Exception):  # the SDK shuts down what it finds of the connection, in whatever state
        stream.close()
    stream._response.close()
