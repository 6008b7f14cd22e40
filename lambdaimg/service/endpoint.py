"""The HTTP endpoint of `run`: Lambda's invocation paths on loopback, before one function's environments."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from aiohttp import web

from lambdaimg.model import quotas
from lambdaimg.model.environment import VERSION
from lambdaimg.model.errors import EnvironmentBusy, EventError, LambdaimgError, UsageError
from lambdaimg.model.invocation import Invocation, Request, new_trace_id, parse_event
from lambdaimg.pool.pool import EnvironmentPool
from lambdaimg.runtime import event_stream, streaming
from lambdaimg.runtime.running import RESPONSE_TYPE

PATH: Final = "/2015-03-31/functions/{name}/invocations"
STREAMING_PATH: Final = "/2021-11-15/functions/{name}/response-streaming-invocations"
"""InvokeWithResponseStream (invoke-api.md §2)."""

_SHUTDOWN_TIMEOUT: Final = 1.0
"""Seconds for open connections to end, once the environments have stopped."""


class Endpoint:
    """Answers at `PATH` and `STREAMING_PATH`, for the names `function` and the function's own."""

    def __init__(self, pool: EnvironmentPool, function: str, *, queue: bool) -> None:
        self._pool = pool
        self._function = function
        self._queue = queue

    def application(self) -> web.Application:
        application = web.Application(client_max_size=quotas.SYNCHRONOUS_PAYLOAD_BYTES + 1)
        application.router.add_post(PATH, self._invoke)
        application.router.add_post(STREAMING_PATH, self._stream)
        return application

    async def _invoke(self, request: web.Request) -> web.StreamResponse:
        wanted = await self._wanted(request)
        if isinstance(wanted, web.Response):
            return wanted
        # Shielded: a client that goes away doesn't stop the function, as on Lambda.
        return await asyncio.shield(asyncio.ensure_future(self._answer(wanted)))

    async def _answer(self, wanted: Request) -> web.Response:
        try:
            return _response(wanted, await self._pool.invoke(wanted, wait=self._queue))
        except LambdaimgError as error:
            return _refused(error)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        wanted = await self._wanted(request)
        if isinstance(wanted, web.Response):
            return wanted
        answer = streaming.invoke(partial(self._pool.invoke, wait=self._queue), wanted)
        content_type = await answer.response.content_type()
        error = answer.invocation.exception() if answer.invocation.done() else None
        if isinstance(error, LambdaimgError):
            return _refused(error)
        headers = {**_headers(wanted.request_id), "Content-Type": event_stream.CONTENT_TYPE}
        response = web.StreamResponse(headers={**headers, RESPONSE_TYPE: content_type})
        try:
            await response.prepare(request)
            async for piece in answer.response:
                await response.write(event_stream.payload_chunk(piece))
            await response.write(await _complete(wanted, answer.invocation))
        except ConnectionResetError:
            pass  # the client has gone away, the function goes on
        finally:
            answer.response.abandon()
        return response

    async def _wanted(self, request: web.Request) -> Request | web.Response:
        """The invocation that a request asks for, or its refusal."""
        name = request.match_info["name"]
        if name not in ("function", self._function):
            return _refusal(404, "ResourceNotFoundException", f"Function not found: {name}", "Message")
        try:
            return _request(await request.read(), request.headers)
        except web.HTTPRequestEntityTooLarge:
            limit = quotas.SYNCHRONOUS_PAYLOAD_BYTES
            text = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
            return _refusal(413, "RequestTooLargeException", text)
        except EventError as error:
            return _refusal(400, "InvalidRequestContentException", error.what)


def _request(body: bytes, headers: Mapping[str, str]) -> Request:
    """The invocation that a request asks for (invoke-api.md §1). Raises EventError."""
    try:
        event = parse_event(body or b"{}", "the request's body")
    except EventError as error:
        raise EventError(f"Could not parse request body into json: {error.what}") from None
    return Request(
        event=event,
        client_context=_client_context(headers.get("X-Amz-Client-Context", "")),
        tenant_id=headers.get("X-Amz-Tenant-Id", ""),
        whole_log=headers.get("X-Amz-Log-Type") == "Tail",
        trace_id=headers.get("X-Amzn-Trace-Id") or new_trace_id(),
    )


def _client_context(header: str) -> str:
    if len(header) > quotas.CLIENT_CONTEXT_BYTES:
        raise EventError("Client context must be less than or equal to 3583 bytes")
    try:
        text = base64.b64decode(header, validate=True).decode("utf-8")
        if text:
            json.loads(text)
    except ValueError:
        raise EventError("Client context must be a valid Base64-encoded JSON object.") from None
    return text


def _response(wanted: Request, invocation: Invocation) -> web.Response:
    """Lambda's answer (invoke-api.md §1): 200 also where the function failed, which a header says."""
    headers = _headers(invocation.report.request_id if invocation.report else wanted.request_id)
    if invocation.function_error:
        headers["X-Amz-Function-Error"] = "Unhandled"
    if wanted.whole_log:
        headers["X-Amz-Log-Result"] = _log_result(invocation)
    return web.Response(body=invocation.payload, headers=headers, content_type="application/json")


def _headers(request_id: str) -> dict[str, str]:
    return {"X-Amz-Executed-Version": VERSION, "x-amzn-RequestId": request_id}


def _log_result(invocation: Invocation) -> str:
    return base64.b64encode(invocation.log_tail).decode("ascii")


async def _complete(wanted: Request, answered: "asyncio.Future[Invocation]") -> bytes:
    """The last message of a stream; the error of a function that failed stands in it, whatever came before."""
    try:
        invocation = await answered
    except LambdaimgError as error:
        return event_stream.invoke_complete("ServiceException", error.what)
    log = _log_result(invocation) if wanted.whole_log else ""
    if not invocation.function_error:
        return event_stream.invoke_complete(log_result=log)
    return event_stream.invoke_complete("Unhandled", invocation.payload.decode("utf-8", "replace"), log)


def _refused(error: LambdaimgError) -> web.Response:
    if isinstance(error, EnvironmentBusy):
        return _refusal(429, "TooManyRequestsException", "Rate Exceeded.")
    return _refusal(500, "ServiceException", error.what, "Message")


def _refusal(status: int, kind: str, message: str, key: str = "message") -> web.Response:
    """An error of the API, before the function was reached (invoke-api.md §3)."""
    body = {"Type": "User" if status < 500 else "Service", key: message}
    return web.Response(
        status=status,
        body=json.dumps(body).encode(),
        headers={"x-amzn-ErrorType": kind},
        content_type="application/json",
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 lets the system choose. Raises UsageError when it can't be had."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"can't listen on {host}:{port}: {reason}", remedy="choose another port with --port") from None


@asynccontextmanager
async def serving(endpoint: Endpoint, listening: socket.socket) -> AsyncIterator[None]:
    """Serves within the block."""
    runner = web.AppRunner(endpoint.application(), access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield
    finally:
        await runner.cleanup()
