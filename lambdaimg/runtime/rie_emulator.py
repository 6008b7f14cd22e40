"""AWS's Runtime Interface Emulator, mounted into the container, as an emulator: the reference, with its limits.

What it can't do is in docs/rie-differences.md; what it makes up (its memory and init figures) is measured here.
"""

import asyncio
import base64
import threading
import time
from typing import Final

import requests

from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import ContainerSpec
from lambdaimg.model import rie
from lambdaimg.model.errors import EngineError, EnvironmentFailed
from lambdaimg.model.invocation import Invocation, Report, Request, error_of
from lambdaimg.model.sandbox import CPU_PERIOD
from lambdaimg.runtime import failures
from lambdaimg.runtime.container import Container
from lambdaimg.runtime.container_events import ContainerEvents
from lambdaimg.runtime.emulator import Kind, Settings, Tell
from lambdaimg.runtime.log import Log
from lambdaimg.runtime.rie_log import Record, RieLog
from lambdaimg.runtime.temporary_files import TemporaryFiles

_READY_WITHIN: Final = 30.0
"""Seconds until the RIE listens; it does so before the function is started."""
_POLL: Final = 0.005
_LOG_WITHIN: Final = 2.0
"""Seconds that the end of an invocation's log may come after its answer."""
_BEYOND_TIMEOUT: Final = 30.0
"""Seconds that the RIE gets on top of init phase and timeout before it counts as hanging."""
_GRACE: Final = 3.0
"""Seconds to end after SIGTERM: it gives extensions up to 2."""
_MIB: Final = 1024 * 1024
_TIMED_OUT: Final = b"Task timed out after "


