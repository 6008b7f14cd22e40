"""The whole of a check: an image is found, inspected, tried out where it can be, and judged."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from lambdaimg.check.static import inspect
from lambdaimg.check.trial import Trial
from lambdaimg.check.verdict import Verdict, judge
from lambdaimg.engine.client import Engine
from lambdaimg.images.inspection.facts import ImageFacts
from lambdaimg.images.rules.rule import Needs, Rule, Subject, Wanted
from lambdaimg.model.project import Function, Project
from lambdaimg.model.settings import BuildSettings, FunctionSettings, ProjectSettings, host_architecture

_MEMORY: Final = 1_024
_TIMEOUT: Final = 30
"""MB, and seconds, for an image of which no project says them."""


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What is asked: which rules, whether the image is run, and with which event (none: the first test case's)."""

    rules: Sequence[Rule[Any]]
    runs: bool
    event: bytes | None
    connect: Callable[[], Engine]
    say: Callable[[str], None]

    def image(self, reference: str) -> Verdict:
        """The verdict on any image. Raises what `static.inspect` and `trying.try_out` raise."""
        facts = inspect(reference, self.connect, "")
        subject = Subject(image=facts, wanted=Wanted(), today=date.today())
        project = _project_of(reference)
        return judge(reference, subject, self.rules, self._trial(facts, project, project.functions[0]))

    def function(self, project: Project, function: Function) -> Verdict:
        """The verdict on a function's image, which is in the engine."""
        settings = function.settings
        facts = inspect(project.image(function), self.connect, function.architecture)
        wanted = Wanted(
            architecture=function.architecture,
            environment=settings.environment,
            entrypoint=settings.entrypoint,
            command=settings.command,
            working_directory=settings.working_directory,
        )
        subject = Subject(image=facts, wanted=wanted, today=date.today())
        return judge(function.name, subject, self.rules, self._trial(facts, project, function))

    def _trial(self, facts: ImageFacts, project: Project, function: Function) -> Trial | None:
        """A trial; None where the image can't be run here, or no rule asks for it."""
        wanted = self.runs and any(rule.needs is Needs.RUN for rule in self.rules)
        own = facts.configuration.architecture == host_architecture()
        can_start = facts.configuration.entrypoint or facts.configuration.command or function.settings.entrypoint
        if not (wanted and own and facts.source == "engine" and can_start):
            return None
        return asyncio.run(self._tried(project, function))

    async def _tried(self, project: Project, function: Function) -> Trial:
        from lambdaimg.check.trying import try_out  # what runs containers takes long to import
        from lambdaimg.runtime.factory import EnvironmentFactory, Options
        from lambdaimg.runtime.sweep import sweep

        engine = self.connect()
        sweep(engine)
        event = self.event if self.event is not None else _first_event(project, function)
        with EnvironmentFactory(engine, project, Options(keeps_tmp=False), self.say) as factory:
            return await try_out(engine, project, function, factory, event)


def _project_of(reference: str) -> Project:
    """A project of one function that is an image, in the working folder."""
    settings = FunctionSettings(image=reference, memory=_MEMORY, timeout=_TIMEOUT)
    return Project(
        file=Path.cwd() / "lambdaimg.toml",
        name="check",
        region=ProjectSettings().region,
        registry_mirror="",
        build=BuildSettings(),
        functions=(Function(name="image", settings=settings, origins={}),),
    )


def _first_event(project: Project, function: Function) -> bytes:
    """The event of the function's first test case; `{}` without one."""
    from lambdaimg.model import case_files

    cases = case_files.load(project, (function,))
    return cases[0].steps[0].event if cases else b"{}"
