"""The one place that starts programs: argument lists only, never a shell."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from lambdaimg.model.errors import ProgramMissing

_GRACE = 10.0
"""Seconds that an interrupted program gets to clean up behind itself (buildx cancels its build)."""

_started: Final[set["subprocess.Popen[str]"]] = set()
"""The programs that `started` runs, on whichever thread, but for those that were interrupted."""


@dataclass(frozen=True, kw_only=True)
class Completed:
    """How a program ended, and what it printed."""

    code: int
    output: str
    errors: str

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The end of what it said, for an error message."""
        return tuple((self.errors or self.output).strip().splitlines()[-12:])


def run(arguments: Sequence[str], *, timeout: float, environment: Mapping[str, str] | None = None) -> Completed:
    """Runs a program to its end.

    `environment` is added to this process's own. Raises ProgramMissing when it isn't there; a program that takes
    longer than `timeout` seconds is killed, and counts as failed with code -9.
    """
    try:
        done = subprocess.run(
            list(arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env={**os.environ, **(environment or {})},
        )
    except FileNotFoundError:
        raise _missing(arguments[0]) from None
    except subprocess.TimeoutExpired as expired:
        message = f"{arguments[0]} did not end within {timeout:g} s"
        return Completed(code=-9, output=str(expired.stdout or ""), errors=message)
    return Completed(code=done.returncode, output=done.stdout, errors=done.stderr)


class Running:
    """A program that runs: its error stream line by line, then its code."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def lines(self) -> Iterator[str]:
        """What it prints on stderr, as it comes."""
        stream: IO[str] | None = self._process.stderr
        for line in stream or ():
            yield line.rstrip("\n")

    def code(self) -> int:
        return self._process.wait()


@contextmanager
def started(
    arguments: Sequence[str], *, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """A program in a process group of its own, so that Ctrl-C reaches it through us, once; it never outlives the block.

    Raises ProgramMissing when it isn't there.
    """
    try:
        process = subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=folder,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    except FileNotFoundError:
        raise _missing(arguments[0]) from None
    _started.add(process)
    try:
        yield Running(process)
    finally:
        _started.discard(process)
        _end(process)


def interrupt() -> None:
    """Interrupts the programs that `started` runs on other threads, each of them once: they end, and have failed."""
    while _started:
        _started.pop().send_signal(signal.SIGINT)


class Serving:
    """A program that runs until it is told to end: what it prints, line by line, and what it said on stderr."""

    def __init__(self, output: IO[str], errors: IO[bytes]) -> None:
        self.output = output
        self._errors = errors

    @property
    def last_lines(self) -> tuple[str, ...]:
        self._errors.seek(0)
        return tuple(self._errors.read().decode("utf-8", "replace").splitlines()[-12:])


@contextmanager
def serving(arguments: Sequence[str]) -> Iterator[Serving]:
    """A program that is interrupted when the block is left. Raises ProgramMissing when it isn't there."""
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except FileNotFoundError:
            raise _missing(arguments[0]) from None
        try:
            yield Serving(cast("IO[str]", process.stdout), errors)
        finally:
            _end(process)


class Producing:
    """A program whose output is somebody's input. `code` and `last_lines` are known once it has ended."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.code = -1
        self.last_lines: tuple[str, ...] = ()


@contextmanager
def producing(arguments: Sequence[str]) -> Iterator[Producing]:
    """A program whose standard output is read as bytes within the block; it never outlives the block.

    Raises ProgramMissing when it isn't there.
    """
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise _missing(arguments[0]) from None
        found = Producing(cast("IO[bytes]", process.stdout))
        try:
            yield found
            found.code = process.wait()
        finally:
            _end(process)
            errors.seek(0)
            found.last_lines = tuple(errors.read().decode("utf-8", "replace").splitlines()[-12:])


def _end(process: "subprocess.Popen[Any]") -> None:
    """Interrupts the program if it still runs, and kills it if it stays."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


def attached(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs a program on this terminal, with that environment; Ctrl-C is its own to handle. Returns its code."""
    previous = signal.signal(signal.SIGINT, lambda _number, _frame: None)  # a handler, unlike SIG_IGN, isn't inherited
    try:
        return subprocess.call(list(arguments), env=dict(environment))
    except FileNotFoundError:
        raise _missing(arguments[0]) from None
    finally:
        signal.signal(signal.SIGINT, previous)


def _missing(program: str) -> ProgramMissing:
    return ProgramMissing(f"the program {program} is not installed", remedy="`lambdaimg doctor` says what is needed")
