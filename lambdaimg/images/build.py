"""Building: every function as a target of one bake graph; nothing is left dangling."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from lambdaimg.catalog import languages
from lambdaimg.catalog.bases import BaseImage
from lambdaimg.engine import buildx, labels
from lambdaimg.engine.buildx import Options, Step
from lambdaimg.images.architectures import explained
from lambdaimg.images.bake import bake_file
from lambdaimg.images.plan import BUILD_FOLDER, Plan, base_name, builder_name, check_sources, plan
from lambdaimg.images.render import render
from lambdaimg.images.secrets import build_secrets
from lambdaimg.images.wanted_bases import BaseMissing, WantedBases
from lambdaimg.images.write import write_private
from lambdaimg.model.errors import BuildError
from lambdaimg.model.project import Function, Project
from lambdaimg.model.settings import host_architecture

if TYPE_CHECKING:
    from lambdaimg.engine.client import Engine

_RECORD: Final = "images.json"


@dataclass(frozen=True, kw_only=True)
class Built:
    """An image that was built.

    `size` is bytes; `seconds` the time of the whole build; `changed`: not as the last build in this folder left it.
    """

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
    if function.settings.dockerfile or not function.is_built:
        return plan(project, function)
    architecture = function.architecture
    base = base_of(base_name(function), architecture)
    builder = builder_name(function, base)
    if not builder:
        return plan(project, function, base)
    crosses = languages.read(function.settings.language).builder is not None
    return plan(project, function, base, base_of(builder, host_architecture() if crosses else architecture))


def build(
    connect: "Callable[[], Engine]",
    plans: Sequence[Plan],
    bases: WantedBases,
    options: Options,
    on_step: Callable[[Step], None],
) -> list[Built]:
    """Builds the images of all plans, in parallel, and removes the images that they replace.

    Raises BuildError with the failing step's output, or for a base that can't be had.
    """
    project = plans[0].project
    last = _read_record(project)
    bake = _write(plans)
    start = time.monotonic()
    try:
        ids = baked(bake, project, bases, options, on_step)
    except BuildError as error:
        raise explained(error, connect, bases) from None
    seconds = time.monotonic() - start
    _write_record(project, {**last, **ids})
    engine = connect()
    for each in plans:
        if last.get(each.function.name) != ids[each.function.name]:
            remove_replaced(engine, project, each.function)
    return [_built(engine, each, ids[each.function.name], seconds, last) for each in plans]


def baked(
    bake_file: Mapping[str, Any],
    project: Project,
    bases: WantedBases,
    options: Options,
    on_step: Callable[[Step], None],
) -> dict[str, str]:
    """Builds a bake file's targets, whose bases are provided where they are missing; returns the image ids."""
    try:
        return buildx.bake(bake_file, project.root, options, on_step, bases.check)
    except BaseMissing:
        bases.provide()
        return buildx.bake(bake_file, project.root, options, on_step)


def _built(engine: "Engine", plan: Plan, id: str, seconds: float, last: Mapping[str, str]) -> Built:
    name = plan.project.image(plan.function)
    image = engine.image(name)  # the id that another machine's builder tells may not be the engine's own
    return Built(
        function=plan.function.name,
        image=name,
        id=image.id if image else id,
        size=image.size if image else 0,
        seconds=seconds,
        changed=last.get(plan.function.name) != id,
    )


def _write(plans: Sequence[Plan]) -> dict[str, Any]:
    """Renders all plans into the project's build folder; returns the bake file's data."""
    project = plans[0].project
    rendered = [(each, render(each, BUILD_FOLDER)) for each in plans]
    write_private(project.root / BUILD_FOLDER, {name: text for _, one in rendered for name, text in one.files.items()})
    return bake_file([(each, one.dockerfile) for each, one in rendered], build_secrets(project))


def _read_record(project: Project) -> dict[str, str]:
    """The image id that each function's last build in this folder gave."""
    try:
        record = json.loads((project.root / BUILD_FOLDER / _RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _write_record(project: Project, ids: Mapping[str, str]) -> None:
    write_private(project.root / BUILD_FOLDER, {_RECORD: json.dumps(ids, indent=2) + "\n"})


def remove_replaced(engine: "Engine", project: Project, function: Function) -> None:
    """Removes the nameless images that earlier builds of a function left, save those that a container uses."""
    mine = {labels.PROJECT: project.name, labels.FUNCTION: function.name}
    for image in engine.images(mine, dangling=True):
        engine.remove_image(image)
