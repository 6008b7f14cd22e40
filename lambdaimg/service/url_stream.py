"""A function URL's response while the function writes it (`invoke-mode = "RESPONSE_STREAM"`)."""

from collections.abc import AsyncIterator

from aiohttp import web
from multidict import CIMultiDict

from lambdaimg.model.errors import LambdaimgError, MalformedResponse
from lambdaimg.model.invocation import Request
from lambdaimg.model.response_stream import ResponseStream
from lambdaimg.runtime import streaming
from lambdaimg.runtime.http_response import CONTENT_TYPE, HttpResponse, Prelude
from lambdaimg.runtime.streaming import Invoke
from lambdaimg.service.function_url import bad_gateway, response_of
from lambdaimg.service.invocations import refused


async def stream(call: Invoke, asked: Request, request: web.Request) -> web.StreamResponse:
    """Invokes, and answers piece by piece; a function that doesn't stream is answered whole. Raises ApiError."""
    streamed = streaming.invoke(call, asked)
    content_type = await streamed.response.content_type()
    error = streamed.invocation.exception() if streamed.invocation.done() else None
    if isinstance(error, LambdaimgError):
        raise refused(error)
    if not content_type:
        return response_of(await streamed.invocation)
    try:
        return await _written(request, content_type, streamed.response)
    except MalformedResponse:
        return bad_gateway()
    except ConnectionResetError:
        return web.Response()  # the client has gone away, the function goes on
    finally:
        streamed.response.abandon()


async def _written(request: web.Request, content_type: str, pieces: ResponseStream) -> web.StreamResponse:
    """The response, its head taken from the stream where that has one. Raises MalformedResponse."""
    head = HttpResponse() if content_type == CONTENT_TYPE else None
    bodies = _bodies(pieces, head)
    first = await anext(bodies, b"")
    prelude = head.prelude if head else Prelude(headers={"Content-Type": content_type})
    if prelude is None:
        raise MalformedResponse("the function's HTTP response ended before its body")
    response = web.StreamResponse(status=prelude.status, headers=_headers(prelude))
    await response.prepare(request)
    if first:
        await response.write(first)
    async for body in bodies:
        await response.write(body)
    return response


async def _bodies(pieces: ResponseStream, head: HttpResponse | None) -> AsyncIterator[bytes]:
    """The pieces of the body; the first comes when the head is known, and may be empty."""
    async for piece in pieces:
        body = head.add(piece) if head else piece
        if head is None or head.prelude is not None:
            yield body


def _headers(prelude: Prelude) -> CIMultiDict[str]:
    headers = CIMultiDict(prelude.headers)
    headers.setdefault("Content-Type", "application/octet-stream")
    for cookie in prelude.cookies:
        headers.add("Set-Cookie", cookie)
    return headers
