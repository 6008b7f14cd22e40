"""What can be missing or wrong: each is named, with what to do, and has its exit code."""

import shutil
from pathlib import Path

import pytest

from lambdaimg.model.settings import ARCHITECTURES, host_architecture
from tests.integration.conftest import Sandboxed, docker, python_function

OTHER = next(name for name in ARCHITECTURES if name != host_architecture())
HANDLER = "def handler(event, context):\n    return 1\n"


@pytest.mark.parametrize("host", ["unix:///no/such/socket", "tcp://127.0.0.1:1"])
@pytest.mark.parametrize(
    "words", ["build", "run --rie", "invoke --rie", "shell", "clean", "base bootstrap debian-trixie"]
)
def test_without_an_engine(project: Sandboxed, words: str, host: str) -> None:
    python_function(project, HANDLER)
    done = project.run(*words.split(), code=3, DOCKER_HOST=host)
    assert f"error: no container engine answers at {host}: " in done.stderr
    assert "`lambdaimg doctor`" in done.stderr


def test_what_needs_no_engine_works_without_one(project: Sandboxed) -> None:
    for words in ("render", "show hello", "base list", "base show debian-trixie", "init x --language python"):
        project.run(*words.split(), DOCKER_HOST="unix:///no/such/socket")
    done = project.run("doctor", code=3, DOCKER_HOST="unix:///no/such/socket")
    assert done.stdout.startswith("FAIL  engine")


def test_without_buildx(project: Sandboxed, tmp_path: Path) -> None:
    python_function(project, HANDLER)
    docker_program = shutil.which("docker")
    wrapper = tmp_path / "bin" / "docker"
    wrapper.parent.mkdir()
    # The plugin may be installed where no setting hides it: docker is asked for one that nobody has.
    wrapper.write_text(
        f'#!/bin/sh\nif [ "$1" = buildx ]; then shift; set -- no-such-plugin "$@"; fi\nexec {docker_program} "$@"\n'
    )
    wrapper.chmod(0o755)
    done = project.run("build", code=3, PATH=f"{wrapper.parent}:/usr/bin:/bin", DOCKER_CONFIG=str(tmp_path))
    assert done.stderr.splitlines()[-2] == "error: docker has no buildx"
    assert "install buildx" in done.stderr
    assert "FAIL  buildx" in project.run("doctor", code=3, PATH=f"{wrapper.parent}:/usr/bin:/bin").stdout


def test_without_docker_at_all(project: Sandboxed, tmp_path: Path) -> None:
    python_function(project, HANDLER)
    done = project.run("build", code=3, PATH=str(tmp_path), DOCKER_CONFIG=str(tmp_path))
    assert "error: the program docker is not installed" in done.stderr


def test_a_base_that_is_not_there(project: Sandboxed) -> None:
    text = (project.root / "lambdaimg.toml").read_text().replace("debian-trixie", "127.0.0.1:1/none:latest")
    project.write("lambdaimg.toml", text)
    done = project.run("build", code=5)
    assert "error: the base 127.0.0.1:1/none:latest is not here and can't be pulled: connection refused" in done.stderr
    assert "`lambdaimg base list`" in done.stderr


def test_a_base_of_another_architecture(project: Sandboxed) -> None:
    base = f"{project.name}-base:latest"
    docker("tag", "python:3.13-slim", base)
    python_function(project, HANDLER, f'architecture = "{OTHER}"\n')
    text = (project.root / "lambdaimg.toml").read_text().replace("debian-trixie", base)
    project.write("lambdaimg.toml", text)
    try:
        assert project.run("build", code=2).stderr == f"error: hello: {base} is not there for {OTHER}\n"
    finally:
        docker("rmi", base)


@pytest.mark.parametrize(
    ("folder", "said"), [("other", "there is no folder 'hello' in"), ("hello/sub", "the folder 'hello' is empty")]
)
def test_a_source_that_is_missing_or_empty(project: Sandboxed, folder: str, said: str) -> None:
    shutil.rmtree(project.root / "hello")
    (project.root / folder).mkdir(parents=True)
    done = project.run("build", code=2)
    assert f"lambdaimg.toml: functions.hello.source: {said}" in done.stderr
    assert project.run("render", code=2).stderr == done.stderr


def not_for_this_machine(project: Sandboxed, settings: str = "") -> None:
    """Makes the project one of an image whose program no machine can execute."""
    project.write("Dockerfile", 'FROM scratch\nCOPY boot /boot\nENTRYPOINT ["/boot"]\nCMD ["handler"]\n')
    (project.root / "boot").write_bytes(b"\x7fELF" + b"\xff" * 60)
    (project.root / "boot").chmod(0o755)
    project.write(
        "lambdaimg.toml",
        f'[project]\nname = "{project.name}"\n[functions.own]\ndockerfile = "Dockerfile"\n{settings}',
    )


def test_a_program_of_another_architecture_is_explained(project: Sandboxed) -> None:
    not_for_this_machine(project)
    done = project.run("invoke", "own", "--rie", code=1)
    assert "exec format error: the program is for another architecture" in done.stderr


def test_an_image_of_another_architecture_is_explained(project: Sandboxed, tmp_path: Path) -> None:
    not_for_this_machine(project, f'architecture = "{OTHER}"\n')
    done = project.run("invoke", "own", "--rie", code=1, LAMBDAIMG_RIE=str(project.root / "boot"))
    assert "exec format error" in done.stderr
    assert "the image is for another architecture: set architecture" in done.stderr
    architecture = docker("image", "inspect", "--format", "{{.Architecture}}", project.image("own"))
    assert architecture == {"arm64": "arm64", "x86_64": "amd64"}[OTHER]
    assert project.containers() == []
