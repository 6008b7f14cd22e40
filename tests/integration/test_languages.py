"""A function in each language: it greets, and what fails in it fails in its language's own shape, as Lambda has it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdaimg.catalog import bases, languages
from lambdaimg.model import project_file
from tests.integration.conftest import docker
from tests.integration.test_build import MB, size

LANGUAGES = Path(__file__).parent / "languages"
MOST_OVER_ITS_BASE = {"python": 60, "nodejs": 15, "typescript": 15, "go": 15, "rust": 15, "java": 110}
MOST_OVER_ITS_BASE |= {"bash": 20, "cpp": 15}
"""MB that a function's image may add, with its language's runtime and client."""


@pytest.fixture
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


def test_languages(root: Path) -> None:
    """All in one build; each function passes its cases, and is small."""
    done = subprocess.run(
        [sys.executable, "-m", "lambdaimg", "-C", root, "test"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    project = project_file.load(root / "lambdaimg.toml", languages=languages.names())
    for function in project.functions:
        base = bases.read(function.settings.base)
        over = size(project.image(function)) - (size(base.reference) if base.reference != bases.EMPTY else 0)
        assert over <= MOST_OVER_ITS_BASE[function.name] * MB, function.name
