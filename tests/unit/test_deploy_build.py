"""Building beyond one machine: what the bake file says of caches, and rendering for CI alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdaimg.cli.main import run

MakeProject = Callable[..., Path]
CACHED = (
    "[build]\n"
    'cache-from = ["type=registry,ref=registry.example/cache:{function}"]\n'
    'cache-to = ["type=registry,ref=registry.example/cache:{function},mode=max"]\n'
)
FUNCTION = '[functions.Hello]\ndockerfile = "Dockerfile"\n'
FILES = {"Dockerfile": "FROM scratch\n"}


def test_each_function_has_a_cache_of_its_own(make_project: MakeProject) -> None:
    other = '[functions.other]\ndockerfile = "Dockerfile"\n'
    root = make_project(CACHED + FUNCTION + other, FILES)
    assert run(["-C", str(root), "render", "--format", "bake"]) == 0
    targets = json.loads((root / ".lambdaimg" / "bake.json").read_text())["target"]
    for name in ("Hello", "other"):
        cache = f"type=registry,ref=registry.example/cache:{name.lower()}"
        assert (targets[name]["cache-from"], targets[name]["cache-to"]) == ([cache], [f"{cache},mode=max"])


def test_a_bake_file_alone_asks_no_engine_and_writes_no_compose_file(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    root = make_project(FUNCTION, FILES)
    assert run(["-C", str(root), "render", "--format", "bake"]) == 0
    assert capfd.readouterr().out == ".lambdaimg/bake.json\n"
    assert run(["-C", str(root), "render", "--format", "compose"]) == 3  # whose image knows the process


@pytest.mark.parametrize("cache", ["type=registry ref=x", "$(id)", "a;b"])
def test_a_cache_is_what_buildx_takes(make_project: MakeProject, cache: str) -> None:
    root = make_project(f'[build]\ncache-from = ["{cache}"]\n{FUNCTION}', FILES)
    assert run(["-C", str(root), "render"]) == 2
