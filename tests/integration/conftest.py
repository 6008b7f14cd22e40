"""Tests on the real engine, emulator and clients: the command as a process, random names, no leftovers."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest
import requests

from lambdaimg.catalog import languages
from lambdaimg.engine.client import Engine, connect
from lambdaimg.model import project_file
from lambdaimg.model.errors import EngineUnavailable
from tests.integration.lab import OBEDIENT, PROJECT, Lab

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PATIENCE = 600
"""Seconds for any one command; the first build of a client that compiles takes minutes."""
OURS = f"test-{secrets.token_hex(4)}"
"""What the names of all projects of this test session begin with; two sessions at once don't see each other."""


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine. A machine without one skips these tests, unless it was set up for them."""
    try:
        return connect()
    except EngineUnavailable as error:
        if os.environ.get("LAMBDAIMG_REQUIRE_ENGINE"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def _needs_engine(engine: Engine) -> None:
    """Every test here does."""


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left(engine: Engine) -> Iterator[None]:
    """After the last test, no container, network or volume of its projects is in the engine."""
    yield
    for listing in (["ps", "-a"], ["network", "ls"], ["volume", "ls"]):
        shown = docker(*listing, "--format", '{{.Label "lambdaimg.project"}} {{.Label "com.docker.compose.project"}}')
        assert OURS not in shown, f"left behind: docker {' '.join(listing)}"


@dataclass(kw_only=True)
class Sandboxed:
    """A project of a test's own, and the command in it; `inside` are words that run it in another network."""

    root: Path
    name: str
    environment: dict[str, str] = field(default_factory=dict)
    inside: tuple[str, ...] = ()

    def image(self, function: str = "hello") -> str:
        return f"{self.name}/{function}:latest"

    def write(self, file: str, text: str) -> None:
        (self.root / file).parent.mkdir(parents=True, exist_ok=True)
        (self.root / file).write_text(text, "utf-8")

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*self.inside, sys.executable, "-m", "lambdaimg", *arguments],
            cwd=self.root,
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *arguments: str, code: int = 0, stdin: str | None = None, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Runs the command to its end, and checks its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "lambdaimg", *arguments],
            cwd=self.root,
            env={**os.environ, **self.environment, **environment},
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert f'File "{ROOT / "lambdaimg"}' not in done.stderr, "a traceback of ours"
        return done

    def containers(self) -> list[str]:
        """What is in the engine for this project."""
        return docker("ps", "-aq", "--filter", f"label=lambdaimg.project={self.name}").split()


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Sandboxed]:
    """A project with the sources of both examples: `hello` in Python and `named` in Node.js."""
    yield from make_project(tmp_path / "project")


def make_project(root: Path) -> Iterator[Sandboxed]:
    """Makes a project in a folder, and removes all that it left in the engine; fails for a container."""
    name = f"{OURS}-{secrets.token_hex(4)}"
    shutil.copytree(EXAMPLES / "python-hello" / "hello", root / "hello")
    shutil.copytree(EXAMPLES / "nodejs-hello" / "hello", root / "named")
    made = Sandboxed(root=root, name=name)
    made.write(
        "lambdaimg.toml",
        f'[project]\nname = "{name}"\n'
        '[functions.hello]\nlanguage = "python"\nbase = "debian-trixie"\nmemory = 256\ntimeout = 10\n'
        '[functions.named]\nlanguage = "nodejs"\nbase = "node-24-slim"\nmemory = 256\ntimeout = 10\n',
    )
    try:
        yield made
    finally:
        left = made.containers()
        for container in left:
            docker("rm", "-f", container)
        for image in docker("images", "-q", "--filter", f"label=lambdaimg.project={name}").split():
            subprocess.run(["docker", "rmi", "-f", image], capture_output=True, check=False)
        assert not left, "containers were left behind"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Lab]:
    """The obedient functions in all their languages, built once."""
    for project in make_project(tmp_path_factory.mktemp("lab") / "project"):
        shutil.copytree(OBEDIENT, project.root, dirs_exist_ok=True)
        project.write("lambdaimg.toml", f'[project]\nname = "{project.name}"\n{PROJECT}')
        project.run("build")
        loaded = project_file.load(project.root / "lambdaimg.toml", languages=languages.names())
        yield Lab(engine=engine, project=loaded)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def python_function(project: Sandboxed, source: str, settings: str = "", **more: str) -> None:
    """Makes the project one of a single Python function without dependencies."""
    project.write(
        "lambdaimg.toml",
        f'[project]\nname = "{project.name}"\n'
        f'[functions.hello]\nlanguage = "python"\nbase = "debian-trixie"\n{settings}',
    )
    shutil.rmtree(project.root / "hello", ignore_errors=True)
    project.write("hello/app.py", source)
    for file, text in more.items():
        project.write(file, text)


def read_until(stream: IO[str] | None, text: str) -> str:
    """Reads a process's output up to the line that holds a text, and returns that line."""
    assert stream
    for line in stream:
        if text in line:
            return line
    raise AssertionError(f"it ended without saying {text!r}")


@dataclass(kw_only=True)
class Served:
    """A `lambdaimg run` of a test: its process, and the URL that it answers at, without the path."""

    process: "subprocess.Popen[str]"
    url: str

    def post(self, event: object, function: str = "function", **headers: str) -> requests.Response:
        path = f"/2015-03-31/functions/{function}/invocations"
        return requests.post(self.url + path, data=json.dumps(event), headers=headers, timeout=60)


@contextmanager
def serving(project: Sandboxed, *arguments: str, **environment: str) -> Iterator[Served]:
    """`lambdaimg run` on a free port, interrupted at the end; it must leave no container."""
    process = project.start("run", *arguments, "--port", "0", **environment)
    try:
        line = read_until(process.stdout, "answers at")
        yield Served(process=process, url=line.split()[-1].partition("/2015-03-31/")[0])
    finally:
        if process.poll() is None:
            interrupt(process)


def interrupt(process: "subprocess.Popen[str]", number: int = signal.SIGINT) -> tuple[int, str, str]:
    """Sends a signal and waits for the end: exit code, stdout, stderr."""
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err
