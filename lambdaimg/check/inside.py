"""A look into a running container: its processes, and the files that they hold open."""

from dataclasses import dataclass
from typing import Final

from lambdaimg.engine.client import Engine

_SCRIPT: Final = r"""
for process in /proc/[0-9]*; do
  [ "$process" = "/proc/$$" ] && continue
  open=$(ls "$process/fd" 2>/dev/null | wc -l)
  name=$(tr '\0' ' ' < "$process/cmdline" 2>/dev/null) && [ -n "$name" ] && echo "$open $name"
done
true
"""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process: its arguments as one text, and how many descriptors it holds."""

    name: str
    descriptors: int


@dataclass(frozen=True, kw_only=True)
class Inside:
    """All processes but those that looked."""

    processes: tuple[Process, ...]

    @property
    def descriptors(self) -> int:
        """The most that one process holds."""
        return max((process.descriptors for process in self.processes), default=0)


def look(engine: Engine, container: str) -> Inside | None:
    """What runs in a container; None where it has no shell."""
    output = engine.run_inside(container, ["/bin/sh", "-c", _SCRIPT])
    return None if output is None else Inside(processes=tuple(map(_process, output.splitlines())))


def _process(line: str) -> Process:
    count, _, name = line.partition(" ")
    return Process(name=name.strip(), descriptors=int(count))
