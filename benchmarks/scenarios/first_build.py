"""How long a build takes with nothing in the caches, which are a namespace of each build's own in the shared engine."""

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from benchmarks.floor import build_command
from benchmarks.sam import SAM, Sam
from benchmarks.scenario import FLOOR, LAMBDAIMG, Contestant, Goal, Scenario, seconds
from benchmarks.workspace import Workspace, workspace

_MEMORY: Final = 512
_COUNT: Final = 8
_COLD: Final = '[build.args]\nBUILDKIT_CACHE_MOUNT_NS = "{namespace}"\n'
"""The namespace of a build's cache mounts (BuildKit, built-in build arguments): steps that have one start anew too."""
_FUNCTION: Final = '[functions.{name}]\nlanguage = "python"\nbase = "debian-trixie"\n'


class _Forgetful:
    """A project whose every build starts from nothing."""

    def __init__(self, project: Workspace) -> None:
        self._project = project
        self._file = project.root / "lambdaimg.toml"
        self._said = self._file.read_text("utf-8")

    def grow(self, names: Sequence[str]) -> None:
        """Has functions besides, each with dependencies of its own: one that no other installs is a step of its own."""
        root = self._project.root
        for name in names:
            shutil.copytree(root / "hello", root / name)
            (root / name / "requirements.txt").open("a", encoding="utf-8").write(f"# {name}\n")
        self._said += "".join(_FUNCTION.format(name=name) for name in names)

    def forget(self) -> None:
        cold = _COLD.format(namespace=secrets.token_hex(8))
        self._file.write_text(self._said + cold, "utf-8")

    def build(self) -> float:
        self.forget()
        return seconds(lambda: self._project.lambdaimg("build"))

    def build_by_docker(self, names: Sequence[str]) -> float:
        """One after the other."""
        self.forget()
        self._project.lambdaimg("render")
        commands = [build_command(self._project, name) for name in names]
        return seconds(lambda: [self._project.docker(*command) for command in commands])


def _by_sam(project: Workspace) -> float:
    sam = Sam(project)
    sam.forget(secrets.token_hex(8))
    return seconds(sam.build)


@contextmanager
def _one() -> Iterator[Sequence[Contestant]]:
    with workspace(_MEMORY) as ours, workspace(_MEMORY) as sams, workspace(_MEMORY) as floors:
        singly = _Forgetful(floors)
        yield [
            Contestant(name=LAMBDAIMG, measure=_Forgetful(ours).build),
            Contestant(name=SAM, measure=lambda: _by_sam(sams)),
            Contestant(name=FLOOR, measure=lambda: singly.build_by_docker(["hello"])),
        ]


@contextmanager
def _many() -> Iterator[Sequence[Contestant]]:
    names = [f"hello{number}" for number in range(1, _COUNT)]
    with workspace(_MEMORY) as ours, workspace(_MEMORY) as floors:
        together, singly = _Forgetful(ours), _Forgetful(floors)
        together.grow(names)
        singly.grow(names)
        yield [
            Contestant(name=LAMBDAIMG, measure=together.build),
            Contestant(name=FLOOR, measure=lambda: singly.build_by_docker(["hello", *names])),
        ]


SCENARIOS: Final = (
    Scenario(name="cold build of the Python example", contestants=_one, goal=Goal(at_most=1.05), repeat=3, quick=0),
    Scenario(
        name=f"{_COUNT} images in one cold build; the floor builds one after the other",
        contestants=_many,
        goal=Goal(at_most=0.85),
        repeat=3,
        quick=0,
    ),
)
