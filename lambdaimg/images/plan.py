"""All that is known before a function's image is rendered: the project's words, the catalog's facts, the source."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from lambdaimg.catalog import languages
from lambdaimg.catalog.bases import BaseImage, Runtime
from lambdaimg.catalog.languages import Language, Ric
from lambdaimg.images.dependencies import Dependencies, detect
from lambdaimg.images.handler import handler_warning
from lambdaimg.images.secrets import Secret
from lambdaimg.model.errors import Problem, ProjectError
from lambdaimg.model.project import Function, Project

BUILD_FOLDER: Final = ".lambdaimg/build"
"""Where `build` writes what it renders, in the project's folder; nobody edits it."""


@dataclass(frozen=True, kw_only=True)
class TemplatePlan:
    """What a template is rendered with."""

    language: Language
    base: BaseImage
    builder: BaseImage
    """Where the stages run that make what goes into the image; often the base itself."""
    runtime: Runtime
    ric: Ric
    dependencies: Dependencies


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one function's image is to be made. `template` is None where the user's own Dockerfile is used."""

    project: Project
    function: Function
    handler: str
    architecture: str
    template: TemplatePlan | None

    @property
    def warnings(self) -> list[str]:
        """What the user should know before the build, each beginning with the function's name."""
        if self.template is None:
            return []
        found = (
            _deprecation(self.template.base),
            self.template.ric.warning,
            self.template.dependencies.warning,
            handler_warning(self.project, self.function, self.handler),
        )
        return [f"{self.function.name}: {text}" for text in found if text]

    @property
    def process(self) -> tuple[str, ...]:
        """The image's entrypoint and command; empty where only the image knows (a Dockerfile of the user's own)."""
        if self.template is None:
            return ()
        settings = self.function.settings
        return (*(settings.entrypoint or entrypoint_of(self.template)), *(settings.command or (self.handler,)))


def _deprecation(base: BaseImage) -> str:
    if base.deprecated is None or base.deprecated > date.today():
        return ""
    return (
        f"AWS no longer keeps {base.reference} up since {base.deprecated}: choose a newer one (`lambdaimg base list`)"
    )


def entrypoint_of(template: TemplatePlan) -> tuple[str, ...]:
    """The entrypoint that the template writes: the base's own where it brings the RIC, else the RIC."""
    if template.runtime.entrypoint:
        return template.runtime.entrypoint
    return tuple(word.format(executable=template.runtime.executable) for word in template.language.entrypoint)


def secrets_for(plan: Plan, secrets: Iterable[Secret]) -> list[Secret]:
    """The secrets that a function's build may mount: not the configuration of other languages' package managers."""
    if plan.template is None:
        return list(secrets)
    others = {name for language in languages.names() for name in languages.read(language).secrets}
    unused = others - set(plan.template.language.secrets)
    return [secret for secret in secrets if secret.id not in unused]


def check_sources(project: Project, functions: Iterable[Function]) -> None:
    """Raises ProjectError, naming every function whose source, Dockerfile or template is not there."""
    problems = [problem for function in functions for problem in _source_problems(project, function)]
    if problems:
        raise ProjectError("the project's files are not complete:", problems=problems)


def _source_problems(project: Project, function: Function) -> list[Problem]:
    settings, root = function.settings, project.root
    problems: list[Problem] = []
    if settings.image:
        return problems
    for key, file in (("dockerfile", settings.dockerfile), ("template", settings.template)):
        if file and not (root / file).is_file():
            where = f"{function.origins[key]}: functions.{function.name}.{key}"
            problems.append(Problem(where=where, what=f"there is no file {file!r} in {root}"))
    if settings.dockerfile:
        return problems
    for layer in project.layers_of(function):
        if not (root / layer.source).is_dir():
            where = f"{project.file.name}: layers.{layer.name}.source"
            problems.append(Problem(where=where, what=f"there is no folder {layer.source!r} in {root}"))
    source = root / function.source
    if not source.is_dir():
        what, remedy = f"there is no folder {function.source!r} in {root}", "make it, or set source"
    elif not source.resolve().is_relative_to(root.resolve()):
        what, remedy = f"{function.source!r} leads out of the project, where no build can follow", "move it inside"
    elif not any(entry.is_file() for entry in source.rglob("*")):
        what, remedy = f"the folder {function.source!r} is empty", "put the function's code there"
    else:
        return problems
    where = f"{_origin(project, function)}: functions.{function.name}.source"
    return [*problems, Problem(where=where, what=what, remedy=remedy)]


def _origin(project: Project, function: Function) -> str:
    origin = function.origins["source"]
    return project.file.name if origin == "default" else origin


def base_name(function: Function) -> str:
    """The base that a function is built onto: a catalog name or an image reference."""
    return function.settings.base or languages.read(function.settings.language).default_base


def builder_name(function: Function, base: BaseImage) -> str:
    """The base that builds for another: the language's, which compiles for all, or the base's; empty for itself."""
    builder = languages.read(function.settings.language).builder
    return builder.base if builder else base.builder


def plan(project: Project, function: Function, base: BaseImage | None = None, builder: BaseImage | None = None) -> Plan:
    """The plan for a function on a base; without one, for a Dockerfile of the user's own.

    Raises ProjectError when the base can't run the language, or isn't there for the architecture.
    """
    settings = function.settings
    language = languages.read(settings.language) if settings.language else None
    template = None
    if base is not None and language is not None:
        runtime = _runtime(function, base, language)
        template = TemplatePlan(
            language=language,
            base=base,
            builder=builder or base,
            runtime=runtime,
            ric=language.ric(runtime.version, (builder or base).package_manager, settings.ric_version),
            dependencies=detect(project, function),
        )
    architecture = function.architecture
    if base is not None and architecture not in base.architectures:
        raise ProjectError(f"{function.name}: {base.reference} is not there for {architecture}")
    return Plan(
        project=project,
        function=function,
        handler=settings.handler or (language.handler if language else ""),
        architecture=architecture,
        template=template,
    )


def _runtime(function: Function, base: BaseImage, language: Language) -> Runtime:
    found = language.runtime(base)
    if found is None:
        raise ProjectError(
            f"{function.name}: the base {base.name or base.reference} has no {language.title}, "
            "and lambdaimg doesn't know how its packages bring it",
            remedy=f"choose a base that has it (`lambdaimg base list`), such as {language.default_base}",
        )
    return found
