"""How buildx is called."""

from pathlib import Path

import pytest

from lambdaimg.engine import buildx


@pytest.mark.parametrize(("mode", "by_itself"), [(0o755, True), (0o644, False), (None, False)])
def test_a_plugin_of_the_users_own_is_called_by_itself(tmp_path: Path, mode: int | None, by_itself: bool) -> None:
    plugin = tmp_path / "cli-plugins" / "docker-buildx"
    plugin.parent.mkdir()
    if mode:
        plugin.touch(mode)
    assert buildx._program({"DOCKER_CONFIG": str(tmp_path)}) == ([str(plugin)] if by_itself else ["docker", "buildx"])
