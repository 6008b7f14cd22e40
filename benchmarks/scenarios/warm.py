"""How long a warm invocation takes through `run`, beside a bare post to the RIE in a container of the same flags."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import quantiles
from typing import Final

import requests

from benchmarks.floor import Floor
from benchmarks.programs import answering
from benchmarks.scenario import FLOOR, LAMBDAIMG, Contestant, Failed, Goal, Scenario
from benchmarks.workspace import Workspace, workspace

_BLOCK: Final = 50
"""Posts of one contestant before it is the other's turn."""
_LONG_BLOCK: Final = 500
_P50: Final = "its own p50"


@contextmanager
def _url(project: Workspace) -> Iterator[str]:
    """Of `lambdaimg run`: its log is streamed, each invocation has its REPORT line with the memory measured."""
    with answering((project.program, "run", "--port", "0"), project.root) as line:
        yield line.split()[-1]


@contextmanager
def _session(url: str) -> Iterator[Callable[[], float]]:
    """A client that keeps its connection; each call of it is one post, and gives its seconds."""
    with requests.Session() as session:
        session.trust_env = False

        def post() -> float:
            start = time.perf_counter()
            answer = session.post(url, data=b"{}")
            took = time.perf_counter() - start
            if answer.status_code != 200 or b"Hello" not in answer.content:
                raise Failed(f"it answered {answer.status_code}: {answer.text}")
            return took

        yield post


def _percentile(number: int, post: Callable[[], float], count: int) -> float:
    """Milliseconds."""
    return quantiles((post() for _ in range(count)), n=100)[number - 1] * 1000


@contextmanager
def _warm(memory: int) -> Iterator[Sequence[Contestant]]:
    with workspace(memory) as ours, workspace(memory) as theirs:
        ours.lambdaimg("build")
        floor = Floor(theirs)
        floor.answer()
        with _url(ours) as url, _session(url) as post, _session(floor.url) as bare:
            yield [
                Contestant(name=LAMBDAIMG, measure=lambda: _percentile(50, post, _BLOCK)),
                Contestant(name=FLOOR, measure=lambda: _percentile(50, bare, _BLOCK)),
            ]


@contextmanager
def _tail(memory: int) -> Iterator[Sequence[Contestant]]:
    with workspace(memory) as ours:
        ours.lambdaimg("build")
        with _url(ours) as url, _session(url) as post:
            yield [
                Contestant(name=LAMBDAIMG, measure=lambda: _percentile(99, post, _LONG_BLOCK)),
                Contestant(name=_P50, measure=lambda: _percentile(50, post, _LONG_BLOCK)),
            ]


def _p50(memory: int, goal: Goal | None = None) -> Scenario:
    name, warm = f"warm invocation through `run`, p50, {memory} MB", partial(_warm, memory)
    return Scenario(name=name, contestants=warm, goal=goal, unit="ms", repeat=21, quick=7)


def _p99(memory: int, goal: Goal | None = None) -> Scenario:
    name, tail = f"warm invocation through `run`, p99, {memory} MB", partial(_tail, memory)
    return Scenario(name=name, contestants=tail, goal=goal, unit="ms", repeat=5, quick=3)


SCENARIOS: Final = (
    _p50(1_769, Goal(at_most=1.5)),
    _p99(1_769, Goal(at_most=5.0, beside=_P50)),
    _p50(256),
    _p50(128),
)
