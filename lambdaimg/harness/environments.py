"""The execution environments of a project's functions, as the runner needs them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lambdaimg.engine.client import Engine
from lambdaimg.harness.runner import Environment, OnLine
from lambdaimg.model.errors import EngineError
from lambdaimg.model.invocation import Invocation
from lambdaimg.model.project import Function, Project
from lambdaimg.model.settings import host_architecture
from lambdaimg.runtime.environment import ExecutionEnvironment
from lambdaimg.runtime.placement import Wishes, settings, under_rie
from lambdaimg.runtime.rie import ensure


@dataclass(frozen=True, kw_only=True)
class ProjectEnvironments:
    """Opens environments of functions whose images are built."""

    engine: Engine
    project: Project
    say: Callable[[str], None]

    @asynccontextmanager
    async def open(self, function: str, variables: Mapping[str, str], on_line: OnLine) -> AsyncIterator[Environment]:
        environment = self._made(self.project.one(function), Wishes(environment=variables), on_line)
        try:
            await asyncio.to_thread(environment.start)
            yield _Warm(environment)
        finally:
            await asyncio.shield(asyncio.to_thread(environment.stop))

    def _made(self, function: Function, wishes: Wishes, on_line: OnLine) -> ExecutionEnvironment:
        image = self.engine.image(self.project.image(function))
        if image is None:
            raise EngineError(f"the engine has lost {self.project.image(function)}", remedy="build it again")
        process = (*image.entrypoint, *image.command)
        binary = ensure(function.settings.architecture or host_architecture(), self.say)
        spec = under_rie(self.project, function, process, binary, wishes)
        return ExecutionEnvironment(self.engine, spec, settings(function, wishes), on_line)


@dataclass(frozen=True, kw_only=False)
class _Warm:
    environment: ExecutionEnvironment

    async def invoke(self, event: bytes) -> Invocation:
        return await asyncio.to_thread(self.environment.invoke, event)
