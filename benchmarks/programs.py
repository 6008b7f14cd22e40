"""Running the contestants' programs, as a user would."""

import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.scenario import Failed

_PATIENCE: Final = 900
"""Seconds for any one program; a first build may compile."""


def output(command: Sequence[str], folder: Path | None = None) -> str:
    """What a program prints. Raises Failed, with its last line, when it is not there, fails or hangs."""
    try:
        done = subprocess.run(
            list(command), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE
        )
    except FileNotFoundError:
        raise Failed(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} did not end within {_PATIENCE} s") from None
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Failed(f"exit code {done.returncode}: {' '.join(last)}")
    return done.stdout


def until_output(command: Sequence[str], folder: Path) -> float:
    """The seconds until a program has printed something; returns when it has ended. Raises Failed as `output` does."""
    start = time.perf_counter()
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(list(command), cwd=folder, **streams) as running:  # type: ignore[call-overload]
        said = running.stdout.read(1)
        took = time.perf_counter() - start
        running.stdout.read()
    if not said or running.returncode != 0:
        raise Failed(f"{command[0]} ended with exit code {running.returncode}")
    return took


def discarded(command: Sequence[str]) -> None:
    """Runs a program whose output is large, or doesn't matter. Raises Failed when it is not there or fails."""
    try:
        subprocess.run(
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=_PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Failed(str(error)) from None


@contextmanager
def answering(command: Sequence[str], folder: Path) -> Iterator[str]:
    """A program that runs within the block: the first line that it prints. Raises Failed when it ends without one."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(list(command), cwd=folder, text=True, **streams) as running:  # type: ignore[call-overload]
        try:
            line = running.stdout.readline() if running.stdout else ""
            if not line:
                raise Failed(f"{command[0]} ended with exit code {running.wait(_PATIENCE)}")
            yield line
        finally:
            running.send_signal(signal.SIGINT)
