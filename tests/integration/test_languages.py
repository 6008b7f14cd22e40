"""A function in each language: it greets, and what fails in it fails in its language's own shape, as Lambda has it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdaimg.catalog import bases, languages
from lambdaimg.model import project_file
from tests.integration.conftest import ROOT, Sandboxed, docker
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


BY_GRADLE = """\
plugins { id "java" }
repositories { mavenCentral() }
dependencies { implementation "com.amazonaws:aws-lambda-java-core:1.4.0" }
"""
WRAPPER = """\
#!/bin/sh
JAVA_HOME=$(echo /usr/lib/jvm/java-21-openjdk-*) exec gradle "$@"
"""
"""Debian's own Gradle in the wrapper's place, which would download one; it is an old one that knows no newer Java."""


def hello(project: Sandboxed, language: str, settings: str) -> None:
    """A new function in place of the project's."""
    shutil.rmtree(project.root / "hello")
    (project.root / "lambdaimg.toml").unlink()
    project.run("init", "--language", language)
    text = (project.root / "lambdaimg.toml").read_text()
    named = text.replace('name = "project"', f'name = "{project.name}"')
    project.write("lambdaimg.toml", named.replace("timeout = 3\n", f"timeout = 3\n{settings}\n"))


@pytest.mark.slow
def test_a_java_function_built_by_gradle(project: Sandboxed) -> None:
    hello(project, "java", 'build-packages = ["gradle", "openjdk-21-jdk-headless"]')
    (project.root / "hello" / "pom.xml").unlink()
    project.write("hello/gradlew", WRAPPER)
    project.write("hello/build.gradle", BY_GRADLE)
    assert "1 passed" in project.run("test").stdout


MUSL = (ROOT / "docs/how-to/own-template.md").read_text("utf-8").partition("musl")[2].split("```")[1][6:]
"""The page's own words."""


@pytest.mark.slow
def test_a_rust_function_is_linked_with_musl_where_its_target_is_installed(project: Sandboxed) -> None:
    hello(project, "rust", 'template = "musl.j2"')
    project.write("musl.j2", MUSL)
    assert "1 passed" in project.run("test").stdout
    container = docker("create", project.image())
    docker("cp", f"{container}:/var/task/bootstrap", str(project.root / "bootstrap"))
    docker("rm", container)
    assert b"glibc" not in (project.root / "bootstrap").read_bytes().lower()
