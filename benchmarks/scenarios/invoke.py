"""How long it takes from an edit to the answer of the function that was edited."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

from benchmarks.floor import Floor
from benchmarks.scenario import ANSWER, FLOOR, LAMBDAIMG, Contestant, Goal, Scenario, seconds
from benchmarks.workspace import Workspace, workspace


def _ours(project: Workspace) -> float:
    """To the end of the command, with the container removed."""

    def build_and_invoke() -> None:
        project.lambdaimg("build")
        project.lambdaimg("invoke", "--rie")

    project.edit()
    return seconds(build_and_invoke)


def _answer(project: Workspace) -> float:
    project.edit()
    return seconds(lambda: project.lambdaimg("build")) + project.answered("--rie")


def _theirs(project: Workspace, floor: Floor) -> float:
    """To the answer: what it takes to remove the container is not counted against the floor."""

    def build_and_ask() -> None:
        floor.build()
        floor.answer()

    project.edit()
    try:
        return seconds(build_and_ask)
    finally:
        floor.remove()


@contextmanager
def _answers(memory: int) -> Iterator[Sequence[Contestant]]:
    with workspace(memory) as ours, workspace(memory) as theirs:
        floor = Floor(theirs)
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: _ours(ours)),
            Contestant(name=ANSWER, measure=lambda: _answer(ours)),
            Contestant(name=FLOOR, measure=lambda: _theirs(theirs, floor)),
        ]


def _scenario(memory: int, goal: Goal | None = None) -> Scenario:
    name = f"one line edited → `build`, `invoke --rie` answered, {memory} MB"
    return Scenario(name=name, contestants=partial(_answers, memory), goal=goal)


SCENARIOS: Final = (_scenario(1_769, Goal(at_most=2.0)), _scenario(256), _scenario(128))
