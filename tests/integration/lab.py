"""Environments of functions that do as they are told (`obedient/`), driven directly, with all that happens to them."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from lambdaimg.engine.client import Engine
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.model.project import Function, Project
from lambdaimg.runtime.emulator import Happening, Kind
from lambdaimg.runtime.environment import ExecutionEnvironment
from lambdaimg.runtime.factory import EnvironmentFactory, Options
from lambdaimg.runtime.placement import Wishes

OBEDIENT: Final = Path(__file__).parent / "obedient"
PROJECT: Final = """
[defaults]
memory = 256
timeout = 10
[functions.python]
language = "python"
[functions.nodejs]
language = "nodejs"
base = "node-24-slim"
[functions.bash]
language = "custom"
packages = ["curl"]
"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An invocation as a test looks at it."""

    payload: Any
    invocation: Invocation

    @property
    def error(self) -> tuple[str, str]:
        """Lambda's error type and message; the test fails for an answer that is no error."""
        assert self.invocation.function_error, self.payload
        return self.payload["errorType"], self.payload["errorMessage"]

    @property
    def log(self) -> list[str]:
        """The lines between START and END."""
        lines = self.invocation.log
        return list(lines[1:-2])

    @property
    def report(self) -> str:
        return self.invocation.log[-1]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One environment of a test: what it has printed, and what has happened to it."""

    environment: ExecutionEnvironment
    lines: list[str] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)

    async def invoke(self, event: Any = None, **more: Any) -> Answer:
        invocation = await self.environment.invoke(Request(event=json.dumps(event).encode(), whole_log=True, **more))
        return Answer(payload=json.loads(invocation.payload), invocation=invocation)

    async def do(self, deed: str, what: Any = None, **more: Any) -> Answer:
        return await self.invoke({"do": deed, "with": what}, **more)

    @property
    def kinds(self) -> list[Kind]:
        return [happening.kind for happening in self.happenings]


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A project of functions that are built, one in each language."""

    engine: Engine
    project: Project

    def function(self, language: str, **settings: Any) -> Function:
        function = self.project.one(language)
        return replace(function, settings=replace(function.settings, **settings))

    @asynccontextmanager
    async def stage(
        self,
        language: str,
        variables: Mapping[str, str] | None = None,
        *,
        freeze: bool = False,
        lines: list[str] | None = None,
        **settings: Any,
    ) -> AsyncIterator[Stage]:
        """An environment that has started, and is gone afterwards."""
        with EnvironmentFactory(self.engine, self.project, Options(freeze=freeze), print) as factory:
            lines = [] if lines is None else lines
            happenings: list[Happening] = []
            wishes = Wishes(environment=variables or {})
            function = self.function(language, **settings)
            environment = factory.make(function, wishes, lines.append, happenings.append)
            async with environment:
                yield Stage(environment=environment, lines=lines, happenings=happenings)
