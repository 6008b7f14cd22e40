"""Two builds from nothing of the same source give layers of the same files, modes and contents."""

import hashlib
from pathlib import Path

import pytest

from tests.integration.conftest import Sandboxed, docker
from tests.integration.test_build import files
from tests.integration.test_languages import LANGUAGES

MADE_ANEW = ("var/runtime/classes",)
"""Java's archive of loaded classes: addresses and time stamps of a run of the virtual machine are in it."""


def contents(image: str, base: str, folder: Path) -> dict[tuple[str, int, str, str], str]:
    folder.mkdir()
    return {
        (entry.name, entry.mode, entry.uname, entry.linkname): hashlib.sha256(content).hexdigest()
        for entry, content in files(image, base, folder)
        if not entry.name.startswith(MADE_ANEW)
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "base"),
    [
        *((function, "debian:trixie-slim") for function in ("python", "java", "bash")),
        *((function, "") for function in ("go", "rust", "cpp")),
        ("typescript", "node:24-slim"),
    ],
)
def test_two_builds_have_the_same_contents(project: Sandboxed, tmp_path: Path, function: str, base: str) -> None:
    text = (LANGUAGES / "lambdaimg.toml").read_text().replace('name = "languages"', f'name = "{project.name}"')
    project.write("lambdaimg.toml", text)
    for file in (LANGUAGES / function).rglob("*"):
        if file.is_file():
            project.write(str(file.relative_to(LANGUAGES)), file.read_text())
    for case in (LANGUAGES / "cases").iterdir():
        project.write(f"cases/{case.name}", case.read_text())
    found = []
    for number in ("first", "second"):
        project.run("build", "--no-cache", function)
        found.append(contents(project.image(function), base, tmp_path / number))
        docker("rmi", project.image(function))
    assert found[0] == found[1]
