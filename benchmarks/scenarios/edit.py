"""How long it takes from an edit to an answer by the new code, by each contestant's own means."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final

from benchmarks.floor import Floor
from benchmarks.load import Client
from benchmarks.sam import SAM, Sam, on_demand, serving_on_demand
from benchmarks.scenario import ANSWER, FLOOR, LAMBDAIMG, Contestant, Failed, Goal, Scenario, seconds
from benchmarks.workspace import Workspace, workspace

_MEMORY: Final = 1_769
_WITHIN: Final = 30.0
_POLL: Final = 0.002


def _told(answer: str, word: str) -> None:
    if word not in answer:
        raise Failed(f"it answered {answer[:120]}")


def _greeting(project: Workspace) -> str:
    word = secrets.token_hex(4)
    project.greet(word)
    return word


def _ours(project: Workspace) -> float:
    """To the end of the command, with the container removed."""
    word = _greeting(project)

    def build_and_invoke() -> None:
        project.lambdaimg("build")
        _told(project.lambdaimg("invoke"), word)

    return seconds(build_and_invoke)


def _answer(project: Workspace) -> float:
    project.greet(secrets.token_hex(4))
    return seconds(lambda: project.lambdaimg("build")) + project.answered()


def _sams(project: Workspace, sam: Callable[[], Sam]) -> float:
    made, word = sam(), _greeting(project)

    def build_and_invoke() -> None:
        made.build()
        _told(made.invoke(), word)

    return seconds(build_and_invoke)


def _floors(project: Workspace, floor: Floor) -> float:
    """To the answer: what it takes to remove the container is not counted against the floor."""
    _greeting(project)

    def build_and_ask() -> None:
        floor.build()
        floor.answer()

    try:
        return seconds(build_and_ask)
    finally:
        floor.remove()


def _followed(project: Workspace, url: str, change: Callable[[], object] = lambda: None) -> float:
    """Of a server that runs, asked until it answers with the new word; `change` is what a user does after the edit."""
    word = _greeting(project)
    start = time.perf_counter()
    change()
    with closing(Client(url)) as client:
        while word.encode() not in client.post({}):
            if time.perf_counter() - start > _WITHIN:
                raise Failed(f"it answers with the old code {_WITHIN:g} s after the edit")
            time.sleep(_POLL)
    return time.perf_counter() - start


@contextmanager
def _by_commands() -> Iterator[Sequence[Contestant]]:
    with workspace(_MEMORY) as ours, workspace(_MEMORY) as sams, workspace(_MEMORY) as floors:
        floor, sam = Floor(floors), on_demand(sams)
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: _ours(ours)),
            Contestant(name=ANSWER, measure=lambda: _answer(ours)),
            Contestant(name=SAM, measure=lambda: _sams(sams, sam)),
            Contestant(name=FLOOR, measure=lambda: _floors(floors, floor)),
        ]


@contextmanager
def _by_server() -> Iterator[Sequence[Contestant]]:
    with workspace(_MEMORY) as ours, workspace(_MEMORY) as sams, workspace(_MEMORY) as floors:
        ours.lambdaimg("build")
        floor = Floor(floors)
        with ours.serving("--watch") as server, serving_on_demand(sams, "--warm-containers", "LAZY") as served:
            yield [
                Contestant(name=LAMBDAIMG, measure=lambda: _followed(ours, server.url)),
                Contestant(name=SAM, measure=lambda: _followed(sams, served().url, on_demand(sams))),
                Contestant(name=FLOOR, measure=lambda: _floors(floors, floor)),
            ]


@contextmanager
def _once() -> Iterator[Sequence[Contestant]]:
    with workspace(_MEMORY) as ours, workspace(_MEMORY) as sams, workspace(_MEMORY) as floors:
        ours.lambdaimg("build")
        floor, sam = Floor(floors), on_demand(sams)
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: seconds(lambda: ours.lambdaimg("invoke"))),
            Contestant(name=ANSWER, measure=ours.answered),
            Contestant(name=SAM, measure=lambda: _invoked(sam())),
            Contestant(name=FLOOR, measure=lambda: _asked(floor)),
        ]


def _invoked(sam: Sam) -> float:
    return seconds(sam.invoke)


def _asked(floor: Floor) -> float:
    try:
        return seconds(floor.answer)
    finally:
        floor.remove()


SCENARIOS: Final = (
    Scenario(name="one-shot `invoke` of a built image", contestants=_once, goal=Goal(at_most=1.8)),
    Scenario(
        name="one line edited → `build`, `invoke` answered", contestants=_by_commands, goal=Goal(at_most=1.5), quick=0
    ),
    Scenario(name="one line edited → `serve --watch` answers", contestants=_by_server, goal=Goal(at_most=0.8), quick=0),
)
