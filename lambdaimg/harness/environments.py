"""The execution environments of a project's functions, as the runner needs them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lambdaimg.harness.runner import Environment, OnLine
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.model.project import Project
from lambdaimg.runtime.environment import ExecutionEnvironment
from lambdaimg.runtime.factory import EnvironmentFactory
from lambdaimg.runtime.placement import Wishes


@dataclass(frozen=True, kw_only=True)
class ProjectEnvironments:
    """Opens environments of functions whose images are built."""

    factory: EnvironmentFactory
    project: Project

    @asynccontextmanager
    async def open(self, function: str, variables: Mapping[str, str], on_line: OnLine) -> AsyncIterator[Environment]:
        wishes = Wishes(environment=variables)
        async with self.factory.make(self.project.one(function), wishes, on_line) as environment:
            yield _Warm(environment)


@dataclass(frozen=True, kw_only=False)
class _Warm:
    environment: ExecutionEnvironment

    async def invoke(self, event: bytes) -> Invocation:
        return await self.environment.invoke(Request(event=event, whole_log=True))
