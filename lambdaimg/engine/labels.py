"""The labels on everything that lambdaimg makes in the engine, and whose it is."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from lambdaimg.model.project import Function, Project

PROJECT: Final = "lambdaimg.project"
FUNCTION: Final = "lambdaimg.function"
PATH: Final = "lambdaimg.path"
ROLE: Final = "lambdaimg.role"
OWNER: Final = "lambdaimg.owner"
ENDPOINT: Final = "lambdaimg.endpoint"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A process: its machine, that machine's boot, its id and its start time, so that a reused id is told apart."""

    machine: str
    boot: str
    process: int
    started: str

    def __str__(self) -> str:
        return f"{self.machine}|{self.boot}|{self.process}|{self.started}"

    @classmethod
    def parse(cls, label: str) -> "Owner | None":
        machine, boot, process, started = (label.split("|") + [""] * 4)[:4]
        if not process.isdigit():
            return None
        return cls(machine=machine, boot=boot, process=int(process), started=started)

    @property
    def dead(self) -> bool:
        """Whether the process is known to have ended. Of another machine's processes nothing is known."""
        if self.machine != socket.gethostname():
            return False
        return self.boot != _boot() or self.started != _start_of(self.process)


@cache
def this_process() -> Owner:
    process = os.getpid()
    return Owner(machine=socket.gethostname(), boot=_boot(), process=process, started=_start_of(process))


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:  # not Linux: process ids and their liveness must do
        return ""


def _start_of(process: int) -> str:
    """The start time of a process, in clock ticks since boot; empty when there is no such process."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
        return stat.rpartition(")")[2].split()[19]  # field 22 of proc(5)
    except OSError:
        pass
    if Path("/proc/self").exists():
        return ""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "alive"


def made_for(project: Project, function: Function, role: str) -> dict[str, str]:
    """The labels of something made for a function by this process."""
    return {**made_by(project, role), FUNCTION: function.name}


def made_by(project: Project, role: str) -> dict[str, str]:
    """The labels of something made for all functions of a project by this process."""
    return {PROJECT: project.name, PATH: project.path_hash, ROLE: role, OWNER: str(this_process())}


def owner_is_dead(labels: Mapping[str, str]) -> bool:
    owner = Owner.parse(labels.get(OWNER, ""))
    return owner is not None and owner.dead
