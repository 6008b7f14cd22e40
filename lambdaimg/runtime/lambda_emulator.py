"""lambdaimg as Lambda: its own Runtime API before the image's own entrypoint, with Lambda's lifecycle and timings.

Sources: Developer Guide, "Understanding the Lambda execution environment lifecycle"; the errors are in `failures`.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import ContainerSpec
from lambdaimg.model.errors import EngineError, EnvironmentFailed, LambdaimgError
from lambdaimg.model.invocation import Invocation, Report, Request
from lambdaimg.model.sandbox import CPU_PERIOD
from lambdaimg.runtime import failures, telemetry_records
from lambdaimg.runtime.container import Container
from lambdaimg.runtime.container_events import ContainerEvents
from lambdaimg.runtime.emulator import Kind, Settings, Tell
from lambdaimg.runtime.failures import Failure
from lambdaimg.runtime.generation import Generation
from lambdaimg.runtime.log import Log
from lambdaimg.runtime.log_format import LogFormat
from lambdaimg.runtime.outcome import Answer
from lambdaimg.runtime.reach import Reach
from lambdaimg.runtime.telemetry_records import Record
from lambdaimg.runtime.temporary_files import TemporaryFiles

if TYPE_CHECKING:
    from lambdaimg.runtime.environment_api import EnvironmentApi

_LOG_LAG: Final = 0.1
"""Seconds that a function's lines may come after its answer, for they take another way."""
_MIB: Final = 1024 * 1024

