"""Building what cases need: one build of all functions, and when that fails, the knowledge of which ones failed."""

from collections.abc import Callable, Sequence

from lambdaimg.engine.buildx import Options
from lambdaimg.engine.client import Engine
from lambdaimg.images.bases import pull_named
from lambdaimg.images.build import build as build_images
from lambdaimg.images.build import plans_of
from lambdaimg.images.wanted_bases import WantedBases
from lambdaimg.model.errors import BuildError, EngineError, LambdaimgError, RemoteError
from lambdaimg.model.project import Function, Project

Build = Callable[[Sequence[Function]], object]
"""Provides functions' images. Raises BuildError, or RemoteError for one that can't be pulled."""


def broken_builds(functions: Sequence[Function], build: Build) -> dict[str, LambdaimgError]:
    """Builds all functions together; where that fails, each alone. Returns those that can't be built, and why."""
    try:
        build(functions)
    except (BuildError, EngineError, RemoteError) as error:
        if len(functions) == 1:
            return {functions[0].name: error}
        return {name: why for function in functions for name, why in broken_builds([function], build).items()}
    return {}


def provide_quietly(engine: Engine, project: Project, function: Function) -> None:
    """Has a function's image in the engine, built anew or pulled, without a word.

    Raises BuildError, ProjectError, or RemoteError with the registry's answer.
    """
    if not function.is_built:
        if engine.image(project.image(function)) is None:
            pull_named(engine, project.image(function), function.architecture, lambda _: None)
        return
    bases = WantedBases(lambda: engine, project.registry_mirror, lambda _: None)
    plans = plans_of(project, [function], bases.find)
    build_images(lambda: engine, plans, bases, Options(), lambda _: None)
