"""`make matrix [WORDS=…]`: every language on each of its tier-1 bases, built, invoked and measured into docs/matrix.md.

With words, only rows that hold one of them are measured and shown, and the page stays. Exits with 1 when an answer is
wrong.
"""

import asyncio
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from lambdaimg.catalog import bases, languages
from lambdaimg.catalog.bases import BaseImage
from lambdaimg.engine.client import Engine, connect
from lambdaimg.model import project_file
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.model.project import Project
from lambdaimg.model.settings import host_architecture
from lambdaimg.runtime.factory import EnvironmentFactory, Options
from lambdaimg.runtime.placement import Wishes

_ROOT: Final = Path(__file__).parents[1]
_PAGE: Final = _ROOT / "docs" / "matrix.md"
_BEGIN: Final = "<!-- written by `make matrix` from here -->"
_EVENT: Final = b'{"name": "Ada"}'
_ANSWER: Final = "Hello, Ada"
_WARM_ROUNDS: Final = 50
_NEEDS_A_SHELL: Final = ("bash-hello",)
_CROSS_COMPILED: Final = ("go-hello", "rust-hello")
_TITLES: Final = (
    *("example", "base", "architecture", "build, s", "image, MB", "over its base, MB", "init, ms", "warm, ms"),
    "answer",
)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An example on a base, for an architecture."""

    example: str
    base: BaseImage
    architecture: str

    def __str__(self) -> str:
        return f"{self.example} {self.base.name} {self.architecture}"


def pairs() -> Iterator[Pair]:
    """Every example on each tier-1 base of its language; the cross-compiled ones for the other architecture too."""
    here = host_architecture()
    for project in sorted((_ROOT / "examples").glob("*-hello/lambdaimg.toml")):
        example = project.parent.name
        language = project_file.load(project, languages=languages.names()).functions[0].settings.language
        for base in map(bases.read, languages.read(language).tier_1):
            if base.package_manager != "none" or example not in _NEEDS_A_SHELL:
                yield Pair(example=example, base=base, architecture=here)
        if example in _CROSS_COMPILED:
            other = "arm64" if here == "x86_64" else "x86_64"
            yield Pair(example=example, base=bases.read(bases.EMPTY), architecture=other)


def measured(engine: Engine, pair: Pair) -> list[str]:
    """A row of the table: the pair built, and invoked where this machine runs its architecture."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "project")
        _copy(pair, folder)
        built = json.loads(_lambdaimg(folder, "build", "--json"))[0]
        base = engine.image(pair.base.reference)
        over = built["size"] - (base.size if base else 0)
        sizes = [f"{built['seconds']:.0f}", f"{built['size'] / 1e6:.1f}", f"{over / 1e6:.1f}"]
        try:
            runs = pair.architecture == host_architecture()
            return [*_key(pair), *sizes, *(_invoked(engine, folder) if runs else ("-", "-", "not run here"))]
        finally:
            _lambdaimg(folder, "clean", "--images")


def _key(pair: Pair) -> list[str]:
    stand_in = " (stand-in)" if pair.base.bootstrap and pair.base.bootstrap.dockerfile else ""
    return [pair.example.removesuffix("-hello"), f"`{pair.base.name}`{stand_in}", pair.architecture]


def _copy(pair: Pair, folder: Path) -> None:
    """The example as a project of its own name, on the pair's base."""
    shutil.copytree(_ROOT / "examples" / pair.example, folder, ignore=shutil.ignore_patterns(".lambdaimg"))
    text = (folder / "lambdaimg.toml").read_text("utf-8")
    named = re.sub(r"^name = .*$", f'name = "matrix-{os.getpid()}"', text, count=1, flags=re.MULTILINE)
    own = f'base = "{pair.base.name}"\narchitecture = "{pair.architecture}"'
    placed = re.sub(r"^base = .*$", own, named, count=1, flags=re.MULTILINE)
    (folder / "lambdaimg.toml").write_text(placed, "utf-8")


def _lambdaimg(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "lambdaimg", "--log-level", "error", "-C", str(folder), *words],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def _invoked(engine: Engine, folder: Path) -> list[str]:
    """Init time, median warm time, and whether every answer was right."""
    project = project_file.load(folder / "lambdaimg.toml", languages=languages.names())
    first, *others = asyncio.run(_answers(engine, project))
    right = all(_ANSWER in one.payload.decode("utf-8", "replace") for one in (first, *others))
    warm = statistics.median(one.report.duration_ms for one in others if one.report)
    init = first.report.init_ms if first.report else None
    return [f"{init:.0f}" if init else "-", f"{warm:.1f}", "right" if right else "WRONG"]


async def _answers(engine: Engine, project: Project) -> list[Invocation]:
    """The answers of one environment, the cold one first."""
    with EnvironmentFactory(engine, project, Options(), lambda _: None) as factory:
        async with factory.make(project.functions[0], Wishes(), lambda _: None) as environment:
            return [await environment.invoke(Request(event=_EVENT)) for _ in range(1 + _WARM_ROUNDS)]


def _table(rows: list[list[str]]) -> str:
    lines = [_TITLES, ["---"] * len(_TITLES), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _write(table: str) -> None:
    about = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processors, {platform.system()}, Docker Engine"
    before = _PAGE.read_text("utf-8").partition(_BEGIN)[0]
    _PAGE.write_text(f"{before}{_BEGIN}\n\n{table}\nMeasured on {about} {connect().version}.\n", "utf-8")


def main(words: list[str]) -> int:
    engine = connect()
    chosen = [pair for pair in pairs() if not words or any(word in str(pair) for word in words)]
    rows = []
    for pair in chosen:
        print(f"measuring: {pair}", file=sys.stderr, flush=True)
        rows.append(measured(engine, pair))
    print(_table(rows))
    if not words:
        _write(_table(rows))
    return 1 if any("WRONG" in row for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