SpecFor = Callable[[str], ContainerSpec]
"""The container for a Runtime API at `host:port`."""


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
        self._generation: Generation | None = None
        self._cold = False  # the next invocation is the first of its generation
        self._deadline = 0.0
        self._format = LogFormat(settings.logging)
        self._last_records: tuple[Record, ...] = ()
        self._log_timer: asyncio.TimerHandle | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self._left: list[Container] = []
        self._stopped = False

    # Init phase

    async def start(self) -> None:
        """See Emulator. A failed init phase is not raised: as on Lambda, the first invocation runs it again."""
        failure = await self._begin("init", self._settings.init_phase)
        if failure is None:
            await self._printed()
            self._cold = True
            return
        self._hint(failure)
        self._tell(Kind.FAILED, error_type=failure.error_type)
        await self._reset(_reason(failure))

    async def _begin(self, phase: str, patience: float) -> Failure | Answer | None:
        """Makes a new generation and takes it through its init phase, in `patience` seconds; returns what failed."""
        door = socket.create_server((self._reach.listen, 0))
        spec = self._spec_for(f"{self._reach.name}:{door.getsockname()[1]}")
        container = Container(self._engine, self._events, spec, self._read)
        self._left.append(container)
        self._files.hold()
        starting = asyncio.ensure_future(container.start())
        api = await self._api(door, container)
        if self._stopped:
            await asyncio.wait((starting, asyncio.ensure_future(api.close())))
            await container.remove()
            raise EnvironmentFailed(f"{self._settings.function}: the environment was stopped")
        generation = self._generation = Generation(
            self._engine, container, api, self._settings, phase, self._read_extension, self._publish
        )
        self._left.remove(container)
        generation.begin()
        try:
            await starting
        except EngineError as error:
            failure = failures.cant_start(error.what, self._settings.program)
            if failure is None:
                raise EnvironmentFailed(f"{self._settings.function} can't start: {error.what}") from None
            generation.report(failure)
            return failure
        finally:
            self._files.keep()
        api.allow(self._reach.caller(container.address))
        self._tell(Kind.INIT_STARTED)
        return await self._init(generation, patience)

    async def _api(self, door: socket.socket, container: Container) -> "EnvironmentApi":
        """The HTTP server takes a tenth of a second to import, in which the engine starts the first container."""
        try:
            await container.created.wait()
            from lambdaimg.runtime.environment_api import EnvironmentApi

            api = EnvironmentApi(self._settings, self._write)
            await api.serve(door)
        except BaseException:
            door.close()
            raise
        return api

    async def _init(self, generation: Generation, patience: float) -> Failure | Answer | None:
        failure = await generation.initialise(patience)
        if failure is not None:
            return await self._init_failed(generation, failure)
        generation.report(None)
        if self._settings.cpu_quota:
            self._chore(generation.container.limit_cpu(CPU_PERIOD, self._settings.cpu_quota))
        for extension in generation.api.extensions.registered.values():
            self._publish(telemetry_records.extension(extension.name, "Ready", extension.events))
        self._tell(Kind.READY, init_ms=generation.init_ms)
        return None

    async def _init_failed(self, generation: Generation, failure: Failure | Answer) -> Failure | Answer:
        """Tells of it, after what was printed; returns what failed, which the log may know better."""
        if not generation.lives:
            await generation.container.last_lines()
            failure = failures.not_executed(self._log.lines()) or failure
        await self._printed()
        generation.report(failure)
        return failure

    async def _printed(self) -> None:
        """What the init phase printed comes before what is said of it; not worth waiting for where it can't be told."""
        if self._generation is not None and self._generation.lives:
            await self._generation.container.printed(patience=0)

    # Invoke phase

    async def invoke(self, request: Request) -> Invocation:
        """See Emulator."""
        self._end_log()
        self._log.begin()
        begun = time.monotonic()
        self._deadline = begun + self._settings.timeout
        start = telemetry_records.start(request, self._settings.arn)
        self._write(start)
        found = await self._ready_again() or await self._answer(request, start)
        took = time.monotonic() - begun
        report = await self._measure(request, found, min(took, self._settings.timeout) * 1000)
        self._ended(request, report, found)
        if isinstance(found, Failure):
            self._tell(Kind.FAILED, request_id=request.request_id, report=report, error_type=found.error_type)
            self._hint(found)
            await self._reset(_reason(found))
            payload = found.payload(request.request_id)
        else:
            self._tell(Kind.ANSWERED, request_id=request.request_id, report=report)
            payload = found.payload
            if self._generation is not None and self._generation.init_ms is None:
                await self._reset("FAILURE")
        return Invocation(payload=payload, function_error=bool(report.status), log=(), report=report)

    async def _ready_again(self) -> Failure | Answer | None:
        """After a reset, the init phase is part of the invocation, and of its time; returns what failed in it."""
        if self._generation is not None and self._generation.lives:
            return None
        await self._reset("FAILURE")
        self._cold = False
        failure = await self._begin("invoke", self._deadline - time.monotonic())
        if isinstance(failure, Failure) and failure.error_type == "Sandbox.Timedout":
            return failures.timed_out(self._settings.timeout)
        return failure

    async def _answer(self, request: Request, start: Record) -> Answer | Failure:
        generation = self._generation
        if generation is None:
            return failures.ENGINE_GONE
        generation.api.telemetry.tell(start)
        return await generation.answer(request, self._deadline - time.monotonic())

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

    def _ended(self, request: Request, report: Report, found: Answer | Failure) -> None:
        """Tells of the end; the log does when the function's last lines are there."""
        generation = self._generation
        spans = generation.api.runtime.spans if generation else ()
        produced = len(found.payload) if isinstance(found, Answer) else 0
        produced += request.stream.size if request.stream else 0
        self._last_records = telemetry_records.ended(request, report, produced, spans)
        if generation is not None:
            generation.api.telemetry.tell(*self._last_records)

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
        records, self._last_records = self._last_records, ()
        self._write(*records)

    async def _until_idle(self, generation: Generation) -> None:
        """A runtime or an extension that does not come back within the function's time is reset."""
        if not await generation.is_settled_within(self._deadline - time.monotonic()) and generation.lives:
            await self._reset("FAILURE" if generation.api.extensions.failure.done() else "TIMEOUT")

    # Freezing and ending

    async def freeze(self) -> None:
        """See Emulator."""
        if self._generation is not None and self._generation.lives:
            await self._generation.freeze()

    async def thaw(self) -> None:
        """See Emulator."""
        if self._generation is not None and self._generation.lives:
            await self._generation.thaw()

    async def _reset(self, reason: str) -> None:
        """Ends this generation, for Lambda's `reason`; /tmp stays for the next."""
        generation, self._generation = self._generation, None
        if generation is not None:
            if not generation.lives:
                await generation.container.last_lines()
            self._chore(self._end(generation, reason))

    async def _end(self, generation: Generation, reason: str) -> None:
        try:
            await generation.end(reason)
        except LambdaimgError:  # the engine is away: once more when the environment stops
            self._left.append(generation.container)

    async def stop(self) -> None:
        """See Emulator."""
        self._stopped = True
        await self._reset("SPINDOWN")
        while self._chores:
            await asyncio.gather(*self._chores, return_exceptions=True)
        self._end_log()
        for container in self._left:
            await container.remove()
        await self._files.remove()

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that nobody waits for before the environment stops."""
        task = asyncio.ensure_future(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def _publish(self, *records: Record) -> None:
        """Into the log, and to whoever has subscribed."""
        self._write(*records)
        if self._generation is not None:
            self._generation.api.telemetry.tell(*records)

    def _write(self, *records: Record) -> None:
        self._log.write(*self._format.records(records))

    def _read(self, output: list[str], errors: list[str]) -> None:
        """From the thread that reads the container."""
        if output or errors:
            lines = [*output, *errors]
            self._log.write(*self._format.lines(lines))
            self._tell_lines("function", lines)

    def _read_extension(self, lines: list[str]) -> None:
        """From the thread that reads an extension."""
        if lines:
            self._log.write(*lines)
            self._tell_lines("extension", lines)

    def _tell_lines(self, kind: str, lines: list[str]) -> None:
        if (generation := self._generation) is not None:
            generation.api.telemetry.tell_lines(kind, lines)


def _reason(failure: Failure | Answer) -> str:
    """Lambda's word for the end that a failure leads to."""
    return "TIMEOUT" if failure.error_type == "Sandbox.Timedout" else "FAILURE"


def _status(found: Answer | Failure) -> str:
    if isinstance(found, Failure):
        return "timeout" if found.error_type == "Sandbox.Timedout" else "error"
    return "error" if found.is_error else ""
