"""A function in each language: it greets, and what fails in it fails in its language's own shape, as Lambda has it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import docker

LANGUAGES = Path(__file__).parent / "languages"
QUICK = ("python", "typescript", "go", "java", "bash")
SLOW = ("rust", "cpp")
"""Those whose clients take a minute and more to compile, on a machine that has none of it yet."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project as one of this run's own."""
    root = tmp_path_factory.mktemp("languages") / "project"
    shutil.copytree(LANGUAGES, root, ignore=shutil.ignore_patterns(".lambdaimg"))
    name = f"languages-{root.parent.name}-{id(root):x}"
    file = root / "lambdaimg.toml"
    file.write_text(file.read_text().replace('name = "languages"', f'name = "{name}"'))
    yield root
    for image in docker("images", "-q", "--filter", f"label=lambdaimg.project={name}").split():
        docker("rmi", "-f", image)


def check(root: Path, *functions: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lambdaimg", "-C", root, "test", *functions], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_languages(root: Path) -> None:
    check(root, *QUICK)


@pytest.mark.slow
def test_languages_whose_clients_compile(root: Path) -> None:
    check(root, *SLOW)
