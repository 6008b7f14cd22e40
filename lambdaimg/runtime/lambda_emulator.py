"""lambdaimg as Lambda: its own Runtime API before the image's own entrypoint, with Lambda's lifecycle and timings.

Sources: Developer Guide, "Understanding the Lambda execution environment lifecycle"; the errors are in `failures`.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import ContainerSpec
from lambdaimg.model.errors import EngineError, EnvironmentFailed
from lambdaimg.model.invocation import Invocation, Report, Request
from lambdaimg.model.sandbox import CPU_PERIOD
from lambdaimg.runtime import failures
from lambdaimg.runtime.container import Container
from lambdaimg.runtime.container_events import ContainerEvents, Exit
from lambdaimg.runtime.emulator import Kind, Settings, Tell
from lambdaimg.runtime.failures import Failure
from lambdaimg.runtime.log import Log
from lambdaimg.runtime.outcome import Answer, Cut
from lambdaimg.runtime.reach import Reach
from lambdaimg.runtime.runtime_api import RuntimeApi
from lambdaimg.runtime.temporary_files import TemporaryFiles

INIT_PHASE: Final = 10.0
"""Seconds of the init phase ("lifecycle", "Init phase"); over it, it runs again within the first invocation."""
_LOG_LAG: Final = 0.1
"""Seconds that a function's lines may come after its answer, for they take another way."""
_EXIT_WITHIN: Final = 0.5
"""Seconds from a broken connection to the news that the process has ended."""
_MIB: Final = 1024 * 1024

SpecFor = Callable[[str], ContainerSpec]
"""The container for a Runtime API at `host:port`."""


@dataclass(kw_only=True)
class _Generation:
    """One container and its Runtime API; a reset ends it, and the next invocation begins another."""

    container: Container
    api: RuntimeApi
    init_ms: float | None = None

    @property
    def lives(self) -> bool:
        return not self.container.exit.done()


