"""Building: every function as a target of one bake graph; nothing is left dangling."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdaimg.catalog import languages
from lambdaimg.catalog.bases import BaseImage
from lambdaimg.engine import buildx, labels
from lambdaimg.engine.buildx import Options, Step
from lambdaimg.engine.client import Engine
from lambdaimg.images.bake import bake_file
from lambdaimg.images.plan import BUILD_FOLDER, Plan, architecture_of, base_name, builder_name, check_sources, plan
from lambdaimg.images.render import render
from lambdaimg.images.secrets import build_secrets
from lambdaimg.images.write import write_private
from lambdaimg.model.project import Function, Project
from lambdaimg.model.settings import host_architecture


@dataclass(frozen=True, kw_only=True)
class Built:
    """An image that was built. `size` is bytes; `seconds` the time of the whole build; `changed`: not as before."""

    function: str
    image: str
    id: str
    size: int
    seconds: float
    changed: bool


BaseOf = Callable[[str, str], BaseImage]
"""Gives the base of a name and an architecture."""


def plans_of(project: Project, functions: Sequence[Function], base_of: BaseOf) -> list[Plan]:
    """The plans of functions, each base asked for once.

    Raises ProjectError for sources that are not there, and what `base_of` raises.
    """
    check_sources(project, functions)
    once = cache(base_of)
    return [_plan(project, function, once) for function in functions]


def _plan(project: Project, function: Function, base_of: BaseOf) -> Plan:
    """A language that compiles for every base does so on this machine's own architecture."""
    if function.settings.dockerfile:
        return plan(project, function)
    architecture = architecture_of(function)
    base = base_of(base_name(function), architecture)
    builder = builder_name(function, base)
    if not builder:
        return plan(project, function, base)
    crosses = languages.read(function.settings.language).builder is not None
    return plan(project, function, base, base_of(builder, host_architecture() if crosses else architecture))


def build(engine: Engine, plans: Sequence[Plan], options: Options, on_step: Callable[[Step], None]) -> list[Built]:
    """Builds the images of all plans, in parallel, and removes the images that they replace.

    The bases must be in the engine.

    Raises BuildError with the failing step's output.
    """
    project = plans[0].project
    before = {each.function.name: engine.image(project.image(each.function)) for each in plans}
    bake = _write(plans)
    start = time.monotonic()
    ids = buildx.bake(bake, project.root, options, on_step)
    seconds = time.monotonic() - start
    built = []
    for each in plans:
        name = project.image(each.function)
        image, old = engine.image(ids[each.function.name]), before[each.function.name]
        changed = old is None or old.id != ids[each.function.name]
        if old is not None and changed:
            remove_replaced(engine, project, each.function)
        built.append(
            Built(
                function=each.function.name,
                image=name,
                id=ids[each.function.name],
                size=image.size if image else 0,
                seconds=seconds,
                changed=changed,
            )
        )
    return built


def _write(plans: Sequence[Plan]) -> dict[str, Any]:
    """Renders all plans into the project's build folder; returns the bake file's data."""
    project = plans[0].project
    rendered = [(each, render(each, BUILD_FOLDER)) for each in plans]
    write_private(project.root / BUILD_FOLDER, {name: text for _, one in rendered for name, text in one.files.items()})
    return bake_file([(each, one.dockerfile) for each, one in rendered], build_secrets(project))


def remove_replaced(engine: Engine, project: Project, function: Function) -> None:
    """Removes the nameless images that earlier builds of a function left, save those that a container uses."""
    mine = {labels.PROJECT: project.name, labels.FUNCTION: function.name}
    for image in engine.images(mine, dangling=True):
        engine.remove_image(image)
