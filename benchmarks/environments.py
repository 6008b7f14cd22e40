"""Virtual environments of the contestants' own, and what an installation takes."""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.programs import output

SAM_REQUIREMENT: Final = "aws-sam-cli==1.170.0"
_ROOT: Final = Path(__file__).parents[1]
_KEPT: Final = Path(__file__).parent / ".environments"
_INSTALLERS: Final = {"pip", "setuptools", "wheel"}


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment in which one thing was installed. `megabytes`: what that and its dependencies added."""

    root: Path
    megabytes: float

    def program(self, name: str) -> str:
        return str(self.root / "bin" / name)

    def distributions(self) -> int:
        """How many there are beside the installers."""
        listed = json.loads(output([self.program("python"), "-m", "pip", "list", "--format=json"]))
        return sum(each["name"] not in _INSTALLERS for each in listed)


def sam() -> Environment:
    """AWS SAM CLI, installed once and kept. Raises Failed when it can't be had."""
    root = _KEPT / SAM_REQUIREMENT.replace("==", "-")
    size = root / "megabytes"
    if not size.exists():
        made = _installed(root, SAM_REQUIREMENT)
        size.write_text(str(made.megabytes), "utf-8")
    return Environment(root=root, megabytes=float(size.read_text("utf-8")))


@contextmanager
def core() -> Iterator[Environment]:
    """lambdaimg as it is here, without extras. Raises Failed."""
    with tempfile.TemporaryDirectory(prefix="lambdaimg-bench-") as folder:
        yield _installed(Path(folder), str(_ROOT))


def _installed(root: Path, requirement: str) -> Environment:
    output([sys.executable, "-m", "venv", "--clear", str(root)])
    empty = _megabytes(root)
    output([str(root / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", requirement])
    return Environment(root=root, megabytes=_megabytes(root) - empty)


def _megabytes(root: Path) -> float:
    return sum(file.lstat().st_size for file in root.rglob("*") if not file.is_dir()) / 1_000_000
