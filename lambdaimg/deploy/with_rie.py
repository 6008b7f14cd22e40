"""A function's image with the emulator in it: a thin image on top, for places where nothing can be mounted."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from lambdaimg.engine import buildx
from lambdaimg.engine.buildx import Options, Step
from lambdaimg.engine.client import Engine, own_builder
from lambdaimg.engine.container import PLATFORMS
from lambdaimg.engine.records import Image
from lambdaimg.images.build import remove_replaced
from lambdaimg.images.escape import bake_value, json_form, quoted
from lambdaimg.model import rie
from lambdaimg.model.errors import EngineError
from lambdaimg.model.project import Function, Project
from lambdaimg.runtime.rie import ensure

_DOCKERFILE: Final = """\
FROM {image}
COPY --chmod=755 {binary} {mount_point}/{binary}
{working_directory}ENTRYPOINT {entrypoint}
CMD {command}
"""


def build_with_rie(
    engine: Engine,
    project: Project,
    functions: Sequence[Function],
    say: Callable[[str], None],
    on_step: Callable[[Step], None],
) -> list[str]:
    """Puts the emulator on top of functions' built images; returns the names of the new ones.

    It is the engine's own builder that builds: only it has the images. Raises BuildError with the step's output.
    """
    targets: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="lambdaimg-") as scratch:
        for function in functions:
            folder = Path(scratch, function.name)
            folder.mkdir()
            targets[function.name] = _target(engine, project, function, folder, say)
        buildx.bake({"target": targets}, Path(scratch), Options(builder=own_builder()), on_step)
    for function in functions:
        remove_replaced(engine, project, function)
    return [project.rie_image(function) for function in functions]


def _target(
    engine: Engine, project: Project, function: Function, folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    image = engine.image(project.image(function))
    if image is None:
        raise EngineError(f"the engine has no {project.image(function)}", remedy=f"lambdaimg build {function.name}")
    binary = ensure(image.architecture, say)
    name = rie.binary_name(image.architecture)
    shutil.copyfile(binary, folder / name)
    (folder / "Dockerfile").write_text(_dockerfile(project, function, image, name), "utf-8")
    return {
        "context": bake_value(str(folder)),
        "tags": [project.rie_image(function)],
        "platforms": [PLATFORMS[image.architecture]],
        "output": ["type=docker"],
        "attest": ["type=provenance,disabled=true", "type=sbom,disabled=true"],
    }


def _dockerfile(project: Project, function: Function, image: Image, binary: str) -> str:
    """The function's process becomes the emulator's arguments; a new entrypoint drops the old command."""
    settings = function.settings
    folder = f"WORKDIR {quoted(settings.working_directory)}\n" if settings.working_directory else ""
    return _DOCKERFILE.format(
        image=project.image(function),
        binary=binary,
        mount_point=rie.MOUNT_POINT,
        working_directory=folder,
        entrypoint=json_form([f"{rie.MOUNT_POINT}/{binary}", *(settings.entrypoint or image.entrypoint)]),
        command=json_form(settings.command or image.command),
    )
