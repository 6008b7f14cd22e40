"""How long the command takes to start."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.programs import output
from benchmarks.scenario import FLOOR, LAMBDAIMG, Contestant, Goal, Scenario, seconds


def _runs(name: str, *command: str) -> Contestant:
    return Contestant(name=name, measure=lambda: seconds(lambda: output(command)))


@contextmanager
def _version() -> Iterator[Sequence[Contestant]]:
    yield [
        _runs(LAMBDAIMG, str(Path(sys.executable).with_name("lambdaimg")), "--version"),
        _runs(FLOOR, sys.executable, "-c", "import click"),
    ]


SCENARIOS: Final = (
    Scenario(name="`lambdaimg --version`", contestants=_version, goal=Goal(at_most=2.0), repeat=31, quick=11),
)
