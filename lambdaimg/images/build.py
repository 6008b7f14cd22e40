"""Building: every function as a target of one bake graph; nothing is left dangling."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from lambdaimg.catalog import languages
from lambdaimg.catalog.bases import BaseImage
from lambdaimg.engine import buildx, labels
from lambdaimg.engine.buildx import Options, Step
from lambdaimg.images import last_build
from lambdaimg.images.bake import bake_file
from lambdaimg.images.failures import explained
from lambdaimg.images.last_build import LastBuild
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
    last = last_build.read(project)
    targets, stamps = _write(plans, options)
    start = time.monotonic()
    alike = [plan for plan in plans if not options.no_cache and _is_alike(last, stamps, plan.function.name)]
    same = _still_there(connect, alike, bases, last)
    fresh = {name: target for name, target in targets.items() if name not in same}
    try:
        ids = baked({"target": fresh}, project, bases, options, on_step) if fresh else {}
    except BuildError as error:
        raise explained(error, connect, bases) from None
    seconds = time.monotonic() - start
    engine = connect()
    found = [_built(engine, each, ids, seconds, last) for each in plans]
    made = {
        one.function: LastBuild(id=one.id, stamp=stamps[one.function], bases=_bases_of(each, bases))
        for each, one in zip(plans, found, strict=True)
    }
    last_build.write(project, {**last, **made})
    for each, one in zip(plans, found, strict=True):
        if one.changed:
            remove_replaced(engine, project, each.function)
    return found


def _is_alike(last: Mapping[str, LastBuild], stamps: Mapping[str, str], function: str) -> bool:
    return bool(stamps[function]) and function in last and last[function].stamp == stamps[function]


def _still_there(
    connect: "Callable[[], Engine]", plans: Sequence[Plan], bases: WantedBases, last: Mapping[str, LastBuild]
) -> set[str]:
    """The functions, of those made from the same, whose image and bases are the engine's as they were."""
    if not plans:
        return set()
    try:
        bases.check()
    except BaseMissing:
        return set()
    return {plan.function.name for plan in plans if _is_there(connect(), plan, bases, last[plan.function.name])}


def _is_there(engine: "Engine", plan: Plan, bases: WantedBases, last: LastBuild) -> bool:
    image = engine.image(plan.project.image(plan.function))
    return image is not None and image.id == last.id and last.bases == _bases_of(plan, bases)


def _bases_of(plan: Plan, bases: WantedBases) -> dict[str, str]:
    """The ids of the images that a function's is built from, by reference; of its own Dockerfile, nobody knows."""
    used = {plan.template.base.reference, plan.template.builder.reference} if plan.template else set()
    return {reference: bases.ids.get(reference, "") for reference in sorted(used)}


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


def _built(
    engine: "Engine", plan: Plan, ids: Mapping[str, str], seconds: float, last: Mapping[str, LastBuild]
) -> Built:
    function, name = plan.function.name, plan.project.image(plan.function)
    image = engine.image(name)  # the id that another machine's builder tells may not be the engine's own
    id = image.id if image else ids[function]
    return Built(
        function=function,
        image=name,
        id=id,
        size=image.size if image else 0,
        seconds=seconds,
        changed=function not in last or last[function].id != id,
    )


def _write(plans: Sequence[Plan], options: Options) -> tuple[dict[str, Any], dict[str, str]]:
    """Renders all plans into the project's build folder; returns their bake targets, and their stamps."""
    project = plans[0].project
    rendered = [(each, render(each, BUILD_FOLDER)) for each in plans]
    write_private(project.root / BUILD_FOLDER, {name: text for _, one in rendered for name, text in one.files.items()})
    dockerfiles = [(each, one.dockerfile) for each, one in rendered]
    targets: dict[str, Any] = bake_file(dockerfiles, build_secrets(project))["target"]
    names = [each.function.name for each in plans]
    stamps = {
        name: last_build.stamp(each, one, targets[name], options)
        for name, (each, one) in zip(names, rendered, strict=True)
    }
    return targets, stamps


def remove_replaced(engine: "Engine", project: Project, function: Function) -> None:
    """Removes the nameless images that earlier builds of a function left, save those that a container uses."""
    mine = {labels.PROJECT: project.name, labels.FUNCTION: function.name}
    for image in engine.images(mine, dangling=True):
        engine.remove_image(image)