class LambdaEmulator:
    """An emulator (see `Emulator`) that talks to the image's own runtime interface client."""

    def __init__(
        self,
        engine: Engine,
        events: ContainerEvents,
        spec_for: SpecFor,
        reach: Reach,
        settings: Settings,
        files: TemporaryFiles,
        log: Log,
        tell: Tell,
    ) -> None:
        self._engine = engine
        self._events = events
        self._spec_for = spec_for
        self._reach = reach
        self._settings = settings
        self._files = files
        self._log = log
        self._tell = tell
        self._generation: _Generation | None = None
        self._init_failure: Failure | Answer | None = None
        self._cold = False  # the next invocation is the first of its generation
        self._deadline = 0.0
        self._report: Report | None = None
        self._log_timer: asyncio.TimerHandle | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self._stopped = False

    # Init phase

    async def start(self) -> None:
        """See Emulator. A failed init phase is not raised: as on Lambda, the first invocation runs it again."""
        failure = await self._begin(INIT_PHASE)
        await self._printed()
        if failure is None:
            self._cold = True
            return
        self._say_init_failed(failure)
        await self._reset()

    async def _begin(self, patience: float) -> Failure | Answer | None:
        """Makes a new generation and takes it through its init phase, in `patience` seconds; returns what failed."""
        api = RuntimeApi()
        port = await api.listen(self._reach.listen)
        if self._stopped:
            await api.close()
            raise EnvironmentFailed(f"{self._settings.function}: the environment was stopped")
        spec = self._spec_for(f"{self._reach.name}:{port}")
        container = Container(self._engine, self._events, spec, self._read)
        generation = self._generation = _Generation(container=container, api=api)
        try:
            await container.start()
        except EngineError as error:
            failure = failures.cant_start(error.what, self._settings.program)
            if failure is None:
                raise EnvironmentFailed(f"{self._settings.function} can't start: {error.what}") from None
            return failure
        api.allow(self._reach.caller(container.address))
        self._tell(Kind.INIT_STARTED)
        self._files.keep()
        return await self._init(generation, patience)

    async def _init(self, generation: _Generation, patience: float) -> Failure | Answer | None:
        container, api = generation.container, generation.api
        remaining = container.started_at + patience - time.monotonic()
        waited = (api.first_next, api.init_error, container.exit)
        await asyncio.wait(waited, timeout=max(0, remaining), return_when=asyncio.FIRST_COMPLETED)
        took = (time.monotonic() - container.started_at) * 1000
        if api.first_next.done():
            generation.init_ms = took
            if self._settings.cpu_quota:
                self._chore(container.limit_cpu(CPU_PERIOD, self._settings.cpu_quota))
            self._tell(Kind.READY, init_ms=took)
            return None
        if api.init_error.done():
            return api.init_error.result()
        if container.exit.done():
            await container.last_lines()
            return failures.not_executed(self._log.lines()) or self._ended(container.exit.result())
        return failures.timed_out(patience)

    async def _printed(self) -> None:
        """What the init phase printed comes before what is said of it; not worth waiting for where it can't be told."""
        if self._generation is not None and self._generation.lives:
            await self._generation.container.printed(patience=0)

    def _say_init_failed(self, failure: Failure | Answer) -> None:
        """Lambda's INIT_REPORT line ("lifecycle", "Failures during the Init phase")."""
        generation = self._generation
        began = generation.container.started_at if generation and generation.container.started_at else time.monotonic()
        status = "timeout" if isinstance(failure, Failure) and failure.error_type == "Sandbox.Timedout" else "error"
        line = f"INIT_REPORT Init Duration: {(time.monotonic() - began) * 1000:.2f} ms\tPhase: init\tStatus: {status}"
        self._log.write(line + (f"\tError Type: {failure.error_type}" if status == "error" else ""))
        self._hint(failure)
        self._tell(Kind.FAILED, error_type=failure.error_type)

    # Invoke phase

    async def invoke(self, request: Request) -> Invocation:
        """See Emulator."""
        self._end_log()
        self._log.begin()
        begun = time.monotonic()
        self._deadline = begun + self._settings.timeout
        self._log.write(f"START RequestId: {request.request_id} Version: $LATEST")
        found = await self._ready_again() or await self._answer(request)
        took = time.monotonic() - begun
        self._report = report = await self._measure(request, found, min(took, self._settings.timeout) * 1000)
        if isinstance(found, Failure):
            self._tell(Kind.FAILED, request_id=request.request_id, report=report, error_type=found.error_type)
            self._hint(found)
            await self._reset()
            payload = found.payload(request.request_id)
        else:
            self._tell(Kind.ANSWERED, request_id=request.request_id, report=report)
            payload = found.payload
            if self._generation is not None and self._generation.init_ms is None:
                await self._reset()
        return Invocation(payload=payload, function_error=bool(report.status), log=(), report=report)

    async def _ready_again(self) -> Failure | Answer | None:
        """After a reset, the init phase is part of the invocation, and of its time; returns what failed in it."""
        if self._generation is not None and self._generation.lives:
            return None
        await self._reset()
        self._cold = False
        failure = await self._begin(self._deadline - time.monotonic())
        if isinstance(failure, Failure) and failure.error_type == "Sandbox.Timedout":
            return failures.timed_out(self._settings.timeout)
        return failure

    async def _answer(self, request: Request) -> Answer | Failure:
        generation = self._generation
        if generation is None:
            return failures.ENGINE_GONE
        remaining = self._deadline - time.monotonic()
        outcome = generation.api.deliver(request, self._settings.arn, time.time() + remaining)
        exit = generation.container.exit
        await asyncio.wait((outcome, exit), timeout=remaining, return_when=asyncio.FIRST_COMPLETED)
        if outcome.done():
            return await self._judged(outcome.result(), exit)
        return self._ended(exit.result()) if exit.done() else failures.timed_out(self._settings.timeout)

    async def _judged(self, outcome: Answer | Cut, exit: "asyncio.Future[Exit]") -> Answer | Failure:
        if isinstance(outcome, Answer):
            return outcome
        if outcome.limit:
            return failures.too_large(outcome.limit)
        with contextlib.suppress(TimeoutError):  # a process that is killed breaks its connections first
            return self._ended(await asyncio.wait_for(asyncio.shield(exit), _EXIT_WITHIN))
        return failures.TRUNCATED

    def _ended(self, exit: Exit) -> Failure:
        return failures.ended(exit, self._settings.memory)

    async def _measure(self, request: Request, found: Answer | Failure, took: float) -> Report:
        generation = self._generation
        memory = await generation.container.memory() if generation else None
        lost = generation.container.exit.result().out_of_memory if generation and not generation.lives else None
        peak = memory.peak if memory else lost.peak if lost else None
        cold, self._cold = self._cold, False
        return Report(
            request_id=request.request_id,
            duration_ms=took,
            memory_size=self._settings.memory,
            max_memory_used=None if peak is None else min(-(-peak // _MIB), self._settings.memory),
            init_ms=generation.init_ms if generation and cold else None,
            status=_status(found),
            error_type=found.error_type,
        )

    def _hint(self, failure: Failure | Answer) -> None:
        if isinstance(failure, Failure) and failure.hint:
            self._log.write(f"lambdaimg: {failure.hint}")

    async def finish(self) -> None:
        """See Emulator: the invocation is over when the runtime asks for the next event, or ends."""
        generation = self._generation
        if generation is not None and generation.lives:
            await self._until_idle(generation)
        self._log_timer = asyncio.get_running_loop().call_later(_LOG_LAG, self._end_log)

    async def log(self) -> tuple[str, ...]:
        """See Emulator."""
        if self._generation is not None and self._generation.lives:
            await self._generation.container.printed(patience=_LOG_LAG)
        self._end_log()
        return self._log.lines()

    def _end_log(self) -> None:
        """Completes the log of the invocation before, when the next begins at the latest."""
        if self._log_timer is not None:
            self._log_timer.cancel()
            self._log_timer = None
        report, self._report = self._report, None
        if report is not None:
            self._log.write(f"END RequestId: {report.request_id}", report.line())

    async def _until_idle(self, generation: _Generation) -> None:
        """A runtime that has answered and does not come back within the function's time is reset."""
        idle = asyncio.ensure_future(generation.api.idle())
        left = max(0, self._deadline - time.monotonic())
        try:
            await asyncio.wait((idle, generation.container.exit), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            idle.cancel()
        if not generation.api.is_idle:
            await self._reset()

    # Freezing and ending

    async def freeze(self) -> None:
        """See Emulator."""
        if self._generation is not None and self._generation.lives:
            await self._generation.container.freeze()

    async def thaw(self) -> None:
        """See Emulator."""
        if self._generation is not None and self._generation.lives:
            await self._generation.container.thaw()

    async def _reset(self) -> None:
        """Ends this generation; /tmp stays for the next."""
        generation, self._generation = self._generation, None
        if generation is not None:
            if generation.lives:
                self._chore(_end(generation))
            else:
                await generation.container.last_lines()
                self._chore(_end(generation))

    async def stop(self) -> None:
        """See Emulator. Lambda kills a runtime without extensions at once ("lifecycle", "Shutdown phase")."""
        self._stopped = True
        await self._reset()
        while self._chores:
            await asyncio.gather(*self._chores, return_exceptions=True)
        self._end_log()
        await self._files.remove()

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that nobody waits for before the environment stops."""
        task = asyncio.ensure_future(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def _read(self, output: list[str], errors: list[str]) -> None:
        """From the thread that reads the container."""
        if output or errors:
            self._log.write(*output, *errors)


async def _end(generation: _Generation) -> None:
    """The container first: a runtime that loses its API would complain in the function's log."""
    try:
        await generation.container.remove()
    finally:
        await generation.api.close()


def _status(found: Answer | Failure) -> str:
    if isinstance(found, Failure):
        return "timeout" if found.error_type == "Sandbox.Timedout" else "error"
    return "error" if found.is_error else ""
