"""How buildx is called, and what its steps are called."""

import json
from pathlib import Path

import pytest

from lambdaimg.engine import buildx
from lambdaimg.engine.client import Engine
from lambdaimg.images.failures import explained
from lambdaimg.model.errors import BuildError


@pytest.mark.parametrize(("mode", "by_itself"), [(0o755, True), (0o644, False), (None, False)])
def test_a_plugin_of_the_users_own_is_called_by_itself(tmp_path: Path, mode: int | None, by_itself: bool) -> None:
    plugin = tmp_path / "cli-plugins" / "docker-buildx"
    plugin.parent.mkdir()
    if mode:
        plugin.touch(mode)
    assert buildx._program({"DOCKER_CONFIG": str(tmp_path)}) == ([str(plugin)] if by_itself else ["docker", "buildx"])


@pytest.mark.parametrize(
    ("targets", "said", "target", "name"),
    [
        (("hello",), "[runtime 2/5] RUN x", "hello", "[runtime 2/5] RUN x"),
        (("hello", "other"), "[hello runtime 2/5] RUN x", "hello", "[runtime 2/5] RUN x"),
        (("hello", "other"), "[other internal] load .dockerignore", "other", "[internal] load .dockerignore"),
        (("hello", "other"), "[auth] library/debian", "", "[auth] library/debian"),
    ],
)
def test_a_step_has_the_same_name_in_a_build_of_one_and_of_several(
    targets: tuple[str, ...], said: str, target: str, name: str
) -> None:
    seen: list[buildx.Step] = []
    buildx._Graph(targets, seen.append).read(json.dumps({"vertexes": [{"digest": "sha256:0", "name": said}]}))
    assert (seen[0].target, seen[0].name) == (target, name)


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("BuildKit version: v0.13.2", "0.13.2"),
        ("Buildkit:  v0.8+unknown", "0.8"),
        ("BuildKit version: v0.0.0+unknown", None),
        ("Status: inactive", None),
    ],
)
def test_buildkits_version_is_told_or_is_not(line: str, version: str | None) -> None:
    assert buildx.told_version(f"Name:   default\n\nNodes:\n{line}\nPlatforms: linux/amd64\n") == version


def test_a_failure_whose_remedy_is_known_says_it() -> None:
    def no_engine() -> Engine:
        raise AssertionError

    lost = BuildError("hello: the build failed at: exporting to image", output=["layer does not exist"])
    assert "--no-cache" in explained(lost, no_engine, ()).remedy
    assert not explained(BuildError("hello: the build failed", output=["no such file"]), no_engine, ()).remedy
