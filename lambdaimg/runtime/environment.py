"""An execution environment under AWS's Runtime Interface Emulator: one container, one invocation at a time."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Final

import requests

from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import ContainerSpec
from lambdaimg.model import rie
from lambdaimg.model.errors import EngineError, EnvironmentBusy, EnvironmentFailed
from lambdaimg.model.invocation import Invocation, Report, error_of
from lambdaimg.model.sandbox import CPU_PERIOD
from lambdaimg.runtime.rie_log import Record, RieLog

_READY_WITHIN: Final = 30.0
"""Seconds until the RIE listens; it does so before the function is started."""
_POLL: Final = 0.005
_LOG_WITHIN: Final = 2.0
"""Seconds that the end of an invocation's log may come after its answer."""
_BEYOND_TIMEOUT: Final = 30.0
"""Seconds that the RIE gets on top of init phase and timeout before it counts as hanging."""
_INIT_PHASE: Final = 10.0
_GRACE: Final = 3.0
"""Seconds to end after SIGTERM: Lambda gives extensions up to 2."""
_MIB: Final = 1024 * 1024
_TIMED_OUT: Final = b"Task timed out after "

OnLine = Callable[[str], None]


class State(Enum):
    """Where an environment is on its way; it never goes back."""

    NEW = "new"
    READY = "ready"
    BUSY = "busy"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an environment needs to know of its function. Memory is MB, times are seconds."""

    function: str
    memory: int
    timeout: int
    cpu_quota: int
    """µs per `CPU_PERIOD`, once the init phase is over; 0 for no limit."""


class ExecutionEnvironment:
    """A container that answers invocations; a context manager, gone when it is left.

    `on_line` gets every line of the log as it comes: START, the function's own, END and REPORT.
    """

    def __init__(self, engine: Engine, spec: ContainerSpec, settings: Settings, on_line: OnLine) -> None:
        self._engine = engine
        self._spec = spec
        self._settings = settings
        self._on_line = on_line
        self._log = RieLog()
        self._news = threading.Condition()
        self._turn = threading.Lock()
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy is not asked for what is on this machine
        self._container = ""
        self._port = 0
        self.state = State.NEW

    def __enter__(self) -> "ExecutionEnvironment":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the container and waits until the emulator listens.

        Raises EnvironmentFailed, with the log's last lines, when the container ends instead.
        """
        self._container = self._engine.create(self._spec)
        pieces = self._engine.output(self._container)
        threading.Thread(target=self._follow, args=(pieces,), name="log", daemon=True).start()
        try:
            self._engine.start(self._container)
        except EngineError as error:
            raise EnvironmentFailed(
                f"{self._settings.function} can't start: {error.what}", remedy=_why(error.what)
            ) from None
        self._wait_until_ready()
        self.state = State.READY

    def _wait_until_ready(self) -> None:
        """Any answer will do: the RIE answers 404 to what is not an invocation."""
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline:
            port = self._engine.host_port(self._container, rie.PORT)
            if port is None:
                raise self._ended()
            try:
                self._session.get(f"http://127.0.0.1:{port}/", timeout=_READY_WITHIN)
            except requests.ConnectionError:
                time.sleep(_POLL)
                continue
            self._port = port
            return
        raise EnvironmentFailed(
            f"{self._settings.function}: the emulator did not listen within {_READY_WITHIN:g} s",
            remedy="`lambdaimg doctor` checks the network to containers",
        )

    def _ended(self) -> EnvironmentFailed:
        code = self._engine.exit_code(self._container)
        with self._news:
            said = self._log.record.lines[-12:]
        error = EnvironmentFailed(
            f"{self._settings.function}: the environment ended with code {code}", remedy=_why("\n".join(said))
        )
        error.output = tuple(said)
        return error

    def invoke(self, event: bytes, *, wait: bool = True) -> Invocation:
        """Hands one event to the function and returns its answer, a function's failure being an answer too.

        A second invocation waits for its turn; with `wait` off, it raises EnvironmentBusy. Raises EnvironmentFailed
        when the container ends before it has answered.
        """
        if not self._turn.acquire(blocking=wait):
            raise EnvironmentBusy(f"{self._settings.function} is busy: an environment runs one invocation at a time")
        try:
            if self.state is not State.READY:
                raise EnvironmentFailed(f"{self._settings.function}: the environment is {self.state.value}, not ready")
            self.state = State.BUSY
            try:
                return self._invoke(event)
            finally:
                if self.state is State.BUSY:
                    self.state = State.READY
        finally:
            self._turn.release()

    def _invoke(self, event: bytes) -> Invocation:
        with self._news:
            record = self._log.record = Record()
        begun = time.monotonic()
        try:
            answer = self._session.post(
                f"http://127.0.0.1:{self._port}{rie.INVOKE_PATH}",
                data=event,
                headers={"Content-Type": "application/json"},
                timeout=_INIT_PHASE + self._settings.timeout + _BEYOND_TIMEOUT,
            )
        except requests.Timeout:
            raise EnvironmentFailed(f"{self._settings.function}: the emulator hangs") from None
        except requests.RequestException:
            raise self._ended() from None
        elapsed = (time.monotonic() - begun) * 1000
        report = self._report(record, elapsed, _status(answer))
        return Invocation(
            payload=_payload(answer, record.request_id),
            function_error=bool(report.status),
            log=tuple(record.lines),
            report=report,
        )

    def _report(self, record: Record, elapsed: float, status: str) -> Report:
        """Waits for the end of the log, and completes it with END and a REPORT of measured figures."""
        with self._news:
            self._news.wait_for(lambda: record.ended, _LOG_WITHIN)
        memory = self._engine.memory(self._container)
        report = Report(
            request_id=record.request_id,
            duration_ms=record.duration_ms if record.duration_ms is not None else elapsed,
            memory_size=self._settings.memory,
            max_memory_used=-(-memory.peak // _MIB) if memory else None,
            init_ms=record.init_ms,
            status=status,
        )
        for line in (f"END RequestId: {record.request_id}", report.line()):
            record.lines.append(line)
            self._on_line(line)
        return report

    def stop(self) -> None:
        """Ends the container as Lambda's shutdown phase does, and removes it. A second call does nothing."""
        if self.state is State.STOPPED:
            return
        self.state = State.STOPPED
        self._session.close()
        if self._container:
            try:
                self._engine.stop(self._container, grace=_GRACE)
            finally:
                self._engine.remove(self._container)

    def _follow(self, pieces: Iterator[tuple[bytes, bytes]]) -> None:
        """Reads the container's output to its end, on a thread of its own."""
        output, errors = _Lines(), _Lines()
        with contextlib.suppress(EngineError, requests.RequestException, OSError, ValueError):
            for from_output, from_errors in pieces:
                self._read(output.add(from_output), errors.add(from_errors))
        self._read(output.rest(), errors.rest())

    def _read(self, output: list[str], errors: list[str]) -> None:
        with self._news:
            was_initialised = self._log.initialised
            seen = [self._log.output(line) for line in output] + [self._log.errors(line) for line in errors]
            self._news.notify_all()
        for line in seen:
            if line is not None:
                self._on_line(line)
        if self._log.initialised and not was_initialised and self._settings.cpu_quota:
            with contextlib.suppress(EngineError):  # it has ended already
                self._engine.limit_cpu(self._container, period=CPU_PERIOD, quota=self._settings.cpu_quota)


class _Lines:
    """Puts pieces of a stream together into lines."""

    def __init__(self) -> None:
        self._open = b""

    def add(self, piece: bytes) -> list[str]:
        *lines, self._open = (self._open + piece).split(b"\n")
        return [line.decode("utf-8", "replace").rstrip("\r") for line in lines]

    def rest(self) -> list[str]:
        return [self._open.decode("utf-8", "replace")] if self._open else []


def _status(answer: requests.Response) -> str:
    """`timeout`, `error`, or nothing: the RIE says it only by what the body looks like."""
    if answer.content.startswith(_TIMED_OUT):
        return "timeout"
    return "error" if answer.status_code != 200 or error_of(answer.content) else ""


def _payload(answer: requests.Response, request_id: str) -> bytes:
    """The response's payload; a timeout, which the RIE answers in plain text, in Lambda's own form."""
    if not answer.content.startswith(_TIMED_OUT):
        return answer.content
    message = f"RequestId: {request_id} Error: {answer.text}"
    return b'{"errorType":"Sandbox.Timedout","errorMessage":"%s"}' % message.encode()


def _why(said: str) -> str:
    if "exec format error" in said:
        return (
            "the image is for another architecture: set architecture, or let this machine emulate it "
            "(the package qemu-user-static)"
        )
    if "bind source path does not exist" in said:
        return "the engine does not see this machine's files: a remote engine can't mount the emulator"
    if "port is already allocated" in said or "address already in use" in said:
        return "choose another port with --port"
    return ""
