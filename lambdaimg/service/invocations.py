"""An invocation over HTTP, its response whole or as a stream (invoke-api.md §1, §2)."""

import asyncio

from aiohttp import web

from lambdaimg.model.errors import EnvironmentBusy, LambdaimgError
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.pool.admission import Throttled
from lambdaimg.runtime import event_stream, streaming
from lambdaimg.runtime.running import RESPONSE_TYPE
from lambdaimg.runtime.streaming import Invoke
from lambdaimg.service import wire
from lambdaimg.service.wire import ApiError


async def answer(call: Invoke, asked: Request) -> web.Response:
    """Invokes, and answers with the whole response. Raises ApiError.

    A client that goes away doesn't stop the function, as on Lambda.
    """
    try:
        invocation = await asyncio.shield(asyncio.ensure_future(call(asked)))
    except LambdaimgError as error:
        raise refused(error) from None
    return wire.answered(asked, invocation)


async def stream(call: Invoke, asked: Request, request: web.Request) -> web.StreamResponse:
    """Invokes, and answers with an event stream, piece by piece as the function writes. Raises ApiError."""
    streamed = streaming.invoke(call, asked)
    content_type = await streamed.response.content_type()
    error = streamed.invocation.exception() if streamed.invocation.done() else None
    if isinstance(error, LambdaimgError):
        raise refused(error)
    headers = {**wire.headers_of(asked, asked.request_id), "Content-Type": event_stream.CONTENT_TYPE}
    response = web.StreamResponse(headers={**headers, RESPONSE_TYPE: content_type})
    try:
        await response.prepare(request)
        async for piece in streamed.response:
            await response.write(event_stream.payload_chunk(piece))
        await response.write(await _complete(asked, streamed.invocation))
    except ConnectionResetError:
        pass  # the client has gone away, the function goes on
    finally:
        streamed.response.abandon()
    return response


async def _complete(asked: Request, answered: "asyncio.Future[Invocation]") -> bytes:
    """The last message of a stream; the error of a function that failed stands in it, whatever came before."""
    try:
        invocation = await answered
    except LambdaimgError as error:
        return event_stream.invoke_complete("ServiceException", error.what)
    log = wire.log_result(invocation) if asked.whole_log else ""
    if not invocation.function_error:
        return event_stream.invoke_complete(log_result=log)
    return event_stream.invoke_complete("Unhandled", invocation.payload.decode("utf-8", "replace"), log)


def refused(error: LambdaimgError) -> ApiError:
    """What the caller is told of an invocation that did not run."""
    if isinstance(error, Throttled):
        return wire.too_many(error.reason.value)
    if isinstance(error, EnvironmentBusy):
        return wire.too_many()
    return wire.failed(error.what)
