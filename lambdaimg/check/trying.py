"""Trying out an image: it is started as Lambda starts it, invoked twice, looked into, and asked to end."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from lambdaimg.check import import_times
from lambdaimg.check.inside import Inside, look
from lambdaimg.check.trial import SLOW_INIT_MS, Trial, Try
from lambdaimg.engine import labels
from lambdaimg.engine.client import Engine
from lambdaimg.model.errors import EngineError
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.model.project import Function, Project
from lambdaimg.runtime.emulator import Happening, Kind
from lambdaimg.runtime.environment import ExecutionEnvironment
from lambdaimg.runtime.factory import EnvironmentFactory
from lambdaimg.runtime.placement import Wishes

_END_WITHIN: Final = 2.0
"""Seconds from SIGTERM to SIGKILL, the most that Lambda gives ("lifecycle", "Shutdown phase")."""
_POLL: Final = 0.02


async def try_out(
    engine: Engine, project: Project, function: Function, factory: EnvironmentFactory, event: bytes
) -> Trial:
    """Runs a function's image, which is in the engine. Raises EnvironmentFailed when no container can be started."""
    trying = _Trying(engine, project, function, factory, event)
    bound, inside, code = await trying.bound()
    unbound, written = await trying.unbound()
    slow = bound.init_ms is None or bound.init_ms > SLOW_INIT_MS
    return Trial(
        memory=function.settings.memory,
        bound=bound,
        inside=inside,
        code=code,
        unbound=unbound,
        written=written,
        loaded=await trying.loaded() if slow else (),
    )


class _Trying:
    """The environments of one trial, one after the other."""

    def __init__(
        self, engine: Engine, project: Project, function: Function, factory: EnvironmentFactory, event: bytes
    ) -> None:
        self._engine = engine
        self._project = project
        self._function = function
        self._factory = factory
        self._event = event

    async def bound(self) -> tuple[Try, tuple[Inside | None, ...], int | None]:
        """In the sandbox: twice invoked, three times looked into, and ended by SIGTERM."""
        async with self._environment(Wishes()) as (environment, notes):
            inside = [await self._look()]
            for _ in range(2):
                notes.answers.append(await self._invoke(environment))
                inside.append(await self._look())
            code = await asyncio.to_thread(self._end)
        return notes.as_try(), tuple(inside), code

    async def unbound(self) -> tuple[Try, tuple[str, ...] | None]:
        """Without the sandbox, invoked once; and what was written."""
        async with self._environment(Wishes(unsandboxed=True)) as (environment, notes):
            notes.answers.append(await self._invoke(environment))
            written = await asyncio.to_thread(self._written)
        return notes.as_try(), written

    def _written(self) -> tuple[str, ...] | None:
        container = self._container()
        with contextlib.suppress(EngineError):  # engines have been seen to lose a mount while they compare
            return tuple(self._engine.changes(container)) if container else None
        return None

    async def loaded(self) -> tuple[tuple[str, float], ...]:
        """What the init phase loads, by the account of the language's own runtime."""
        async with self._environment(Wishes(environment=import_times.VARIABLES)) as (environment, notes):
            await self._invoke(environment)
        return import_times.read(notes.log)

    @asynccontextmanager
    async def _environment(self, wishes: Wishes) -> "AsyncIterator[tuple[ExecutionEnvironment, _Notes]]":
        notes = _Notes()
        environment = self._factory.make(self._function, wishes, notes.log.append, notes.hear)
        async with environment:
            yield environment, notes

    async def _invoke(self, environment: ExecutionEnvironment) -> Invocation:
        return await environment.invoke(Request(event=self._event, whole_log=True))

    def _container(self) -> str:
        """The container of the environment that runs; empty when it has ended."""
        mine = labels.made_for(self._project, self._function, "environment")
        return next((each.id for each in self._engine.containers(mine) if each.running), "")

    async def _look(self) -> Inside | None:
        container = self._container()
        return await asyncio.to_thread(look, self._engine, container) if container else None

    def _end(self) -> int | None:
        """Sends SIGTERM and waits; the code that the process ends with, None when it doesn't in time."""
        container = self._container()
        if not container:
            return 0
        deadline = time.monotonic() + _END_WITHIN
        with contextlib.suppress(EngineError):  # it has ended by itself
            self._engine.signal(container, "SIGTERM")
        while time.monotonic() < deadline:
            code = self._engine.exit_code(container)
            if code is not None:
                return code
            time.sleep(_POLL)
        return None


class _Notes:
    """What happens in one environment."""

    def __init__(self) -> None:
        self.answers: list[Invocation] = []
        self.log: list[str] = []
        self._init_ms: float | None = None
        self._init_error = ""

    def hear(self, happening: Happening) -> None:
        if happening.kind is Kind.READY and self._init_ms is None:
            self._init_ms = happening.init_ms
        if happening.kind is Kind.FAILED and not happening.request_id:
            self._init_error = self._init_error or happening.error_type

    def as_try(self) -> Try:
        return Try(init_ms=self._init_ms, init_error=self._init_error, answers=tuple(self.answers), log=tuple(self.log))