class RieEmulator:
    """An emulator (see `Emulator`): one container, reached at its published port."""

    def __init__(
        self,
        engine: Engine,
        events: ContainerEvents,
        spec: ContainerSpec,
        settings: Settings,
        files: TemporaryFiles,
        log: Log,
        tell: Tell,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._files = files
        self._log = log
        self._tell = tell
        self._rie_log = RieLog()
        self._record = self._rie_log.record
        self._news = threading.Condition()
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy is not asked for what is on this machine
        self._container = Container(engine, events, spec, self._read)
        self._loop = asyncio.get_running_loop()
        self._port = 0
        self._is_over = False
        self._report: Report | None = None

    async def start(self) -> None:
        """See Emulator: the RIE begins the init phase with the first invocation."""
        try:
            await self._container.start()
        except EngineError as error:
            failure = failures.cant_start(error.what, self._settings.program)
            remedy = failure.hint if failure else _why(error.what)
            raise EnvironmentFailed(f"{self._settings.function} can't start: {error.what}", remedy=remedy) from None
        await asyncio.to_thread(self._wait_until_ready)

    def _wait_until_ready(self) -> None:
        """Any answer will do: the RIE answers 404 to what is not an invocation."""
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline:
            port = self._engine.host_port(self._container.id, rie.PORT)
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
        code = self._engine.exit_code(self._container.id)
        said = self._log.lines()[-12:]
        error = EnvironmentFailed(
            f"{self._settings.function}: the environment ended with code {code}", remedy=_why("\n".join(said))
        )
        error.output = said
        return error

    async def invoke(self, request: Request) -> Invocation:
        """See Emulator. Raises EnvironmentFailed when the container ends before it has answered, or hangs."""
        self._log.begin()
        with self._news:
            self._record = self._rie_log.record = Record()
        begun = time.monotonic()
        answer = await asyncio.to_thread(self._post, request)
        elapsed = (time.monotonic() - begun) * 1000
        await asyncio.to_thread(self._wait_for_log)
        self._report = report = await self._measure(elapsed, answer)
        payload = _payload(answer, report.request_id)
        self._tell(
            Kind.FAILED if report.status == "timeout" else Kind.ANSWERED,
            request_id=report.request_id,
            report=report,
            error_type=report.error_type,
        )
        return Invocation(payload=payload, function_error=bool(report.status), log=(), report=report)

    def _post(self, request: Request) -> requests.Response:
        try:
            return self._session.post(
                f"http://127.0.0.1:{self._port}{rie.INVOKE_PATH}",
                data=request.event,
                headers=_headers(request),
                timeout=self._settings.init_phase + self._settings.timeout + _BEYOND_TIMEOUT,
            )
        except requests.Timeout:
            raise EnvironmentFailed(f"{self._settings.function}: the emulator hangs") from None
        except requests.RequestException:
            raise self._ended() from None

    def _wait_for_log(self) -> None:
        """The first invocation's is whole with the init phase's note, unless it failed."""
        record, log = self._record, self._rie_log
        with self._news:
            self._news.wait_for(lambda: record.ended and (log.initialised or record.total_ms is None), _LOG_WITHIN)

    async def _measure(self, elapsed: float, answer: requests.Response) -> Report:
        record, memory = self._record, await self._container.memory()
        status = _status(answer)
        error = error_of(answer.content) if status == "error" else None
        return Report(
            request_id=record.request_id,
            duration_ms=record.duration_ms if record.duration_ms is not None else elapsed,
            memory_size=self._settings.memory,
            max_memory_used=-(-memory.peak // _MIB) if memory else None,
            init_ms=record.init_ms,
            status=status,
            error_type="Sandbox.Timedout" if status == "timeout" else str(error["errorType"]) if error else "",
        )

    async def finish(self) -> None:
        """See Emulator: completes the log with END and a REPORT of measured figures."""
        report, self._report = self._report, None
        if report is not None:
            self._log.write(f"END RequestId: {report.request_id}", report.line())

    async def log(self) -> tuple[str, ...]:
        """See Emulator."""
        return self._log.lines()

    async def freeze(self) -> None:
        """See Emulator."""
        await self._container.freeze()

    async def thaw(self) -> None:
        """See Emulator."""
        await self._container.thaw()

    async def stop(self) -> None:
        """See Emulator. As on Lambda, nobody is asked to end where no extension is."""
        self._session.close()
        asks = self._rie_log.has_extensions and not self._container.exit.done()
        self._is_over = not asks
        await self._container.remove(grace=_GRACE if asks else 0)
        await self._files.remove()

    def _read(self, output: list[str], errors: list[str]) -> None:
        """From the thread that reads the container. A runtime that outlives the RIE for a moment may complain of it."""
        if self._is_over:
            return
        with self._news:
            was_initialised = self._rie_log.initialised
            seen = [self._rie_log.output(line) for line in output] + [self._rie_log.errors(line) for line in errors]
        shown = [line for line in seen if line is not None]
        if shown:
            self._log.write(*shown)
        if self._rie_log.initialised and not was_initialised:
            self._loop.call_soon_threadsafe(self._initialised)
        with self._news:
            self._news.notify_all()

    def _initialised(self) -> None:
        self._tell(Kind.READY, init_ms=self._record.init_ms)
        if self._settings.cpu_quota:
            self._limiting = asyncio.ensure_future(self._container.limit_cpu(CPU_PERIOD, self._settings.cpu_quota))


def _headers(request: Request) -> dict[str, str]:
    """What the RIE hands on (rics.md §10); it makes up a request id of its own."""
    context = base64.b64encode(request.client_context.encode()).decode("ascii")
    return {
        "Content-Type": "application/json",
        "X-Amzn-Trace-Id": request.trace_id,
        **({"X-Amz-Client-Context": context} if context else {}),
        **({"X-Amz-Tenant-Id": request.tenant_id} if request.tenant_id else {}),
    }


def _status(answer: requests.Response) -> str:
    """`timeout`, `error`, or nothing: the RIE says it only by what the body looks like."""
    if answer.content.startswith(_TIMED_OUT):
        return "timeout"
    return "error" if answer.status_code != 200 or error_of(answer.content) else ""


def _payload(answer: requests.Response, request_id: str) -> bytes:
    """The response's payload; a timeout, which the RIE answers in plain text, in Lambda's own form."""
    if not answer.content.startswith(_TIMED_OUT):
        return answer.content
    return failures.Failure(error_type="Sandbox.Timedout", message=answer.text).payload(request_id)


def _why(said: str) -> str:
    if "bind source path does not exist" in said:
        return "the engine does not see this machine's files: a remote engine can't mount the emulator"
    if "exec format error" in said:
        return "the image is for another architecture: set architecture, or let this machine emulate it"
    return ""
