"""Programs that serve, each the leader of a session of its own, and what that session takes of the machine."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.scenario import Failed

_WITHIN: Final = 60.0
_POLL: Final = 0.002


@dataclass(frozen=True, kw_only=True)
class Server:
    """One that serves. `url` invokes its function; `id` is the session's."""

    url: str
    id: int

    def megabytes(self) -> float:
        """The resident memory of all its processes, what they share counted once."""
        return sum(_kilobytes(process) for process in processes(self.id)) * 1024 / 1_000_000

    def descriptors(self) -> int:
        return sum(len(list((process / "fd").iterdir())) for process in processes(self.id))


def processes(session: int) -> list[Path]:
    """The folders in /proc of a session's processes that live."""
    return [each for each in Path("/proc").iterdir() if each.name.isdigit() and _lives_in(each, session)]


def _lives_in(process: Path, session: int) -> bool:
    """By proc(5): after the name in brackets come the state, the parent, the group and the session."""
    with suppress(OSError):
        state, _parent, _group, own = (process / "stat").read_text("utf-8").rpartition(")")[2].split()[:4]
        return int(own) == session and state != "Z"
    return False


def _kilobytes(process: Path) -> int:
    lines = (process / "smaps_rollup").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def started(command: Sequence[str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A program in a session of its own, which is interrupted at the end, and killed when that doesn't help."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(list(command), cwd=folder, start_new_session=True, **quiet) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_WITHIN)
    for left in processes(process.pid):
        with suppress(ProcessLookupError):
            os.kill(int(left.name), signal.SIGKILL)


@contextmanager
def serving(command: Sequence[str], folder: Path, port: int) -> Iterator[int]:
    """A program that listens on a port; gives its session. Raises Failed when it ends before."""
    with started(command, folder) as process:
        listens(process, port)
        yield process.pid


def listens(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Returns once a port is open. Raises Failed when the program ends before, or takes too long."""
    deadline = time.monotonic() + _WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(_POLL)
    raise Failed(f"it did not serve: exit code {process.poll()}")
