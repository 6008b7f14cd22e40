"""The bodies that a runtime posts: whole responses, streamed ones with their error trailers, errors.

Sources: Developer Guide, "Using the Lambda runtime API for custom runtimes", section "Streaming"; the bounds are
those of "Response streaming for Lambda functions".
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from lambdaimg.model import quotas
from lambdaimg.model.response_stream import ResponseStream
from lambdaimg.runtime.outcome import Answer, Cut, Outcome

ERROR_TYPE: Final = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY: Final = "Lambda-Runtime-Function-Error-Body"
_RESPONSE_MODE: Final = "Lambda-Runtime-Function-Response-Mode"
LARGEST_HEADER: Final = 1024 * 1024
"""Bytes of one header or trailer: an error's body is one."""
_TAIL: Final = 2 * LARGEST_HEADER
_LAST_CHUNK: Final = re.compile(rb"\r\n0+(?:;[^\r\n]*)?\r\n")

_Put = Callable[[bytes], Awaitable[None]]


class Connection(web.RequestHandler):
    """A connection that keeps the end of the request it receives, for aiohttp skips the trailers of chunked bodies."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._received = bytearray()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > _TAIL:
            del self._received[:-_TAIL]
        super().data_received(data)

    def forget(self) -> None:
        """Lets go of what it keeps, once the request is answered: a runtime calls over one connection all its life."""
        self._received.clear()

    def trailers(self) -> dict[str, str]:
        """The trailers of the body that has just ended, by name in lower case."""
        last = [found.end() for found in _LAST_CHUNK.finditer(self._received)]
        lines = self._received[last[-1] :].decode("latin-1").split("\r\n") if last else []
        pairs = (line.partition(":") for line in lines)
        return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


async def response(request: web.BaseRequest, stream: ResponseStream | None) -> Outcome:
    """Takes a response. One in streaming mode goes into `stream` as it comes, or is put together without one."""
    if request.headers.get(_RESPONSE_MODE, "").lower() != "streaming":
        return await _whole(request, quotas.RESPONSE_BYTES)
    if stream is None:
        found = await _whole(request, quotas.RESPONSE_BYTES)
    else:
        stream.begin(request.headers.get("Content-Type", ""))
        cut = await _pour(request, quotas.STREAMED_RESPONSE_BYTES, stream.put)
        found = cut or Answer(payload=b"")
    return found if isinstance(found, Cut) else _trailing_error(request) or found


async def error(request: web.BaseRequest) -> Outcome:
    """Takes an error, at most as large as a response."""
    found = await _whole(request, quotas.RESPONSE_BYTES)
    if isinstance(found, Cut):
        return found
    return Answer(payload=found.payload, is_error=True, error_type=request.headers.get(ERROR_TYPE, ""))


def _trailing_error(request: web.BaseRequest) -> Answer | None:
    """The error that broke a stream, which its trailers tell; its body is base64."""
    trailers = request.protocol.trailers() if isinstance(request.protocol, Connection) else {}
    kind, body = trailers.get(ERROR_TYPE.lower(), ""), trailers.get(_ERROR_BODY.lower(), "")
    if not kind and not body:
        return None
    try:
        payload = base64.b64decode(body, validate=True)
    except binascii.Error:
        payload = body.encode()
    return Answer(payload=payload, is_error=True, error_type=kind)


async def _whole(request: web.BaseRequest, most: int) -> Answer | Cut:
    if (request.content_length or 0) > most:
        return Cut(limit=most)
    body = bytearray()

    async def add(piece: bytes) -> None:
        body.extend(piece)

    return await _pour(request, most, add) or Answer(payload=bytes(body))


async def _pour(request: web.BaseRequest, most: int, put: _Put) -> Cut | None:
    """Hands on the body piece by piece; returns why it is not whole, if it is not."""
    size = 0
    try:
        async for piece in request.content.iter_any():
            size += len(piece)
            if size > most:
                return Cut(limit=most)
            await put(piece)
    except (OSError, web.RequestPayloadError, HttpProcessingError):
        return Cut()
    return None
