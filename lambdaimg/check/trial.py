"""A trial of an image: it is started as Lambda starts it, invoked twice, looked into, and asked to end."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from lambdaimg.check import import_times
from lambdaimg.check.inside import Inside, look
from lambdaimg.engine import labels
from lambdaimg.engine.client import Engine
from lambdaimg.model import quotas
from lambdaimg.model.errors import EngineError
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.model.project import Function, Project
from lambdaimg.runtime.emulator import Happening, Kind
from lambdaimg.runtime.environment import ExecutionEnvironment
from lambdaimg.runtime.factory import EnvironmentFactory
from lambdaimg.runtime.placement import Wishes

SLOW_INIT_MS: Final = 2_000
"""From here on it is asked what the init phase spends its time on."""
_END_WITHIN: Final = 2.0
"""Seconds from SIGTERM to SIGKILL, the most that Lambda gives ("lifecycle", "Shutdown phase")."""
_POLL: Final = 0.02


@dataclass(frozen=True, kw_only=True)
class Try:
    """One environment: its init phase and its answers. `init_error` is Lambda's type of the error that ended it."""

    init_ms: float | None
    init_error: str
    answers: tuple[Invocation, ...]
    log: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What was seen. `memory` is the function's setting in MB.

    `inside` are three looks: after the init phase, the first, and the second invocation; each None where the image
    has no shell to look with. `code` is the one that the process ended with after SIGTERM, None when it had to be
    killed. `unbound` is the same image without the sandbox, as root; `written` are the paths that it wrote then, None
    where the engine doesn't say.
    `loaded` is what a slow init phase loads, the slowest first, with its ms.
    """

    memory: int
    bound: Try
    inside: tuple[Inside | None, ...]
    code: int | None
    unbound: Try
    written: tuple[str, ...] | None
    loaded: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a trial measured. Times are ms, memory MB; `advised_memory` leaves a quarter free."""

    init_ms: float | None
    durations_ms: tuple[float, ...]
    memory: int
    max_memory_used: int
    advised_memory: int


def figures_of(trial: Trial) -> Figures:
    reports = [answer.report for answer in trial.bound.answers if answer.report]
    most = max((report.max_memory_used or 0 for report in reports), default=0)
    return Figures(
        init_ms=trial.bound.init_ms,
        durations_ms=tuple(report.duration_ms for report in reports),
        memory=trial.memory,
        max_memory_used=most,
        advised_memory=min(max(-(-most * 5 // 4 // 64) * 64, quotas.MEMORY.least), quotas.MEMORY.most),
    )


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
            self._engine.send_signal(container, "SIGTERM")
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
