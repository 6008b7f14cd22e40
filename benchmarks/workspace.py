"""A project of a benchmark's own: a copy of an example under a random name, of which nothing stays."""

import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from benchmarks.programs import output, until_output
from benchmarks.servers import Server, free_port, serving

_EXAMPLES: Final = Path(__file__).parents[1] / "examples"
_LEFT: Final = ("created", "running", "paused", "restarting", "exited", "dead")
_PROJECT_FILE: Final = """\
[project]
name = "{name}"
[functions.hello]
language = "{language}"
base = "{base}"
memory = {memory}
timeout = 30
"""


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A project of one Python function, `hello`. Memory is MB."""

    root: Path
    name: str
    memory: int

    @property
    def image(self) -> str:
        return f"{self.name}/hello:latest"

    def edit(self) -> None:
        """Changes one line of the function's source into one that no build has seen."""
        file = self.root / "hello" / "app.py"
        source = file.read_text("utf-8").partition("# edited")[0]
        file.write_text(f"{source}# edited {secrets.token_hex(8)}\n", "utf-8")

    def greet(self, word: str) -> None:
        """Has the function answer with a word that no build has seen."""
        file = self.root / "hello" / "app.py"
        file.write_text(re.sub("Hello[^,]*,", f"Hello {word},", file.read_text("utf-8")), "utf-8")

    def lambdaimg(self, *arguments: str) -> str:
        """What `lambdaimg` prints, in this project. Raises Failed."""
        return output([self.program, *arguments], self.root)

    def answered(self, *arguments: str) -> float:
        """The seconds until `lambdaimg invoke` has printed the answer; the container goes after it. Raises Failed."""
        return until_output([self.program, "invoke", *arguments], self.root)

    @contextmanager
    def serving(self, *options: str) -> Iterator[Server]:
        """`lambdaimg serve`, once it answers. Raises Failed when it doesn't."""
        port = free_port()
        with serving((self.program, "serve", f"--port={port}", *options), self.root, port) as session:
            requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60)
            yield Server(url=f"http://127.0.0.1:{port}/2015-03-31/functions/hello/invocations", id=session)

    def containers(self) -> list[str]:
        """The ids of those that were made for it, running or not, and are not being removed."""
        states = (f"--filter=status={state}" for state in _LEFT)
        return self.docker("ps", "--all", "--quiet", *states, f"--filter=label=lambdaimg.project={self.name}").split()

    @property
    def program(self) -> str:
        return str(Path(sys.executable).with_name("lambdaimg"))

    def docker(self, *arguments: str) -> str:
        """What `docker` prints, in this project. Raises Failed."""
        return output(["docker", *arguments], self.root)


@contextmanager
def workspace(memory: int, *, language: str = "python", base: str = "debian-trixie") -> Iterator[Workspace]:
    """A project of a language's example, whose images and containers go with it. Raises Failed without an engine."""
    name = f"bench-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix="lambdaimg-bench-") as folder:
        root = Path(folder)
        shutil.copytree(_EXAMPLES / f"{language}-hello" / "hello", root / "hello")
        said = _PROJECT_FILE.format(name=name, memory=memory, language=language, base=base)
        (root / "lambdaimg.toml").write_text(said, "utf-8")
        made = Workspace(root=root, name=name, memory=memory)
        try:
            yield made
        finally:
            _clean(made)


def _clean(made: Workspace) -> None:
    mine = f"label=lambdaimg.project={made.name}"
    if containers := made.containers():
        made.docker("rm", "--force", *containers)
    if images := made.docker("images", "--quiet", "--filter", mine).split():
        made.docker("rmi", "--force", *dict.fromkeys(images))  # newest first, as they depend on each other
