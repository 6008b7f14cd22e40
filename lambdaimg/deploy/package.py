"""Zips of functions for Lambda's own runtimes, from the same source and Dockerfile as their images, without the RIC."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lambdaimg.catalog.languages import Zip
from lambdaimg.deploy import elf
from lambdaimg.deploy.archive import Entries, Entry, from_folder, from_tar, leaves, zipped
from lambdaimg.engine.buildx import Options, Step
from lambdaimg.images.bake import bake_file
from lambdaimg.images.build import baked
from lambdaimg.images.plan import Plan
from lambdaimg.images.render import render
from lambdaimg.images.secrets import build_secrets
from lambdaimg.images.wanted_bases import WantedBases
from lambdaimg.images.write import write_private
from lambdaimg.model import quotas
from lambdaimg.model.errors import ImageUnfit, UsageError
from lambdaimg.model.files import write_whole
from lambdaimg.model.project import Project

FOLDER: Final = ".lambdaimg/package"
"""Where zips go, and what they are built with."""
_MACHINES: Final = {"x86_64": "x86_64", "arm64": "aarch64"}
_STAGE: Final = """
FROM scratch AS lambdaimg-package
COPY --from=function /var/task /task/
"""
_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True)
class Package:
    """A zip that was made. `runtime` is Lambda's own for it; a layer's zip has none. Sizes are bytes."""

    name: str
    file: Path
    runtime: str
    handler: str
    size: int
    unzipped: int


def package(
    project: Project,
    plans: Sequence[Plan],
    bases: WantedBases,
    folder: Path,
    options: Options,
    on_step: Callable[[Step], None],
) -> list[Package]:
    """Makes the zips of functions, and of the layers that they use, in `folder`.

    Raises UsageError for a function that can't be a zip, BuildError, and ImageUnfit with all that Lambda's runtime
    could not run, by name.
    """
    plans = [_for_zip(plan) for plan in plans]
    found = _built(project, plans, bases, options, on_step)
    layers = {name: from_folder(project.root / layer.source) for name, layer in project.layers.items()}
    for plan in plans:
        _check(plan, found[plan.function.name], [layers[name] for name in plan.function.settings.layers])
    used = sorted({name for plan in plans for name in plan.function.settings.layers})
    return [
        *(
            _write(folder, plan.function.name, found[plan.function.name], _runtime(plan), plan.handler)
            for plan in plans
        ),
        *(_write(folder, f"layer-{name}", layers[name]) for name in used),
    ]


def _for_zip(plan: Plan) -> Plan:
    """The same plan, its dependencies resolved for the runtime's platform. Raises UsageError where there is no zip."""
    machine = _MACHINES[plan.architecture]
    more = {key: value.format(machine=machine) for key, value in _zip(plan).arguments.items()}
    build = replace(plan.project.build, args={**plan.project.build.args, **more})
    return replace(plan, project=replace(plan.project, build=build))


def _zip(plan: Plan) -> Zip:
    if plan.template is None:
        raise UsageError(
            f"{plan.function.name} has an image or a Dockerfile of its own, of which no zip can be made",
            remedy="deploy its image instead",
        )
    language = plan.template.language
    if language.zip is None:
        raise UsageError(
            f"{plan.function.name}: there is no zip of a {language.title} function", remedy="deploy its image instead"
        )
    return language.zip


def _runtime(plan: Plan) -> str:
    version = plan.template.runtime.version if plan.template else ""
    return _zip(plan).runtime.format(version=version)


def _built(
    project: Project,
    plans: Sequence[Plan],
    bases: WantedBases,
    options: Options,
    on_step: Callable[[Step], None],
) -> dict[str, dict[str, Entry]]:
    """The files of each function's zip, by the function's name."""
    with tempfile.TemporaryDirectory(prefix="lambdaimg-") as scratch:
        bake = _bake(project, plans, Path(scratch))
        baked(bake, project, bases, options, on_step)
        return {
            plan.function.name: from_tar(Path(scratch, f"{plan.function.name}.tar"), _placing(plan)) for plan in plans
        }


def _bake(project: Project, plans: Sequence[Plan], scratch: Path) -> dict[str, Any]:
    """A bake file whose targets end with the files alone, as tar archives."""
    rendered = [(plan, render(plan, FOLDER)) for plan in plans]
    files = {name: text for _, one in rendered for name, text in one.files.items()}
    for plan, one in rendered:
        files[Path(one.dockerfile).name] += _stage(plan)
    write_private(project.root / FOLDER, files)
    bake = bake_file([(plan, one.dockerfile) for plan, one in rendered], build_secrets(project))
    for name, target in bake["target"].items():
        target |= {"tags": [], "output": [f"type=tar,dest={scratch / name}.tar"]}
    return bake


def _stage(plan: Plan) -> str:
    where = _zip(plan).dependencies
    if not where or plan.template is None or plan.template.dependencies.kind == "none":
        return _STAGE
    return f"{_STAGE}COPY --from=function {where} /dependencies/\n"


def _placing(plan: Plan) -> Callable[[str], str | None]:
    """Where the stage's files lie in the zip; the function's own files come last, and so go over its dependencies."""
    place = _zip(plan).place

    def placed(path: str) -> str | None:
        top, _, rest = path.partition("/")
        if not rest or rest == place:  # the second is the image's link to its dependencies
            return None
        return f"{place}/{rest}".lstrip("/") if top == "dependencies" else rest

    return placed


def _check(plan: Plan, entries: Entries, layers: Iterable[Entries]) -> None:
    name = plan.function.name
    beside = {path.rpartition("/")[2] for path in entries}
    problems = [
        problem
        for path, entry in sorted(entries.items())
        for problem in (
            [f"{path} is a link out of the function's folder"]
            if leaves(path, entry)
            else elf.problems(path, entry.content, plan.architecture, beside)
        )
    ]
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        shown = "\n  ".join([*problems[:_SHOWN], *more])
        packages = " (OS packages are in images alone)" if plan.function.settings.packages else ""
        raise ImageUnfit(
            f"{name} can't run as a zip{packages}:\n  {shown}",
            remedy="take versions with wheels for manylinux_2_34 or older, or deploy the image",
        )
    unzipped = sum(map(_size, [entries, *layers]))
    if unzipped >= quotas.UNZIPPED_BYTES:
        raise ImageUnfit(
            f"{name} has {unzipped} bytes unzipped, its layers included; Lambda takes {quotas.UNZIPPED_BYTES}. "
            f"The largest: {_largest(entries)}",
            remedy="leave out what it does not need, or deploy the image, which may have 10 GB",
        )


def _size(entries: Entries) -> int:
    return sum(len(entry.content) for entry in entries.values())


def _largest(entries: Entries) -> str:
    sizes = Counter[str]()
    for path, entry in entries.items():
        sizes[path.partition("/")[0]] += len(entry.content)
    return ", ".join(f"{name} ({size / 1e6:.0f} MB)" for name, size in sizes.most_common(3))


def _write(folder: Path, name: str, entries: Entries, runtime: str = "", handler: str = "") -> Package:
    content, file = zipped(entries), folder / f"{name}.zip"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(file, content)
    except OSError as error:
        raise UsageError(f"can't write {file}: {error.strerror}", remedy="name another folder with -o") from None
    return Package(name=name, file=file, runtime=runtime, handler=handler, size=len(content), unzipped=_size(entries))
