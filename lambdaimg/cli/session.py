"""What every command starts from: the global options, and the project and engine they lead to."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambdaimg.model.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from lambdaimg.catalog.bases import BaseImage
    from lambdaimg.engine.buildx import Options
    from lambdaimg.engine.client import Engine
    from lambdaimg.images.build import Built
    from lambdaimg.images.plan import Plan
    from lambdaimg.model.project import Function, Project


@dataclass(kw_only=True)
class Session:
    """The global options of one call, and what they lead to; project and engine are made when first asked for."""

    config: Path | None
    log_level: str
    color: str

    @cached_property
    def project(self) -> "Project":
        """The project of this call: --config, or the nearest one. Raises ProjectError."""
        from lambdaimg.catalog import languages
        from lambdaimg.model import project_file

        return project_file.load(self.config or project_file.find(Path.cwd()), languages=languages.names())

    @cached_property
    def engine(self) -> "Engine":
        """The container engine. Raises EngineUnavailable."""
        from lambdaimg.engine.client import connect

        return connect()

    def base(self, name: str, architecture: str) -> "BaseImage":
        """A base, in the engine and known. Raises BuildError when it can't be had."""
        from lambdaimg.images.bases import provide

        return provide(self.engine, name, architecture, self.project.registry_mirror, self.say)

    def process_of(self, plan: "Plan") -> tuple[str, ...]:
        """The entrypoint and command of a function's image: the template's, or the built image's own.

        Raises UsageError when only an image could tell, and it is not built.
        """
        from lambdaimg.runtime.placement import process_of

        if plan.process:
            return plan.process
        image = self.engine.image(plan.project.image(plan.function))
        if image is None:
            raise UsageError(
                f"{plan.function.name} has its own Dockerfile, and only its image knows the entrypoint",
                remedy=f"build it first: lambdaimg build {plan.function.name}",
            )
        return process_of(plan.function, image).words

    def provide_image(self, function: "Function") -> None:
        """Has a function's image in the engine; see `provide_images`."""
        self.provide_images((function,))

    def provide_images(self, functions: "Sequence[Function]") -> None:
        """Has functions' images in the engine: built where they are missing, or pulled where the project names one.

        Raises BuildError, or RemoteError with the registry's answer.
        """
        from lambdaimg.images.bases import pull_named

        missing = [each for each in functions if self.engine.image(self.project.image(each)) is None]
        built = [function for function in missing if function.is_built]
        for function in built:
            self.say(f"{self.project.image(function)} is not built yet: building it")
        if built:
            self.build(built)
        for function in missing:
            if not function.is_built:
                pull_named(self.engine, self.project.image(function), function.architecture, self.say)

    def build(self, functions: "Sequence[Function]", options: "Options | None" = None) -> "list[Built]":
        """Builds functions' images, with progress, but for those that the project merely names. Raises BuildError."""
        from lambdaimg.cli.progress import BuildProgress
        from lambdaimg.engine.buildx import Options
        from lambdaimg.images.build import build, plans_of
        from lambdaimg.images.wanted_bases import WantedBases

        bases = WantedBases(lambda: self.engine, self.project.registry_mirror, self.say)
        built = [function for function in functions if function.is_built]
        plans = plans_of(self.project, built, bases.find)
        if not plans:
            return []
        for warning in (warning for plan in plans for warning in plan.warnings):
            self.warn(warning)
        with BuildProgress(self, [plan.function.name for plan in plans]) as progress:
            return build(lambda: self.engine, plans, bases, options or Options(), progress.step)

    @property
    def colored(self) -> bool:
        """Whether stderr gets colours."""
        if self.color == "auto":
            return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        return self.color == "always"

    @property
    def live(self) -> bool:
        """Whether stderr can show live progress; known without the library that draws it."""
        return sys.stderr.isatty() or self.color == "always"

    @property
    def colored_output(self) -> bool:
        """Whether stdout gets colours."""
        if self.color == "auto":
            return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        return self.color == "always"

    @cached_property
    def console(self) -> "Console":
        """stderr, for tables and live progress."""
        from rich.console import Console

        force = None if self.color == "auto" else self.color == "always"
        return Console(stderr=True, force_terminal=force, no_color=not self.colored, highlight=False, soft_wrap=True)

    def log_line(self, line: str) -> None:
        """One line of a function's log, on stderr."""
        click.echo(line, err=True)

    def say(self, text: str) -> None:
        """One line of progress, on stderr."""
        if self.log_level != "error":
            click.echo(text, err=True)

    def warn(self, text: str) -> None:
        click.echo(click.style("warning: ", fg="yellow") + text, err=True, color=self.colored)


pass_session = click.make_pass_decorator(Session)
