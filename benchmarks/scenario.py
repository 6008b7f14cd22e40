"""What is measured: scenarios, the contestants in each, and the goal that lambdaimg is held to."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

LAMBDAIMG: Final = "lambdaimg"
ANSWER: Final = "lambdaimg, to the answer"
"""The same without what comes after the answer is printed: the container's removal, which no floor waits for."""
FLOOR: Final = "floor"
"""The same work done by plain docker and one bare request, or the least that any such program needs."""


class Failed(Exception):
    """A contestant can't do what is asked of it, or is not there; the reason is shown in its place."""


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """Somebody who does the scenario's work. `measure` does it once and returns a figure in the scenario's unit.

    It raises Failed; the contestant is then shown with that reason, and not asked again.
    """

    name: str
    measure: Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """lambdaimg's median is at most `at_most` times that of the contestant `beside`."""

    at_most: float
    beside: str = FLOOR

    def __str__(self) -> str:
        return f"≤ {self.at_most:g} × {self.beside}"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One row. `contestants` prepares them and cleans up behind them; it raises Failed when it can't.

    `repeat` is the number of rounds that count, `quick` the same for a quick run; with 0 that goes without it. One that
    does not count goes before them, unless the work is to be cold and takes minutes (`warms_up`).
    """

    name: str
    contestants: Callable[[], AbstractContextManager[Sequence[Contestant]]]
    goal: Goal | None = None
    unit: str = "s"
    repeat: int = 9
    quick: int = 3
    warms_up: bool = True


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
