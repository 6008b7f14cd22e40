"""A project of a benchmark's own: a copy of an example under a random name, of which nothing stays."""

import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.programs import output

_EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "python-hello"
_PROJECT_FILE: Final = """\
[project]
name = "{name}"
[functions.hello]
language = "python"
base = "debian-trixie"
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

    def lambdaimg(self, *arguments: str) -> str:
        """What `lambdaimg` prints, in this project. Raises Failed."""
        return output([self.program, *arguments], self.root)

    @property
    def program(self) -> str:
        return str(Path(sys.executable).with_name("lambdaimg"))

    def docker(self, *arguments: str) -> str:
        """What `docker` prints, in this project. Raises Failed."""
        return output(["docker", *arguments], self.root)


@contextmanager
def workspace(memory: int) -> Iterator[Workspace]:
    """A project whose images and containers go with it. Raises Failed without an engine."""
    name = f"bench-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix="lambdaimg-bench-") as folder:
        root = Path(folder)
        shutil.copytree(_EXAMPLE / "hello", root / "hello")
        (root / "lambdaimg.toml").write_text(_PROJECT_FILE.format(name=name, memory=memory), "utf-8")
        made = Workspace(root=root, name=name, memory=memory)
        try:
            yield made
        finally:
            _clean(made)


def _clean(made: Workspace) -> None:
    mine = f"label=lambdaimg.project={made.name}"
    if containers := made.docker("ps", "--all", "--quiet", "--filter", mine).split():
        made.docker("rm", "--force", *containers)
    if images := made.docker("images", "--all", "--quiet", "--filter", mine).split():
        made.docker("rmi", "--force", *sorted(set(images)))
