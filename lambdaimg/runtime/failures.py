"""Lambda's own errors: what a caller gets when the function could not answer (invoke-api.md §4)."""

import json
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lambdaimg.engine.containers import MISSING_FOLDER
from lambdaimg.runtime.container_events import Exit

_MIB: Final = 1024 * 1024
_SIGNALS: Final = 128
"""A container's code of a program that a signal ended is this and the signal's number, as a shell has it."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A function that could not answer: Lambda's type and message, and a hint of ours for the log."""

    error_type: str
    message: str
    hint: str = ""

    def payload(self, request_id: str) -> bytes:
        """The error as the caller gets it, `{"errorType": …, "errorMessage": "RequestId: … Error: …"}`."""
        message = f"RequestId: {request_id} Error: {self.message}"
        return json.dumps({"errorType": self.error_type, "errorMessage": message}, separators=(",", ":")).encode()


@dataclass(frozen=True, kw_only=True)
class ResponseTooLarge(Failure):
    """Its message has no request id."""

    def payload(self, request_id: str) -> bytes:
        error = {"errorType": self.error_type, "errorMessage": self.message}
        return json.dumps(error, separators=(",", ":")).encode()


TRUNCATED: Final = Failure(error_type="Runtime.TruncatedResponse", message="Response payload was truncated")
ENGINE_GONE: Final = Failure(
    error_type="Sandbox.Failure", message="The environment is gone", hint="the container engine went away"
)


def too_large(limit: int) -> Failure:
    """A response of more than `limit` bytes."""
    return ResponseTooLarge(
        error_type="Function.ResponseSizeTooLarge",
        message=f"Response payload size exceeded maximum allowed payload size ({limit} bytes).",
    )


def timed_out(timeout: float) -> Failure:
    """The function's time is over; `timeout` is seconds, written with two decimals."""
    return Failure(error_type="Sandbox.Timedout", message=f"Task timed out after {timeout:.2f} seconds")


def ended(exit: Exit, memory_size: int) -> Failure:
    """The runtime's process has ended. `memory_size` is the function's setting in MB."""
    if exit.code is None:
        return ENGINE_GONE
    if exit.out_of_memory is not None and exit.code != 0:
        return Failure(
            error_type="Runtime.OutOfMemory",
            message=f"Runtime exited with error: {_how(exit.code)}",
            hint=out_of_memory_hint(exit, memory_size),
        )
    if exit.code == 0:
        return Failure(error_type="Runtime.ExitError", message="Runtime exited without providing a reason")
    return Failure(error_type="Runtime.ExitError", message=f"Runtime exited with error: {_how(exit.code)}")


def out_of_memory_hint(exit: Exit, memory_size: int) -> str:
    """Files in /tmp count as memory here and not on Lambda, so their share is told."""
    files = exit.out_of_memory.temporary // _MIB if exit.out_of_memory else 0
    remedy = ": `tmp-on-disk = true` takes them out of the memory" if files else ""
    return f"out of memory: all {memory_size} MB were used, {files} MB of them by files in /tmp{remedy}"


def _how(code: int) -> str:
    """`exit status 1`, or `signal: killed`, in Go's words, as Lambda's own emulator has them."""
    names = {signal.SIGKILL: "killed", signal.SIGSEGV: "segmentation fault", signal.SIGTERM: "terminated",
             signal.SIGABRT: "aborted", signal.SIGBUS: "bus error", signal.SIGFPE: "floating point exception",
             signal.SIGILL: "illegal instruction", signal.SIGINT: "interrupt", signal.SIGPIPE: "broken pipe",
             signal.SIGHUP: "hangup", signal.SIGQUIT: "quit"}  # fmt: skip
    name = names.get(code - _SIGNALS)  # type: ignore[call-overload]
    return f"signal: {name}" if name else f"exit status {code}"


_INVALID_ENTRYPOINT: Final = "Runtime.InvalidEntrypoint"
_NOT_EXECUTED: Final = re.compile(r"\[FATAL tini \(\d+\)\] exec (.+) failed: (.+)")
"""What the engine's init says of a program that it could not start."""

_WHY_NOT: Final = {
    "exec format error": "the image is for another architecture: set architecture, or let this machine emulate it "
    "(the package qemu-user-static)",
    "no such file or directory": "the image's entrypoint is not there, or its interpreter is not",
    "not found in $PATH": "name the entrypoint with its whole path",
    "permission denied": "Lambda's user may not execute the image's entrypoint: chmod 755",
    "is a directory": "the image's entrypoint is a folder",
    "no command specified": "the image has neither entrypoint nor command",
}


def cant_start(said: str, program: str) -> Failure | None:
    """The failure in what the engine says of a container that it could not start; None where it is not the image's.

    `program` is the entrypoint's first word.
    """
    if re.search(rf"{MISSING_FOLDER}|chdir to cwd|Cwd must be|mkdir.*read-only file system", said):
        return Failure(
            error_type="Runtime.InvalidWorkingDir",
            message="chdir: no such file or directory",
            hint="the working directory is not in the image, or Lambda's user may not enter it",
        )
    for reason, hint in _WHY_NOT.items():
        if reason in said:
            return Failure(error_type=_INVALID_ENTRYPOINT, message=f"fork/exec {program}: {reason}", hint=hint)
    return None


def not_executed(log: Sequence[str]) -> Failure | None:
    """The failure that the init's own line in the log tells; None where it executed the entrypoint."""
    for line in log:
        if found := _NOT_EXECUTED.match(line):
            reason = found[2].lower()
            hint = _WHY_NOT.get(reason, "")
            return Failure(error_type=_INVALID_ENTRYPOINT, message=f"fork/exec {found[1]}: {reason}", hint=hint)
    return None


EXTENSION_INIT_ERROR: Final = "Extension.InitError"
EXTENSION_EXIT_ERROR: Final = "Extension.ExitError"
_NOT_STARTED: Final = re.compile(r"OCI runtime exec failed: .*?([^:]+?)(?:: unknown)?$")
"""What the engine says, in the place of a program's output, of one that it could not execute beside the entrypoint."""


def is_engines_word(line: str) -> bool:
    return _NOT_STARTED.match(line) is not None


def extension_ended(name: str, code: int | None, said: str) -> Failure:
    """An external extension has ended before its time; `said` is its last line. No code: the engine refused it."""
    refused = _NOT_STARTED.match(said)
    if code is None or refused:
        return Failure(
            error_type="Extension.LaunchError",
            message=f"fork/exec /opt/extensions/{name}: {refused[1].strip() if refused else said}",
            hint=f"the extension {name} can't be executed: it must be a program for this machine, with mode 755",
        )
    message = f"{name}: {_how(code)}" if code else f"{name}: exit code 0"
    return Failure(error_type="Extension.Crash", message=message)
