"""Asynchronous invocations: queued, retried and told to destinations as Lambda does (invoke-api.md §5)."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from lambdaimg.model.deployment import AsyncSettings
from lambdaimg.model.environment import VERSION
from lambdaimg.model.errors import LambdaimgError
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.pool.admission import Throttled
from lambdaimg.service.destinations import Destinations, Undeliverable
from lambdaimg.service.event_store import EventStore, StoredEvent
from lambdaimg.service.local_lambda import LocalLambda, Served
from lambdaimg.service.metrics import Counted

RETRY_DELAYS: Final = (60.0, 120.0)
"""Seconds before the first and the second retry of an event that the function failed."""
_LONGEST_REFUSAL: Final = 300.0
"""Seconds: an event that could not run is tried again after 1, 2, 4, … and at most so many."""
_AT_ONCE: Final = 256
"""Events that are worked on at once: more wait on disk."""
_DELIVERIES: Final = 3
"""Tries to reach a destination."""

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Fate:
    """How an event ended: Lambda's `condition`, and the last invocation, if there was one."""

    condition: str
    invocation: Invocation | None

    @property
    def succeeded(self) -> bool:
        return self.condition == "Success"


class AsynchronousQueue:
    """Works off the events of an `EventStore`, between `start` and `stop`. Delays and ages are × `time_scale`."""

    def __init__(
        self, store: EventStore, functions: LocalLambda, destinations: Destinations, say: Say, *, time_scale: float
    ) -> None:
        self._store = store
        self._functions = functions
        self._destinations = destinations
        self._say = say
        self._time_scale = time_scale
        self._news = asyncio.Event()
        self._working: dict[str, asyncio.Task[None]] = {}
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises UsageError when the store can't be used."""
        await self._store.open()
        self._loop = asyncio.ensure_future(self._work())

    async def stop(self) -> None:
        """What is not done with stays on disk, for the next start."""
        tasks = [*self._working.values(), *([self._loop] if self._loop else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._store.close()

    async def put(self, function: str, request: Request) -> None:
        """Accepts an event: it is on disk when this returns. Raises OSError when it can't be."""
        now = time.time()
        event = StoredEvent(
            request_id=request.request_id,
            function=function,
            event=request.event,
            trace_id=request.trace_id,
            accepted_at=now,
            due_at=now,
        )
        await self._store.accept(event)
        self._functions.metrics.count("AsyncEventsReceived", function)
        self._news.set()

    async def _work(self) -> None:
        while True:
            self._news.clear()
            for event in await self._store.due(time.time(), _AT_ONCE):
                if event.request_id not in self._working and len(self._working) < _AT_ONCE:
                    self._working[event.request_id] = asyncio.ensure_future(self._take(event))
            await self._wait()

    async def _wait(self) -> None:
        """Until an event comes, one is done with, or the next is due."""
        due = await self._store.next_due()
        patience = None if due is None else max(0.01, due - time.time()) if not self._working else 1.0
        try:
            async with asyncio.timeout(patience):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _take(self, event: StoredEvent) -> None:
        try:
            served = self._functions.served.get(event.function)
            if served is None:
                self._say(f"{event.function} is gone: its event {event.request_id} is dropped")
                await self._store.remove(event.request_id)
            elif event.record is not None:
                await self._tell(served, event)
            else:
                await self._try(served, event)
        except OSError as error:
            self._say(f"the event queue: {error}")
            await asyncio.sleep(1)
        finally:
            del self._working[event.request_id]
            self._news.set()

    async def _try(self, served: Served, event: StoredEvent) -> None:
        """One attempt, and what follows from it."""
        settings = served.function.settings.async_ or AsyncSettings()
        age = time.time() - event.accepted_at
        self._functions.metrics.measure("AsyncEventAge", event.function, age * 1000)
        if age > settings.maximum_event_age * self._time_scale:
            await self._settle(served, event, Fate(condition="EventAgeExceeded", invocation=None))
            return
        if served.admission.reserved(served.function.name) == 0:
            await self._settle(served, event, Fate(condition="RetriesExhausted", invocation=None))
            return
        try:
            request = Request(event=event.event, request_id=event.request_id, trace_id=event.trace_id)
            invocation = await served.invoke(request)
        except LambdaimgError as error:
            await self._again_later(event, error)
            return
        if not invocation.function_error:
            await self._settle(served, event, Fate(condition="Success", invocation=invocation))
        elif event.attempts >= settings.maximum_retry_attempts:
            fate = Fate(condition="RetriesExhausted", invocation=invocation)
            await self._settle(served, replace(event, attempts=event.attempts + 1), fate)
        else:
            due = time.time() + RETRY_DELAYS[min(event.attempts, 1)] * self._time_scale
            await self._store.put(replace(event, attempts=event.attempts + 1, refusals=0, due_at=due))

    async def _again_later(self, event: StoredEvent, error: LambdaimgError) -> None:
        """What could not run is no attempt: it goes back into the queue."""
        if not isinstance(error, Throttled):
            self._say(f"{event.function}: {error.what}; the event {event.request_id} is tried again")
        delay = min(2.0**event.refusals, _LONGEST_REFUSAL) * self._time_scale
        await self._store.put(replace(event, refusals=min(event.refusals + 1, 30), due_at=time.time() + delay))

    async def _settle(self, served: Served, event: StoredEvent, fate: Fate) -> None:
        """An event's fate is kept before its destinations are told, so that they are told once, or again."""
        if not fate.succeeded:
            self._functions.metrics.count("AsyncEventsDropped", event.function)
        if not _targets(served, fate.succeeded):
            await self._store.remove(event.request_id)
            return
        record = json.dumps(record_of(self._functions.project.arn(served.function), event, fate)).encode()
        settled = replace(event, record=record)
        await self._store.put(settled)
        await self._tell(served, settled)

    async def _tell(self, served: Served, event: StoredEvent) -> None:
        record = json.loads(event.record or b"{}")
        succeeded = record["requestContext"]["condition"] == "Success"
        for target in _targets(served, succeeded):
            await self._deliver(served, target, event, record)
        await self._store.remove(event.request_id)

    async def _deliver(self, served: Served, target: str, event: StoredEvent, record: dict[str, Any]) -> None:
        settings = served.function.settings.async_ or AsyncSettings()
        as_dead_letter = target == settings.dead_letter
        for attempt in range(_DELIVERIES):
            try:
                if target.startswith("function:"):
                    await self.put(target.removeprefix("function:"), Request(event=json.dumps(record).encode()))
                elif as_dead_letter:
                    await self._destinations.dead_letter(target, event.event, record)
                else:
                    await self._destinations.deliver(target, record)
                return
            except Undeliverable as error:
                if attempt == _DELIVERIES - 1:
                    what: Counted = "DeadLetterErrors" if as_dead_letter else "DestinationDeliveryFailures"
                    self._functions.metrics.count(what, served.function.name)
                    self._say(f"{served.function.name}: {target} was not told: {error}")
                else:
                    await asyncio.sleep(2.0**attempt * self._time_scale)


def _targets(served: Served, succeeded: bool) -> list[str]:
    """What is to be told; a destination and a dead-letter queue may stand side by side."""
    settings = served.function.settings.async_ or AsyncSettings()
    names = (settings.on_success,) if succeeded else (settings.on_failure, settings.dead_letter)
    return [name for name in names if name]


def record_of(arn: str, event: StoredEvent, fate: Fate) -> dict[str, Any]:
    """The record that destinations get (Developer Guide, "Capturing records of asynchronous invocations")."""
    invocation = fate.invocation
    response: dict[str, Any] = {}
    if invocation is not None:
        error = {"functionError": "Unhandled"} if invocation.function_error else {}
        response = {
            "responseContext": {"statusCode": 200, "executedVersion": VERSION, **error},
            "responsePayload": _json(invocation.payload),
        }
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": f"{arn}:{VERSION}",
            "condition": fate.condition,
            "approximateInvokeCount": event.attempts + (1 if fate.succeeded else 0),
        },
        "requestPayload": _json(event.event),
        **response,
    }


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
