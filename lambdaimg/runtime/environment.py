"""An execution environment: init, then one invocation at a time, then its end; under either emulator."""

import asyncio
import secrets
import time
from collections.abc import Callable
from enum import Enum
from types import TracebackType
from typing import Final

from lambdaimg.model.errors import EnvironmentBusy, EnvironmentFailed
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.runtime.emulator import Emulator, Happening, Kind, Tell
from lambdaimg.runtime.log import Log, OnLine
from lambdaimg.runtime.uninterrupted import uninterrupted

_LAST_LINES_WITHIN: Final = 1.0
"""Seconds for the log of the last invocation to be completed, before the environment stops all the same."""

Listener = Callable[[Happening], None]


class State(Enum):
    """Where an environment is on its way."""

    NEW = "new"
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    FINISHING = "finishing"
    """It has answered, but the runtime has not asked for the next event yet."""
    STOPPED = "stopped"


_TRANSITIONS: Final = {
    State.NEW: {State.STARTING, State.STOPPED},
    State.STARTING: {State.READY, State.STOPPED},
    State.READY: {State.BUSY, State.STOPPED},
    State.BUSY: {State.FINISHING, State.STOPPED},
    State.FINISHING: {State.READY, State.STOPPED},
    State.STOPPED: set(),
}


class IllegalTransition(AssertionError):
    """An environment was to go where its state does not lead: a bug of ours."""


def new_environment_id() -> str:
    """32 hex digits, which end the name of an environment's log stream."""
    return secrets.token_hex(16)


class ExecutionEnvironment:
    """One environment of a function; an async context manager, gone when it is left.

    `make` gives it its emulator. `on_line` gets every line of the log as it comes: START, the function's own, END and
    REPORT, some of them on another thread; `listener` every Happening, on the event loop. With `freeze`, all
    processes stand still between two invocations, as on Lambda.
    """

    def __init__(
        self,
        function: str,
        make: Callable[[Log, Tell], Emulator],
        *,
        on_line: OnLine,
        listener: Listener = lambda _: None,
        freeze: bool = False,
        id: str = "",
    ) -> None:
        self.id = id or new_environment_id()
        self.function = function
        self.state = State.NEW
        self._listener = listener
        self._freeze = freeze
        self._turn = asyncio.Lock()
        self._end_of_invocation: asyncio.Task[None] | None = None
        self._emulator = make(Log(on_line), self._tell)
        self._tell(Kind.CREATED)

    async def __aenter__(self) -> "ExecutionEnvironment":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts it; where the emulator can, with its init phase. A function's own failure shows when it is invoked.

        Raises EnvironmentFailed, and leaves nothing behind, when the container can't be started.
        """
        self._to(State.STARTING)
        try:
            await self._emulator.start()
            if self._freeze:
                await self._emulator.freeze()
        except BaseException:
            await self.stop()
            raise
        if self.state is State.STARTING:
            self._to(State.READY)

    @property
    def is_free(self) -> bool:
        """Whether an invocation would begin at once, or as soon as the runtime asks for it."""
        return self.state in (State.READY, State.FINISHING) and not self._turn.locked()

    async def invoke(self, request: Request, *, wait: bool = True) -> Invocation:
        """Hands one event to the function and returns its answer, a function's failure being an answer too.

        A second invocation waits for its turn; with `wait` off, it raises EnvironmentBusy. Raises EnvironmentFailed
        when the environment ends before it has answered.
        """
        if not wait and not self.is_free:
            raise EnvironmentBusy(f"{self.function} is busy: an environment runs one invocation at a time")
        async with self._turn:
            await self._finished()
            if self.state is not State.READY:
                raise EnvironmentFailed(f"{self.function}: the environment is {self.state.value}, not ready")
            self._to(State.BUSY)
            invocation = await self._invoke(request)
        if not request.whole_log:
            return invocation
        await self._finished()
        log = await self._emulator.log()
        return Invocation(
            payload=invocation.payload, function_error=invocation.function_error, log=log, report=invocation.report
        )

    async def _invoke(self, request: Request) -> Invocation:
        self._tell(Kind.INVOKED, request_id=request.request_id)
        try:
            if self._freeze:
                await self._emulator.thaw()
            invocation = await self._emulator.invoke(request)
            if request.stream is not None and not request.stream.has_begun and not invocation.function_error:
                await request.stream.put(invocation.payload)
        finally:
            stopped = self.state is State.STOPPED
            if not stopped:
                self._to(State.FINISHING)
                self._end_of_invocation = asyncio.ensure_future(self._finish())
        if stopped:
            raise EnvironmentFailed(f"{self.function}: the environment was stopped before it had answered")
        return invocation

    async def _finish(self) -> None:
        await self._emulator.finish()
        if self._freeze and self.state is State.FINISHING:
            await self._emulator.freeze()
        if self.state is State.FINISHING:
            self._to(State.READY)

    async def _finished(self) -> None:
        """Returns when the invocation before is over."""
        if self._end_of_invocation is not None:
            await asyncio.shield(self._end_of_invocation)

    async def stop(self) -> None:
        """Ends it as Lambda's shutdown phase does, and removes all of it. A second call does nothing."""
        if self.state is State.STOPPED:
            return
        self._to(State.STOPPED)
        await uninterrupted(self._stop())

    async def _stop(self) -> None:
        if self._end_of_invocation is not None and not self._end_of_invocation.done():
            await asyncio.wait((self._end_of_invocation,), timeout=_LAST_LINES_WITHIN)
            self._end_of_invocation.cancel()
        await self._emulator.stop()
        self._tell(Kind.STOPPED)

    def _to(self, state: State) -> None:
        if state not in _TRANSITIONS[self.state]:
            raise IllegalTransition(f"{self.function}: from {self.state.value} no way leads to {state.value}")
        self.state = state

    def _tell(self, kind: Kind, **facts: object) -> None:
        happening = Happening(kind=kind, environment=self.id, function=self.function, at=time.time(), **facts)  # type: ignore[arg-type]
        self._listener(happening)
