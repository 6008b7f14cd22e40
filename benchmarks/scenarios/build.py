"""How long a build takes that has little or nothing to do."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from benchmarks.floor import Floor
from benchmarks.scenario import FLOOR, LAMBDAIMG, Contestant, Goal, Scenario, seconds
from benchmarks.workspace import Workspace, workspace

_MEMORY: Final = 1_769


def _after(change: Callable[[Workspace], None], project: Workspace, build: Callable[[], object]) -> float:
    change(project)
    return seconds(build)


@contextmanager
def _builds(change: Callable[[Workspace], None]) -> Iterator[Sequence[Contestant]]:
    with workspace(_MEMORY) as ours, workspace(_MEMORY) as theirs:
        floor = Floor(theirs)
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: _after(change, ours, lambda: ours.lambdaimg("build"))),
            Contestant(name=FLOOR, measure=lambda: _after(change, theirs, floor.build)),
        ]


SCENARIOS: Final = (
    Scenario(
        name="nothing changed → `build`", contestants=lambda: _builds(lambda _project: None), goal=Goal(at_most=2.0)
    ),
    Scenario(name="one line edited → `build`", contestants=lambda: _builds(Workspace.edit), goal=Goal(at_most=2.5)),
)
