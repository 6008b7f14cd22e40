"""How long the command takes to start."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.programs import output
from benchmarks.sam import SAM, sam_prints
from benchmarks.scenario import FLOOR, LAMBDAIMG, Contestant, Goal, Scenario, seconds


def _runs(name: str, *command: str) -> Contestant:
    return Contestant(name=name, measure=lambda: seconds(lambda: output(command)))


@contextmanager
def _version() -> Iterator[Sequence[Contestant]]:
    yield [
        _runs(LAMBDAIMG, str(Path(sys.executable).with_name("lambdaimg")), "--version"),
        Contestant(name=SAM, measure=lambda: seconds(lambda: sam_prints("--version"))),
        _runs(FLOOR, sys.executable, "-c", "import click"),
    ]


@contextmanager
def _help() -> Iterator[Sequence[Contestant]]:
    yield [
        _runs(LAMBDAIMG, str(Path(sys.executable).with_name("lambdaimg")), "invoke", "--help"),
        Contestant(name=SAM, measure=lambda: seconds(lambda: sam_prints("local", "invoke", "--help"))),
    ]


SCENARIOS: Final = (
    Scenario(name="`--version`", contestants=_version, goal=Goal(at_most=1.5), repeat=31, quick=11),
    Scenario(name="`invoke --help`", contestants=_help, goal=Goal(at_most=0.2, beside=SAM), repeat=9, quick=3),
)
