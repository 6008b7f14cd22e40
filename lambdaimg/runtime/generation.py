"""One container of an environment, with its APIs and its extensions; a reset ends it, and another follows."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from lambdaimg.engine.client import Engine
from lambdaimg.model.invocation import Request
from lambdaimg.runtime import external_extensions, failures
from lambdaimg.runtime.container import Container
from lambdaimg.runtime.container_events import Exit
from lambdaimg.runtime.emulator import Settings
from lambdaimg.runtime.external_extensions import ExternalExtension, OnLines
from lambdaimg.runtime.failures import Failure
from lambdaimg.runtime.outcome import Answer, Cut
from lambdaimg.runtime.telemetry_records import InitPhase

if TYPE_CHECKING:
    from lambdaimg.runtime.environment_api import EnvironmentApi

_EXIT_WITHIN: Final = 0.5
"""Seconds from a broken connection to the news that the process has ended."""
_RUNTIME_SHARE: Final = 0.3
"""Seconds for the runtime to end after SIGTERM, once the external extensions have."""


class Generation:
    """`container` has been started, for `api`. Extensions' lines go to `on_lines`, on threads of their own.

    `phase` is that of its init phase; what happens in it goes to `publish`.
    """

    def __init__(
        self,
        engine: Engine,
        container: Container,
        api: "EnvironmentApi",
        settings: Settings,
        phase: str,
        on_lines: OnLines,
        publish: Callable[..., None],
    ) -> None:
        self.container = container
        self.api = api
        self.init_ms: float | None = None
        self._phase = InitPhase(initialization=settings.initialization, phase=phase)
        self._publish = publish
        self._engine = engine
        self._settings = settings
        self._on_lines = on_lines
        self._frozen = False

    @property
    def lives(self) -> bool:
        return not self.container.exit.done()

    # Init phase

    def begin(self) -> None:
        """Tells of the init phase's start."""
        settings = self._settings
        self._publish(self._phase.start(settings.function, settings.instance, settings.memory))

    def report(self, failure: Failure | Answer | None) -> None:
        """Tells of the init phase's end, and of the runtime's where it has not come so far."""
        status, error_type = _status(failure), failure.error_type if failure else ""
        if not self.api.runtime.first_next.done():
            self._publish(self._phase.runtime_done(status, error_type))
        began = self.container.started_at or time.monotonic()
        took = self.init_ms if self.init_ms is not None else (time.monotonic() - began) * 1000
        self._publish(self._phase.report(status, took, error_type))

    async def initialise(self, patience: float) -> Failure | Answer | None:
        """Returns at the end of the init phase, or after `patience` seconds of it; what failed, if something did."""
        container, runtime, extensions = self.container, self.api.runtime, self.api.extensions
        remaining = container.started_at + patience - time.monotonic()
        ready = asyncio.ensure_future(self._ready())
        await _first(remaining, ready, runtime.init_error, container.exit, extensions.failure)
        took = time.monotonic() - container.started_at
        if ready.done():
            ready.result()
            self.init_ms = took * 1000
            extensions.close_registration()
            self.api.telemetry.close_registration()
            return None
        ready.cancel()
        if runtime.init_error.done():
            return runtime.init_error.result()
        if extensions.failure.done():
            return await self._extension_failed()
        return self._ended(container.exit.result()) if container.exit.done() else failures.timed_out(patience)

    async def _ready(self) -> None:
        """The runtime and all extensions wait for their first event."""
        names = await external_extensions.names(self._engine, self.container.id)
        self.api.extensions.expect(names)
        for name in names:
            ExternalExtension(self._engine, self.container.id, name, self._on_lines, self.api.extensions.exited).start()
        await asyncio.wait((self.api.runtime.first_next,))
        self._publish(self._phase.runtime_done("success"))
        await self.api.extensions.settled()

    # Invoke phase

    async def answer(self, request: Request, remaining: float) -> Answer | Failure:
        """What the runtime makes of an event in `remaining` seconds; the extensions are told of it too."""
        runtime, extensions, exit = self.api.runtime, self.api.extensions, self.container.exit
        deadline = time.time() + remaining
        outcome = runtime.deliver(request, self._settings.arn, deadline)
        extensions.invoke(request, deadline)
        await _first(remaining, outcome, exit, extensions.failure)
        if outcome.done():
            return await self._judged(outcome.result())
        if exit.done():
            return self._ended(exit.result())
        if extensions.failure.done():
            return await self._extension_failed()
        return failures.timed_out(self._settings.timeout)

    async def _judged(self, outcome: Answer | Cut) -> Answer | Failure:
        if isinstance(outcome, Answer):
            return outcome
        if outcome.limit:
            return failures.too_large(outcome.limit)
        exit = await self._exit_soon()  # a process that is killed breaks its connections first
        return self._ended(exit) if exit else failures.TRUNCATED

    async def _extension_failed(self) -> Failure:
        """A container that ends takes its extensions along: theirs is not the failure then."""
        exit = await self._exit_soon()
        return self._ended(exit) if exit else self.api.extensions.failure.result()

    async def _exit_soon(self) -> Exit | None:
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(self.container.exit), _EXIT_WITHIN)
        return None

    def _ended(self, exit: Exit) -> Failure:
        return failures.ended(exit, self._settings.memory)

    async def is_settled_within(self, left: float) -> bool:
        """Waits until runtime and extensions ask for the next event; whether they do so in `left` seconds."""
        settled = asyncio.ensure_future(self._settled())
        try:
            await _first(left, settled, self.container.exit, self.api.extensions.failure)
            return settled.done()
        finally:
            settled.cancel()

    async def _settled(self) -> None:
        await self.api.runtime.idle()
        await self.api.extensions.settled()

    # Freezing and ending

    async def freeze(self) -> None:
        self._frozen = True
        await self.container.freeze()

    async def thaw(self) -> None:
        self._frozen = False
        await self.container.thaw()

    async def end(self, reason: str) -> None:
        """The shutdown phase; `reason` is Lambda's, SPINDOWN, TIMEOUT or FAILURE.

        The container first: a runtime that loses its API would complain in the function's log.
        """
        try:
            if self.lives and self.api.extensions.share:
                await self._shut_down(reason)
            await self.container.remove()
        finally:
            await self.api.close()

    async def _shut_down(self, reason: str) -> None:
        """A runtime without extensions is killed at once; beside them it gets a signal first ("Shutdown phase").

        The external ones before the runtime, whose end is the container's.
        """
        if self._frozen:
            await self.thaw()
        share = self.api.extensions.share
        await self.api.telemetry.flush()
        await self.api.extensions.shut_down(reason)
        await self.container.terminate()
        await _first(_RUNTIME_SHARE if self.api.extensions.expected else share, self.container.exit)


def _status(failure: Failure | Answer | None) -> str:
    """An init phase's."""
    if failure is None:
        return "success"
    return "timeout" if failure.error_type == "Sandbox.Timedout" else "error"


async def _first(timeout: float, *waited: "asyncio.Future[Any]") -> None:
    """Returns when one of them is done, or after `timeout` seconds."""
    await asyncio.wait(waited, timeout=max(0, timeout), return_when=asyncio.FIRST_COMPLETED)
