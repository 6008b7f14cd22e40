"""Lambda's Extensions API, version 2020-01-01, for one container: registers extensions, hands them their events.

Sources: Developer Guide, "Using the Lambda Extensions API to create extensions"; statuses and error types are those of
AWS's Runtime Interface Emulator.
"""

import asyncio
import json
import time
import uuid
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from lambdaimg.model.environment import VERSION
from lambdaimg.model.invocation import Request
from lambdaimg.runtime import failures
from lambdaimg.runtime.answers import accepted, forbidden, not_known
from lambdaimg.runtime.emulator import Settings
from lambdaimg.runtime.failures import Failure

PREFIX: Final = "/2020-01-01/extension/"
MOST: Final = 10
"""Extensions of one function ("Lambda quotas"; the RIE counts external and internal ones together)."""
_NAME: Final = "Lambda-Extension-Name"
IDENTIFIER: Final = "Lambda-Extension-Identifier"
_FEATURES: Final = "Lambda-Extension-Accept-Feature"
_ERROR_TYPE: Final = "Lambda-Extension-Function-Error-Type"
_EVENTS: Final = {True: frozenset({"INVOKE", "SHUTDOWN"}), False: frozenset({"INVOKE"})}
"""What an extension may subscribe to, an external one and an internal one."""
_SHARES: Final = {True: 2.0, False: 0.5}
"""Seconds of the shutdown phase with an external extension, and with internal ones alone ("Shutdown phase")."""


@dataclass(kw_only=True, eq=False)
class Extension:
    """A registered extension. `waits` while it asks for its next event."""

    name: str
    events: tuple[str, ...]
    external: bool
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    waits: asyncio.Future[Mapping[str, Any]] | None = None
    pending: deque[Mapping[str, Any]] = field(default_factory=deque)

    def give(self, event: Mapping[str, Any]) -> None:
        """Hands over an event, at once or with the next request, where the extension wants such events."""
        if event["eventType"] not in self.events:
            return
        waiting, self.waits = self.waits, None
        if waiting is None or waiting.done():
            self.pending.append(event)
        else:
            waiting.set_result(event)

    @property
    def is_settled(self) -> bool:
        return self.waits is not None and not self.pending


