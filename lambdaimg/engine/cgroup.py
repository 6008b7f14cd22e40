"""A container's memory, read from its control group where that lies on this machine: microseconds, not a request.

The files are those of the kernel's "Memory Resource Controller" (v1) and "Control Group v2" documents.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")


@dataclass(frozen=True, kw_only=True)
class Memory:
    """A container's memory, in bytes. `peak` is the most that it held at once; files are left out of both.

    `temporary` is what its files in memory (a tmpfs) take.
    """

    now: int
    peak: int
    temporary: int


class ControlGroup:
    """The control group of one container."""

    def __init__(self, folder: Path, *, unified: bool) -> None:
        self._usage = folder / ("memory.current" if unified else "memory.usage_in_bytes")
        self._peak = folder / ("memory.peak" if unified else "memory.max_usage_in_bytes")
        self._statistics = folder / "memory.stat"
        self._prefix = "" if unified else "total_"

    def memory(self) -> Memory | None:
        """What it holds and has held; None when it is gone."""
        try:
            usage, statistics = int(self._usage.read_text("ascii")), self._statistics.read_text("ascii")
        except (OSError, ValueError):
            return None
        peak = 0
        with contextlib.suppress(OSError, ValueError):  # memory.peak is of Linux 5.19
            peak = int(self._peak.read_text("ascii"))
        return memory_of(usage, peak, _numbers(statistics, self._prefix))


def memory_of(usage: int, peak: int, statistics: Mapping[str, int]) -> Memory:
    """From the kernel's figures; the cache (v2: `file`, v1: `cache`) holds the files of a tmpfs too."""
    cache = statistics.get("file", statistics.get("cache", 0))
    now = max(usage - cache, 0)
    return Memory(now=now, peak=max(now, peak - cache), temporary=statistics.get("shmem", 0))


def _numbers(statistics: str, prefix: str) -> dict[str, int]:
    pairs = (line.split() for line in statistics.splitlines() if line.startswith(prefix))
    return {name.removeprefix(prefix): int(number) for name, number in pairs}


def of_process(process: int, container: str) -> ControlGroup | None:
    """The group of a container's main process; None where it can't be seen from here (another machine, a VM)."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/cgroup").read_text("utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            unified = not controllers
            if container not in path or not (unified or "memory" in controllers.split(",")):
                continue
            folder = (_ROOT if unified else _ROOT / "memory") / path.lstrip("/")
            if (folder / "memory.stat").is_file():
                return ControlGroup(folder, unified=unified)
    return None
