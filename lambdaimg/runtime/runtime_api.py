"""Lambda's Runtime API, version 2018-06-01, for one container: hands out events, takes responses and errors.

Source: Developer Guide, "Using the Lambda runtime API for custom runtimes".
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from aiohttp import web

from lambdaimg.model.invocation import Request
from lambdaimg.model.response_stream import ResponseStream
from lambdaimg.runtime import posted, telemetry_records
from lambdaimg.runtime.answers import accepted, forbidden, not_known, refused
from lambdaimg.runtime.outcome import Answer, Outcome
from lambdaimg.runtime.telemetry_records import Span

_INVOCATION_ID: Final = "Lambda-Runtime-Invocation-Id"
PREFIX: Final = "/2018-06-01/runtime/"


@dataclass(frozen=True, kw_only=True)
class _Delivery:
    """An event on its way to the runtime."""

    headers: Mapping[str, str]
    event: bytes


class RuntimeApi:
    """The API as one container sees it. All methods belong to the event loop.

    `first_next` is done when the runtime has asked for its first event: the end of its init phase; `init_error` when
    it has posted an error instead.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.first_next: asyncio.Future[None] = loop.create_future()
        self.init_error: asyncio.Future[Answer] = loop.create_future()
        self._loop = loop
        self._next: asyncio.Future[_Delivery] | None = None
        self._delivery: _Delivery | None = None
        self._request_id = ""
        self._invocation_id = ""
        self._stream: ResponseStream | None = None
        self._outcome: asyncio.Future[Outcome] | None = None
        self._delivered_at = datetime.now(UTC)
        self.spans: tuple[Span, ...] = ()
        """Of the last response, where there was one."""
        self._idle = asyncio.Event()

    def close(self) -> None:
        """Lets go of a runtime that waits for an event."""
        if self._next is not None:
            self._next.cancel()

    def deliver(self, request: Request, arn: str, deadline: float) -> asyncio.Future[Outcome]:
        """Hands an event to the runtime as soon as it asks for one; the future is what it answers.

        `deadline` is seconds since 1970.
        """
        self._request_id, self._invocation_id = request.request_id, str(uuid.uuid4())
        headers = {**_headers(request, arn, deadline), _INVOCATION_ID: self._invocation_id}
        self._delivery = _Delivery(headers=headers, event=request.event)
        self._stream = request.stream
        self.spans = ()
        outcome = self._outcome = self._loop.create_future()
        self._idle.clear()
        self._hand_over()
        return outcome

    @property
    def is_idle(self) -> bool:
        return self._idle.is_set()

    async def idle(self) -> None:
        """Returns when the runtime, having answered, asks for the next event."""
        await self._idle.wait()

    def _hand_over(self) -> None:
        if self._next is not None and self._delivery is not None:
            waiting, self._next = self._next, None
            if not waiting.done():
                waiting.set_result(self._delivery)
                self._delivery, self._delivered_at = None, datetime.now(UTC)

    # What the runtime calls

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        match (request.method, path.split("/")):
            case "GET", ["invocation", "next"]:
                return await self._give_next(request)
            case "POST", ["invocation", request_id, "response"]:
                return await self._take_response(request, request_id)
            case "POST", ["invocation", request_id, "error"]:
                return await self._take_error(request, request_id)
            case "POST", ["init", "error"]:
                return await self._take_init_error(request)
        return not_known(request)

    async def _give_next(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self.first_next.done():
            self.first_next.set_result(None)
        if self._outcome is not None and not self._outcome.done() and self._delivery is None:
            return _not_allowed("Running", "Ready")
        if self._delivery is None:
            self._outcome = None
            self._idle.set()
        if self._next is not None:
            self._next.cancel()  # the runtime asks anew: its older request is as good as gone
        waiting = self._next = self._loop.create_future()
        self._hand_over()
        try:
            delivery = await waiting
        finally:
            if self._next is waiting:
                self._next = None
        if request.transport is None:  # the caller has gone meanwhile: the event is for its next call
            self._delivery = delivery
            self._hand_over()
        return web.Response(body=delivery.event, headers=delivery.headers, content_type="application/json")

    async def _take_response(self, request: web.BaseRequest, request_id: str) -> web.StreamResponse:
        outcome = self._awaited(request, request_id, "InvocationResponse")
        if isinstance(outcome, web.Response):
            return outcome
        began = datetime.now(UTC)
        found = await posted.response(request, self._stream)
        self.spans = telemetry_records.response_spans(self._delivered_at, began, datetime.now(UTC))
        _settle(outcome, found)
        if isinstance(found, Answer):
            return accepted()
        if not found.limit:
            return refused(HTTPStatus.BAD_REQUEST, "RequestBodyTruncated", "The request's body is not whole")
        limit = f"Exceeded maximum allowed payload size ({found.limit} bytes)."
        return refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", limit)

    async def _take_error(self, request: web.BaseRequest, request_id: str) -> web.StreamResponse:
        outcome = self._awaited(request, request_id, "InvocationErrorResponse")
        if isinstance(outcome, web.Response):
            return outcome
        _settle(outcome, await posted.error(request))
        return accepted()

    async def _take_init_error(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.first_next.done() or self.init_error.done():
            return _not_allowed("Ready", "InitError")
        error = await posted.error(request)
        if isinstance(error, Answer) and not self.init_error.done():
            self.init_error.set_result(error)
        return accepted()

    def _awaited(
        self, request: web.BaseRequest, request_id: str, wanted: str
    ) -> "asyncio.Future[Outcome] | web.Response":
        """The outcome that a call is for; a refusal where it is for another request, or there is an answer already."""
        if request_id != self._request_id:
            return refused(HTTPStatus.BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
        if request.headers.get(_INVOCATION_ID, self._invocation_id) != self._invocation_id:
            return refused(HTTPStatus.BAD_REQUEST, "InvalidInvocationId", "Invalid invocation ID")
        if self._outcome is None or self._outcome.done():
            return _not_allowed("Ready" if self._outcome is None else "ResponseSent", wanted)
        return self._outcome


def _settle(outcome: "asyncio.Future[Outcome]", found: Outcome) -> None:
    if not outcome.done():
        outcome.set_result(found)


def _headers(request: Request, arn: str, deadline: float) -> dict[str, str]:
    optional = {
        "Lambda-Runtime-Client-Context": " ".join(request.client_context.splitlines()),
        "Lambda-Runtime-Cognito-Identity": request.cognito_identity,
        "Lambda-Runtime-Aws-Tenant-Id": request.tenant_id,
    }
    return {
        "Lambda-Runtime-Aws-Request-Id": request.request_id,
        "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
        "Lambda-Runtime-Invoked-Function-Arn": arn,
        "Lambda-Runtime-Trace-Id": request.trace_id,
        **{name: value for name, value in optional.items() if value},
    }


def _not_allowed(state: str, wanted: str) -> web.Response:
    message = f"State transition from {state} to {wanted} failed for runtime. Error: State transition is not allowed"
    return forbidden("InvalidStateTransition", message)
