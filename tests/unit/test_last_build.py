"""What tells a build that there is nothing to do: what reaches an image changes its stamp, nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdaimg.catalog import bases, languages
from lambdaimg.engine.buildx import Options
from lambdaimg.images import last_build
from lambdaimg.images.bake import bake_file
from lambdaimg.images.build import plans_of
from lambdaimg.images.last_build import LastBuild
from lambdaimg.images.render import render
from lambdaimg.model import project_file

HELLO = '[project]\nname = "shop"\n[functions.hello]\n'
SETTINGS = HELLO + 'language = "python"\nlayers = ["own"]\n[layers.own]\nsource = "own"\n'


def project(folder: Path) -> Path:
    for name in ("hello/lib/own.py", "hello/app.py", "own/python/shared.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x = 1\n")
    (folder / "lambdaimg.toml").write_text(SETTINGS)
    return folder


def stamp(folder: Path, options: Options = Options()) -> str:  # noqa: B008 - it is frozen
    loaded = project_file.load(folder / "lambdaimg.toml", languages=languages.names())
    [plan] = plans_of(loaded, loaded.functions, lambda name, _: bases.read(name))
    rendered = render(plan, ".lambdaimg/build")
    target = bake_file([(plan, rendered.dockerfile)], ())["target"]["hello"]
    return last_build.stamp(plan, rendered, target, options)


def written(name: str, text: str = "x = 2\n") -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    return write


def with_its_old_times(folder: Path) -> None:
    """As `cp -p` does it: another text of the same length, and the time of the one before."""
    file = folder / "hello/app.py"
    before = file.stat()
    file.write_text("x = 2\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "an edit": written("hello/lib/own.py"),
    "an edit that keeps size and time": with_its_old_times,
    "a mode": lambda folder: (folder / "hello/app.py").chmod(0o755),
    "a new file": written("hello/other.py"),
    "a file that is gone": lambda folder: (folder / "hello/lib/own.py").unlink(),
    "another name": lambda folder: (folder / "hello/app.py").rename(folder / "hello/main.py"),
    "a link in a file's place": lambda folder: (folder / "hello/link").symlink_to("app.py"),
    "a layer": written("own/python/shared.py"),
    "a layer's packages": written("own/nodejs/node_modules/uuid/index.js"),
    "dependencies": written("hello/requirements.txt", "requests\n"),
    "a setting of the build": written("lambdaimg.toml", SETTINGS + '[build]\nargs = { MODE = "fast" }\n'),
    "another base": written("lambdaimg.toml", SETTINGS.replace('"python"\n', '"python"\nbase = "debian-bookworm"\n')),
}
NO_CHANGES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda folder: None,
    "bytecode": written("hello/__pycache__/app.pyc"),
    "the repository": written("hello/.git/index"),
    "packages that are installed anew": written("hello/node_modules/uuid/index.js"),
    "a file beside the source": written("notes.txt"),
    "memory": written("lambdaimg.toml", SETTINGS.replace('"python"\n', '"python"\nmemory = 512\n')),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_reaches_the_image_is_noticed(tmp_path: Path, change: Callable[[Path], object]) -> None:
    before = stamp(project(tmp_path))
    change(tmp_path)
    assert stamp(tmp_path) != before


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES)
def test_what_does_not_is_not(tmp_path: Path, change: Callable[[Path], object]) -> None:
    before = stamp(project(tmp_path))
    change(tmp_path)
    assert stamp(tmp_path) == before != ""


@pytest.mark.parametrize("options", [Options(builder="other"), Options(epoch="1")], ids=["builder", "epoch"])
def test_how_it_is_built_is_part_of_it(tmp_path: Path, options: Options) -> None:
    assert stamp(project(tmp_path), options) != stamp(tmp_path)


@pytest.mark.parametrize(
    "settings",
    [
        HELLO + 'dockerfile = "Dockerfile"\n',
        SETTINGS.replace('"python"\n', '"python"\ntemplate = "own.j2"\n'),
        SETTINGS + '[build]\ncache-to = ["type=inline"]\n',
    ],
    ids=["a Dockerfile of the user's own", "a template of the user's own", "a cache that is written"],
)
def test_only_the_builder_knows(tmp_path: Path, settings: str) -> None:
    project(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "own.j2").write_text("FROM scratch\n")
    (tmp_path / "lambdaimg.toml").write_text(settings)
    assert stamp(tmp_path) == ""


@pytest.mark.parametrize("text", ["", "[]", '{"hello": "sha256:1"}', '{"hello": {"id": "sha256:1"}}', "\0"])
def test_a_record_that_cant_be_read_is_none(tmp_path: Path, text: str) -> None:
    loaded = project_file.load(project(tmp_path) / "lambdaimg.toml", languages=languages.names())
    written(".lambdaimg/build/images.json", text)(tmp_path)
    assert last_build.read(loaded) == {}
    build = LastBuild(id="sha256:1", stamp="a", bases={"debian:trixie-slim": "sha256:2"})
    last_build.write(loaded, {"hello": build})
    assert last_build.read(loaded) == {"hello": build}
