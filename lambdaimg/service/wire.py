"""Lambda's API on the wire: requests read, answers and errors written (invoke-api.md §1, §3)."""

import base64
import binascii
import json
import socket
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web

from lambdaimg.model import quotas
from lambdaimg.model.environment import VERSION
from lambdaimg.model.errors import EventError, UsageError
from lambdaimg.model.invocation import Invocation, Request, new_request_id, new_trace_id, parse_event

_SHUTDOWN_TIMEOUT: Final = 1.0
"""Seconds for open connections to end, once the environments have stopped."""


class ApiError(Exception):
    """An error of the API: the request did not reach the function. `key` is how this error spells its message's key."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        key: str = "message",
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.body = {**(fields or {}), "Type": "User" if status < 500 else "Service", key: message}
        self.headers = {"x-amzn-ErrorType": kind, **(headers or {})}

    def response(self) -> web.Response:
        headers = {"x-amzn-RequestId": str(uuid.uuid4()), **self.headers}
        return as_json(self.body, status=self.status, headers=headers)


def as_json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    body = json.dumps(value, separators=(",", ":")).encode()
    return web.Response(status=status, body=body, headers=headers, content_type="application/json")


def not_found(what: str) -> ApiError:
    return ApiError(404, "ResourceNotFoundException", f"Function not found: {what}", key="Message")


def failed(message: str) -> ApiError:
    return ApiError(500, "ServiceException", message, key="Message")


def too_many(reason: str = "") -> ApiError:
    """`Retry-After` is seconds."""
    fields = {"Reason": reason} if reason else None
    headers = {"Retry-After": "1"}
    return ApiError(429, "TooManyRequestsException", "Rate Exceeded.", fields=fields, headers=headers)


def invalid(value: object, where: str, constraint: str) -> ApiError:
    """`constraint` ends the sentence "Member must …"."""
    said = f"Value '{value}' at '{where}' failed to satisfy constraint: Member must {constraint}"
    return ApiError(400, "ValidationException", f"1 validation error detected: {said}")


def too_large(most: int) -> ApiError:
    message = f"Request must be smaller than {most} bytes for the InvokeFunction operation"
    return ApiError(413, "RequestTooLargeException", message)


async def wanted(request: web.Request, most: int = quotas.SYNCHRONOUS_PAYLOAD_BYTES) -> Request:
    """The invocation that an HTTP request asks for. Raises ApiError."""
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large(most) from None
    if len(body) > most:
        raise too_large(most)
    try:
        event = parse_event(body or b"{}", "the request's body")
    except EventError as error:
        raise _bad_content(f"Could not parse request body into json: {error.what}") from None
    headers = request.headers
    log_type = headers.get("X-Amz-Log-Type", "None")
    if log_type not in ("None", "Tail"):
        raise invalid(log_type, "logType", "satisfy enum value set: [None, Tail]")
    return Request(
        event=event,
        client_context=_client_context(headers.get("X-Amz-Client-Context", "")),
        tenant_id=headers.get("X-Amz-Tenant-Id", ""),
        whole_log=log_type == "Tail",
        trace_id=headers.get("X-Amzn-Trace-Id") or new_trace_id(),
        request_id=_request_id(headers),
    )


def _request_id(headers: Mapping[str, str]) -> str:
    """The caller's own, if it sends one."""
    given = headers.get("x-amzn-RequestId")
    if given is None:
        return new_request_id()
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise _bad_content("The request id is not a UUID") from None


def _client_context(header: str) -> str:
    if len(header) > quotas.CLIENT_CONTEXT_BYTES:
        raise _bad_content(f"Client context must be less than or equal to {quotas.CLIENT_CONTEXT_BYTES} bytes")
    try:
        text = base64.b64decode(header, validate=True).decode("utf-8")
        if text:
            json.loads(text)
    except (ValueError, binascii.Error):
        raise _bad_content("Client context must be a valid Base64-encoded JSON object.") from None
    return text


def _bad_content(message: str) -> ApiError:
    return ApiError(400, "InvalidRequestContentException", message)


def answered(asked: Request, invocation: Invocation) -> web.Response:
    """Lambda's answer: 200 also where the function failed, which a header says."""
    headers = headers_of(asked, invocation.report.request_id if invocation.report else asked.request_id)
    if invocation.function_error:
        headers["X-Amz-Function-Error"] = "Unhandled"
    if asked.whole_log:
        headers["X-Amz-Log-Result"] = log_result(invocation)
    return web.Response(body=invocation.payload, headers=headers, content_type="application/json")


def headers_of(asked: Request, request_id: str) -> dict[str, str]:
    """What every answer has."""
    return {
        "X-Amz-Executed-Version": VERSION,
        "x-amzn-RequestId": request_id,
        "X-Amzn-Trace-Id": asked.trace_id,
    }


def log_result(invocation: Invocation) -> str:
    """The log's tail as `X-Amz-Log-Result` carries it."""
    return base64.b64encode(invocation.log_tail).decode("ascii")


@web.middleware
async def errors_as_lambdas(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except ApiError as error:
        return error.response()
    return response


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 lets the system choose. Raises UsageError when it can't be had."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"can't listen on {host}:{port}: {reason}", remedy="choose another port with --port") from None


@asynccontextmanager
async def serving(application: web.Application, listening: socket.socket) -> AsyncIterator[None]:
    """Serves within the block."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield
    finally:
        await runner.cleanup()
