"""One container of an environment: started with its output followed to the end, watched, and removed."""

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import requests

from lambdaimg.engine.cgroup import Memory
from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import ContainerSpec
from lambdaimg.engine.records import Started
from lambdaimg.engine.streams import write_to_both
from lambdaimg.model.errors import EngineError, LambdaimgError
from lambdaimg.runtime.container_events import ContainerEvents, Exit, Life
from lambdaimg.runtime.log import LineReader
from lambdaimg.runtime.uninterrupted import uninterrupted

OnLines = Callable[[list[str], list[str]], None]
"""Takes lines of standard output and of standard error, on the thread that reads them."""

_MARK_WITHIN: Final = 2.0
"""Seconds for a mark to come back: a function that floods its log may be in the way."""
_CLOCKS_AGREE: Final = 5.0
"""Seconds that a start can be away from when we asked for it: beyond, the engine's clock is not ours."""


class Container:
    """A context of one container; made by `start`, gone after `remove`."""

    def __init__(self, engine: Engine, events: ContainerEvents, spec: ContainerSpec, on_lines: OnLines) -> None:
        self._engine = engine
        self._events = events
        self._spec = spec
        self._on_lines = on_lines
        self._life = Life(asyncio.get_running_loop())
        self._read_to_the_end = threading.Event()
        self._mark = f"\0{secrets.token_hex(8)}".encode()
        self._marks_written = 0
        self._marks_read: asyncio.Queue[int] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._process = 0
        self._starting: asyncio.Future[None] | None = None
        self.created = asyncio.Event()
        """Set when the engine is about to start it, or will not."""
        self.id = ""
        self.started_at = 0.0
        """When its process started (monotonic seconds)."""
        self.address = ""

    @property
    def exit(self) -> asyncio.Future[Exit]:
        """Done when the container has ended."""
        return self._life.exit

    async def start(self) -> None:
        """Creates and starts the container. Raises EngineError, with the engine's words, when it can't start."""
        self._starting = asyncio.ensure_future(asyncio.to_thread(self._start))
        await uninterrupted(self._starting)

    def _start(self) -> None:
        try:
            self._create()
        finally:
            self._loop.call_soon_threadsafe(self.created.set)
        asked, asked_clock = time.monotonic(), time.time()
        self._engine.start(self.id)
        self.started_at = time.monotonic()
        found = self._engine.started(self.id)
        if found is not None:
            self._take(found, asked, asked_clock)

    def _create(self) -> None:
        self.id = self._engine.create(self._spec)
        self._events.follow(self.id, self._life)
        pieces = self._engine.output(self.id)
        threading.Thread(target=self._follow, args=(pieces,), name="log", daemon=True).start()

    def _take(self, found: Started, asked: float, asked_clock: float) -> None:
        self.address = found.address
        self._life.group = found.group
        self._process = found.process if found.group else 0
        if 0 <= found.at - asked_clock <= _CLOCKS_AGREE:
            self.started_at = min(asked + found.at - asked_clock, self.started_at)

    async def memory(self) -> Memory | None:
        """What it holds and has held; None when it is gone."""
        if self._life.group is not None:
            return self._life.group.memory()
        if not self.id:  # it could not even be created
            return None
        try:
            return await asyncio.to_thread(self._engine.memory, self.id)
        except LambdaimgError:
            return None

    async def limit_cpu(self, period: int, quota: int) -> None:
        await self._unless_ended(self._engine.limit_cpu, self.id, period=period, quota=quota)

    async def terminate(self) -> None:
        """Asks its main process to end."""
        await self._unless_ended(self._engine.signal, self.id, "SIGTERM")

    async def freeze(self) -> None:
        await self._unless_ended(self._engine.pause, self.id)

    async def thaw(self) -> None:
        await self._unless_ended(self._engine.unpause, self.id)

    async def _unless_ended(self, call: Callable[..., None], *arguments: object, **named: object) -> None:
        """What the engine refuses of a container that has ended is no error: its end is told elsewhere."""
        with contextlib.suppress(EngineError):
            await asyncio.to_thread(call, *arguments, **named)

    async def remove(self, *, grace: float = 0) -> None:
        """Ends the container, within `grace` seconds by itself, and removes it. A second call does nothing.

        One that is being started is removed as soon as it has.
        """
        if self._starting is not None:
            await asyncio.wait((self._starting,))
        if self.id:
            await uninterrupted(asyncio.to_thread(self._remove, grace))

    def _remove(self, grace: float) -> None:
        try:
            if grace:
                self._engine.stop(self.id, grace=grace)
        finally:
            self._engine.remove(self.id)
            self._events.forget(self.id)
        self._read_to_the_end.wait(_CLOCKS_AGREE)

    async def printed(self, *, patience: float) -> None:
        """Returns when all that the container has printed so far is read.

        Its output takes another way than its answers. Where a mark can be put into it, the mark tells; elsewhere
        `patience` seconds must do.
        """
        if not (self._process and write_to_both(self._process, self._mark + b"\n")):
            await asyncio.sleep(patience)
            return
        self._marks_written += 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MARK_WITHIN):
                while await self._marks_read.get() < self._marks_written:
                    pass

    async def last_lines(self) -> None:
        """Returns when the output of a container that has ended is read to its end."""
        await asyncio.to_thread(self._read_to_the_end.wait, _CLOCKS_AGREE)

    def _follow(self, pieces: Iterator[tuple[bytes, bytes]]) -> None:
        output, errors = LineReader(self._mark), LineReader(self._mark)
        try:
            with contextlib.suppress(EngineError, requests.RequestException, OSError, ValueError):
                for from_output, from_errors in pieces:
                    before = min(output.marks, errors.marks)
                    self._on_lines(output.add(from_output), errors.add(from_errors))
                    if (marks := min(output.marks, errors.marks)) > before:
                        self._loop.call_soon_threadsafe(self._marks_read.put_nowait, marks)
            self._on_lines(output.rest(), errors.rest())
        finally:
            self._read_to_the_end.set()
