"""What is left in the engine and of processes when a command is interrupted, ended or killed in the midst of work."""

import http.client
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

from benchmarks.sam import SAM, Sam, function_name, on_demand
from benchmarks.scenario import LAMBDAIMG, Contestant, Failed, Goal, Scenario
from benchmarks.servers import free_port, listens, processes, started
from benchmarks.workspace import Workspace, workspace

_MEMORY: Final = 512
_NOTHING: Final = "nothing"
_QUICK: Final = '{"sleep": 0}'
_WITHIN: Final = 30.0
_POLL: Final = 0.05
_APP: Final = """\
import time


def handler(event, context):
    time.sleep(event.get("sleep", 25))
    return {"message": "Hello, world"}
"""
"""At work for as long as it may be."""

Start = tuple[tuple[str, ...], int]
"""A command that is to be stopped, and the port that it is asked at; 0 where it invokes the function itself."""


@contextmanager
def _project() -> Iterator[Workspace]:
    with workspace(_MEMORY) as made:
        (made.root / "hello" / "app.py").write_text(_APP, "utf-8")
        yield made


def _ours(project: Workspace) -> Iterator[Start]:
    yield (project.program, "invoke"), 0
    for command in ("run", "serve"):
        port = free_port()
        yield (project.program, command, f"--port={port}"), port


def _sams(sam: Sam) -> Iterator[Start]:
    sam.invoke(_QUICK)  # makes its image with the emulator: killed meanwhile, its next start waits minutes for a lock
    yield sam.command("local", "invoke", sam.function), 0
    for options in ((), ("--warm-containers", "EAGER")):
        port = free_port()
        yield sam.command("local", "start-lambda", f"--port={port}", *options), port


def _left(project: Workspace, starts: Iterator[Start], number: signal.Signals, after: Callable[[], object]) -> float:
    """Containers and processes that are there after each command was stopped, and the next start where it was killed.

    They are removed, so that none is counted twice.
    """
    left = 0
    for command, port in starts:
        session = _stopped(project, command, port, number)
        if number is signal.SIGKILL:
            after()
        there, living = project.containers(), processes(session)
        left += len(there) + len(living)
        if there:
            project.docker("rm", "--force", *there)
    return left


def _stopped(project: Workspace, command: Sequence[str], port: int, number: signal.Signals) -> int:
    """Stops a command whose function is at work; returns the id of its session. Ctrl-C goes to all its processes."""
    with started(command, project.root) as process:
        if port:
            listens(process, port)
            threading.Thread(target=_ask, args=(project, port), daemon=True).start()
        _until(lambda: bool(project.containers()), process)
        (os.killpg if number is signal.SIGINT else os.kill)(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_WITHIN)
        return process.pid


def _ask(project: Workspace, port: int) -> None:
    """At both of the paths that a function has; nobody waits for the answer."""
    for function in ("hello", "function", function_name(project)):
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_WITHIN)
            connection.request("POST", f"/2015-03-31/functions/{function}/invocations", "{}")
            if connection.getresponse().status != 404:
                return


def _until(holds: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _WITHIN
    while not holds():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failed(f"it ran no container: exit code {process.poll()}")
        time.sleep(_POLL)


@contextmanager
def _stops(number: signal.Signals) -> Iterator[Sequence[Contestant]]:
    with _project() as ours, _project() as sams:
        ours.lambdaimg("build")
        sam = on_demand(sams)
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: _left(ours, _ours(ours), number, lambda: _invoke(ours))),
            Contestant(name=SAM, measure=lambda: _left(sams, _sams(sam()), number, lambda: sam().invoke(_QUICK))),
            Contestant(name=_NOTHING, measure=lambda: 0),
        ]


def _invoke(project: Workspace) -> None:
    project.lambdaimg("invoke", "--data", _QUICK)


def _scenario(name: str, number: signal.Signals) -> Scenario:
    return Scenario(
        name=f"left of 3 commands after {name}",
        contestants=partial(_stops, number),
        goal=Goal(at_most=1.0, beside=_NOTHING),
        unit="left",
        repeat=1,
        quick=0,
    )


SCENARIOS: Final = (
    _scenario("Ctrl-C", signal.SIGINT),
    _scenario("SIGTERM", signal.SIGTERM),
    _scenario("SIGKILL and the next start", signal.SIGKILL),
)
