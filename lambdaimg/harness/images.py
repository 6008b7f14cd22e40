"""Building what cases need: one build of all functions, and when that fails, the knowledge of which ones failed."""

from collections.abc import Callable, Sequence

from lambdaimg.engine.buildx import Options
from lambdaimg.engine.client import Engine
from lambdaimg.images.build import build as build_images
from lambdaimg.images.build import plans_of
from lambdaimg.images.wanted_bases import WantedBases
from lambdaimg.model.errors import BuildError
from lambdaimg.model.project import Function, Project

Build = Callable[[Sequence[Function]], object]
"""Builds functions' images. Raises BuildError."""


def broken_builds(functions: Sequence[Function], build: Build) -> dict[str, BuildError]:
    """Builds all functions together; where that fails, each alone. Returns those that can't be built, and why."""
    try:
        build(functions)
    except BuildError as error:
        if len(functions) == 1:
            return {functions[0].name: error}
        return {name: why for function in functions for name, why in broken_builds([function], build).items()}
    return {}


def build_quietly(engine: Engine, project: Project, functions: Sequence[Function]) -> None:
    """Builds functions' images without a word. Raises BuildError, ProjectError."""
    bases = WantedBases(lambda: engine, project.registry_mirror, lambda _: None)
    plans = plans_of(project, functions, bases.find)
    build_images(lambda: engine, plans, bases, Options(), lambda _: None)
