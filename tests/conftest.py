"""What all tests share: an environment without the developer's own settings, and projects made on the spot."""

import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("lambdaimg", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("lambdaimg")

MakeProject = Callable[..., Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the rendered files that are compared with")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "LAMBDAIMG_")) and name not in ("LAMBDAIMG_REQUIRE_ENGINE", "AWS_CA_BUNDLE"):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """Writes a project: the text of its file, and other files by their path."""

    def make(text: str, files: dict[str, str] | None = None, *, folder: str = "project") -> Path:
        root = tmp_path / folder
        for name, content in {"lambdaimg.toml": text, **(files or {})}.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, "utf-8")
        return root

    return make