class ExtensionsApi:
    """The API as one container sees it. All methods belong to the event loop.

    `expected` are the external extensions that are started. `failure` is done when one of any kind has failed, with
    Lambda's error.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.expected: frozenset[str] = frozenset()
        self.registered: dict[str, Extension] = {}
        self.failure: asyncio.Future[Failure] = asyncio.get_running_loop().create_future()
        self._changed = asyncio.Event()
        self._running: set[str] = set()
        self._open = True
        self._ends = False

    def expect(self, names: Collection[str]) -> None:
        """Names the external extensions, which must register before the init phase can end."""
        self.expected = frozenset(names)
        self._running = set(names)

    def close_registration(self) -> None:
        """From the end of the init phase on, nobody may register."""
        self._open = False

    # What the environment asks

    @property
    def is_settled(self) -> bool:
        """Whether all extensions have registered, and wait for their next event."""
        names = {each.name for each in self.registered.values()}
        return self.expected <= names and all(each.is_settled for each in self.registered.values())

    async def settled(self) -> None:
        while not self.is_settled:
            self._changed.clear()
            await self._changed.wait()

    def invoke(self, request: Request, deadline: float) -> None:
        """Tells the extensions of an invocation; `deadline` is seconds since 1970."""
        for extension in self.registered.values():
            extension.give(
                {
                    "eventType": "INVOKE",
                    "deadlineMs": int(deadline * 1000),
                    "requestId": request.request_id,
                    "invokedFunctionArn": self._settings.arn,
                    "tracing": {"type": "X-Amzn-Trace-Id", "value": request.trace_id},
                }
            )

    @property
    def share(self) -> float:
        """Seconds of the shutdown phase."""
        if self._running:
            return _SHARES[True]
        return _SHARES[False] if self.registered else 0

    async def shut_down(self, reason: str) -> None:
        """Tells the extensions of the end; returns when the external ones have ended, or their time is over."""
        self._ends = True
        deadline = time.time() + self.share
        for extension in self.registered.values():
            extension.give({"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": int(deadline * 1000)})
        while self._running and (left := deadline - time.time()) > 0:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                return

    def exited(self, name: str, failure: Failure) -> None:
        """The process of an external extension has ended, which it must not do before it is told."""
        self._running.discard(name)
        self._changed.set()
        self._fail(failure)

    def close(self) -> None:
        """Lets go of the extensions that wait."""
        for extension in self.registered.values():
            if extension.waits is not None:
                extension.waits.cancel()

    def _fail(self, failure: Failure) -> None:
        if not self._ends and not self.failure.done():
            self.failure.set_result(failure)

    # What the extensions call

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        call = (request.method, request.path.removeprefix(PREFIX))
        if call == ("POST", "register"):
            return await self._register(request)
        extension = self.registered.get(request.headers.get(IDENTIFIER, ""))
        if extension is None:
            return _unidentified(request.headers.get(IDENTIFIER, ""))
        match call:
            case "GET", "event/next":
                return await self._next(extension)
            case "POST", "init/error":
                return self._error(extension, request, failures.EXTENSION_INIT_ERROR)
            case "POST", "exit/error":
                return self._error(extension, request, failures.EXTENSION_EXIT_ERROR)
        return not_known(request)

    async def _register(self, request: web.BaseRequest) -> web.Response:
        name = request.headers.get(_NAME, "")
        events = _events(await request.read())
        refusal = self._refusal(name, events)
        if refusal is not None:
            return refusal
        extension = Extension(name=name, events=events or (), external=name in self.expected)
        self.registered[extension.id] = extension
        wanted = [feature.strip() for feature in request.headers.get(_FEATURES, "").split(",")]
        body = {
            "functionName": self._settings.function,
            "functionVersion": VERSION,
            "handler": self._settings.handler,
            **({"accountId": self._settings.arn.split(":")[4]} if "accountId" in wanted else {}),
        }
        return web.json_response(body, headers={IDENTIFIER: extension.id})

    def _refusal(self, name: str, events: tuple[str, ...] | None) -> web.Response | None:
        """Why an extension can't register; None where it can."""
        external = name in self.expected
        if not name:
            return forbidden("Extension.InvalidExtensionName", "Empty extension name")
        if events is None:
            return forbidden("InvalidRequestFormat", 'The body must be {"events": [...]}')
        if unknown := [event for event in events if event not in _EVENTS[external]]:
            return forbidden("Extension.InvalidEventType", f"{unknown[0]}: invalid event type")
        if any(each.name == name for each in self.registered.values()):
            return forbidden("Extension.InvalidExtensionState", "Extension with this name already registered")
        if not self._open:
            return forbidden("Extension.RegistrationClosed", "Extension registration closed already")
        if len({each.name for each in self.registered.values()} | self.expected | {name}) > MOST:
            return forbidden("Extension.TooManyExtensions", f"Extension limit ({MOST}) reached")
        return None

    async def _next(self, extension: Extension) -> web.Response:
        waiting: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        if extension.pending:
            waiting.set_result(extension.pending.popleft())
        else:
            extension.waits = waiting
            self._changed.set()
        return web.json_response(await waiting)

    def _error(self, extension: Extension, request: web.BaseRequest, error_type: str) -> web.Response:
        given = request.headers.get(_ERROR_TYPE, "")
        if not given:
            return forbidden("Extension.MissingHeader", f"{_ERROR_TYPE} not found")
        self._fail(Failure(error_type=error_type, message=f"{extension.name}: {given}"))
        return accepted()


def _events(body: bytes) -> tuple[str, ...] | None:
    """The events in the body of a registration; None where it is not one."""
    try:
        found = json.loads(body)
        return tuple(map(str, found.get("events") or ()))
    except (ValueError, AttributeError, TypeError):
        return None


def _unidentified(id: str) -> web.Response:
    """The RIE's words for a missing, a malformed and an unknown identifier."""
    if not id:
        return forbidden("Extension.MissingExtensionIdentifier", f"Missing {IDENTIFIER} header")
    try:
        uuid.UUID(id)
    except ValueError:
        return forbidden("Extension.InvalidExtensionIdentifier", f"Invalid {IDENTIFIER}")
    return forbidden("Extension.UnknownExtensionIdentifier", f"Unknown {IDENTIFIER}")
