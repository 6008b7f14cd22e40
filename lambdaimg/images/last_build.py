"""What the last build in a folder made, and from what: an image whose inputs are as they were is not built again."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from lambdaimg.engine.buildx import Options
from lambdaimg.images.plan import BUILD_FOLDER, Plan
from lambdaimg.images.render import Rendered
from lambdaimg.images.write import write_private
from lambdaimg.model.project import Project

_RECORD: Final = "images.json"
_NEVER_SENT: Final = frozenset({".git", ".lambdaimg", ".venv", "venv", "__pycache__"})
"""Folders that templates/dockerignore.j2 keeps out wherever they are."""
_NOT_SENT_OF_SOURCES: Final = _NEVER_SENT | {"node_modules"}


@dataclass(frozen=True, kw_only=True)
class LastBuild:
    """An image as a build left it: its id in the engine, its stamp, and the ids of its bases by reference."""

    id: str
    stamp: str
    bases: Mapping[str, str]


def read(project: Project) -> dict[str, LastBuild]:
    """The last build of each function in this folder, by the function's name."""
    try:
        record = json.loads((project.root / BUILD_FOLDER / _RECORD).read_text("utf-8"))
        return {function: LastBuild(**each) for function, each in record.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write(project: Project, builds: Mapping[str, LastBuild]) -> None:
    text = json.dumps({function: asdict(each) for function, each in builds.items()}, indent=2) + "\n"
    write_private(project.root / BUILD_FOLDER, {_RECORD: text})


def stamp(plan: Plan, rendered: Rendered, target: Mapping[str, Any], options: Options) -> str:
    """A word for all that goes into an image but its bases; another word, and it may be another image.

    Files are known as git knows them, by their times (the one of the last change of the inode too, which nobody can
    set), sizes and modes. Empty where only the builder knows what goes in: Dockerfiles and templates of the user's
    own, and builds that also write a cache.
    """
    if plan.template is None or plan.function.settings.template or "cache-to" in target:
        return ""
    told = hashlib.sha256(json.dumps([target, dict(rendered.files), options.builder, options.epoch]).encode())
    root = plan.project.root
    for line in _entries(root / plan.function.source, _NOT_SENT_OF_SOURCES):
        told.update(line)
    for layer in plan.project.layers_of(plan.function):
        for line in _entries(root / layer.source, _NEVER_SENT):
            told.update(line)
    return told.hexdigest()


def _entries(folder: Path, left_out: frozenset[str]) -> Iterator[bytes]:
    """A line for everything in a folder, in a fixed order; a link is itself, not what it leads to."""
    yield f"{folder}\n".encode()
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        about = entry.stat(follow_symlinks=False)
        if not entry.is_dir(follow_symlinks=False):
            times = f"{about.st_mtime_ns} {about.st_ctime_ns}"
            yield f"{entry.name}\0{about.st_mode} {about.st_ino} {about.st_size} {times}\n".encode(errors="replace")
        elif entry.name not in left_out:
            yield f"{about.st_mode}\n".encode()
            yield from _entries(Path(entry.path), left_out)
