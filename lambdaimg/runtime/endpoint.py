"""The HTTP endpoint of `run`: Lambda's invocation path on loopback, before one execution environment."""

import asyncio
import base64
import json
import socket
from collections.abc import Callable
from typing import Final

from aiohttp import web

from lambdaimg.model import quotas
from lambdaimg.model.errors import EnvironmentBusy, EnvironmentFailed, EventError, UsageError
from lambdaimg.model.invocation import Invocation, parse_event
from lambdaimg.runtime.environment import ExecutionEnvironment

PATH: Final = "/2015-03-31/functions/{name}/invocations"

_SHUTDOWN_TIMEOUT: Final = 1.0
"""Seconds for open connections to end, once the environment has stopped."""


class Endpoint:
    """Answers at `PATH`, for the names `function` and the function's own."""

    def __init__(self, environment: ExecutionEnvironment, function: str, *, queue: bool) -> None:
        self._environment = environment
        self._function = function
        self._queue = queue

    def close(self) -> None:
        self._environment.stop()

    def application(self) -> web.Application:
        application = web.Application(client_max_size=quotas.SYNCHRONOUS_PAYLOAD_BYTES + 1)
        application.router.add_post(PATH, self._invoke)
        return application

    async def _invoke(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in ("function", self._function):
            return _refusal(404, "ResourceNotFoundException", f"Function not found: {name}", "Message")
        try:
            event = parse_event(await request.read() or b"{}", "the request's body")
        except web.HTTPRequestEntityTooLarge:
            limit = quotas.SYNCHRONOUS_PAYLOAD_BYTES
            text = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
            return _refusal(413, "RequestTooLargeException", text)
        except EventError as error:
            text = f"Could not parse request body into json: {error.what}"
            return _refusal(400, "InvalidRequestContentException", text)
        return await self._answer(event, tail=request.headers.get("X-Amz-Log-Type") == "Tail")

    async def _answer(self, event: bytes, *, tail: bool) -> web.Response:
        try:
            # Shielded: a client that goes away doesn't stop the function, as on Lambda.
            work = asyncio.to_thread(self._environment.invoke, event, wait=self._queue)
            invocation = await asyncio.shield(asyncio.ensure_future(work))
        except EnvironmentBusy:
            return _refusal(429, "TooManyRequestsException", "Rate Exceeded.")
        except EnvironmentFailed as error:
            return _refusal(500, "ServiceException", error.what, "Message")
        return _response(invocation, tail=tail)


def _response(invocation: Invocation, *, tail: bool) -> web.Response:
    """Lambda's answer (invoke-api.md §1): 200 also where the function failed, which a header says."""
    headers = {"X-Amz-Executed-Version": "$LATEST"}
    if invocation.function_error:
        headers["X-Amz-Function-Error"] = "Unhandled"
    if invocation.report and invocation.report.request_id:
        headers["x-amzn-RequestId"] = invocation.report.request_id
    if tail:
        headers["X-Amz-Log-Result"] = base64.b64encode(invocation.log_tail).decode("ascii")
    return web.Response(body=invocation.payload, headers=headers, content_type="application/json")


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


async def serve(endpoint: Endpoint, listening: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serves until it is cancelled, and then stops the environment, so that nobody waits for an answer."""
    runner = web.AppRunner(endpoint.application(), access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        on_ready()
        await asyncio.Event().wait()
    finally:
        await asyncio.to_thread(endpoint.close)
        await runner.cleanup()
