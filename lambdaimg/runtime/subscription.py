"""One subscription to an environment's telemetry: records in bounded buffers, sent over HTTP or TCP."""

import asyncio
import contextlib
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from lambdaimg.model.quotas import Bounds
from lambdaimg.runtime.telemetry_records import Record, dropped

ITEMS: Final = Bounds(1_000, 10_000, "records")
BYTES: Final = Bounds(262_144, 1_048_576, "bytes")
TIMEOUT: Final = Bounds(25, 30_000, "ms")
_PATIENCE: Final = 2.0
"""Seconds for a listener to take a batch, which is dropped then."""
_HELD_BATCHES: Final = 2
"""Batches that wait while one is sent; what comes on top is dropped."""


@dataclass(frozen=True, kw_only=True)
class Buffering:
    """When a batch is sent: at so many records, bytes, or milliseconds after its first record."""

    items: int = 1_000
    size: int = 262_144
    timeout: int = 1_000


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where batches go: `HTTP` at `path` of a port of the container, or `TCP`, a JSON text a line."""

    protocol: str
    port: int
    path: str = "/"


@dataclass(kw_only=True, eq=False)
class Subscription:
    """Takes records on the event loop; sends them to the container at `address`, until it is closed."""

    address: str
    schema: str
    types: tuple[str, ...]
    destination: Destination
    buffering: Buffering
    json_lines: bool = False
    _held: deque[str] = field(default_factory=deque)
    _size: int = 0
    _lost: int = 0
    _lost_size: int = 0
    _due: asyncio.Event = field(default_factory=asyncio.Event)
    _timer: asyncio.TimerHandle | None = None
    _sending: asyncio.Task[None] | None = None
    _writer: asyncio.StreamWriter | None = None

    def add(self, record: Record) -> None:
        """Takes a record that it has subscribed to, unless too many wait already."""
        found = record.rendered(self.schema, json_lines=self.json_lines) if record.category in self.types else None
        if found is None:
            return
        text = json.dumps(found, separators=(",", ":"))
        if self._is_full(len(text)):
            self._lost += 1
            self._lost_size += len(text)
            return
        self._held.append(text)
        self._size += len(text)
        self._schedule()

    def _is_full(self, more: int) -> bool:
        buffering = self.buffering
        too_many = len(self._held) >= buffering.items * _HELD_BATCHES
        return too_many or self._size + more > buffering.size * _HELD_BATCHES

    def _schedule(self) -> None:
        if self._sending is None:
            self._sending = asyncio.ensure_future(self._send_all())
        if len(self._held) >= self.buffering.items or self._size >= self.buffering.size:
            self._due.set()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.buffering.timeout / 1000, self._due.set)

    async def _send_all(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            await self._send_held()

    async def _send_held(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._held or self._lost:
            await self._send()

    def _batch(self, items: int) -> list[str]:
        batch: list[str] = []
        size = 0
        while self._held and len(batch) < items and size < self.buffering.size:
            size += len(self._held[0])
            batch.append(self._held.popleft())
        self._size -= size
        return batch

    async def _send(self) -> None:
        """Sends the next records, after word of those that were lost; a batch that is not taken is lost too."""
        lost, lost_size = self._lost, self._lost_size
        word = [self._word(lost, lost_size)] if lost else []
        batch = self._batch(self.buffering.items - len(word))
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._deliver([*word, *batch])
        except (OSError, TimeoutError, aiohttp.ClientError):
            self._disconnect()
            self._lost += len(batch)
            self._lost_size += sum(map(len, batch))
            await asyncio.sleep(self.buffering.timeout / 1000)
        else:
            self._lost -= lost
            self._lost_size -= lost_size

    def _word(self, lost: int, size: int) -> str:
        return json.dumps(dropped(lost, size).rendered(self.schema, json_lines=False), separators=(",", ":"))

    async def _deliver(self, batch: list[str]) -> None:
        await (self._post(batch) if self.destination.protocol == "HTTP" else self._write(batch))

    async def _post(self, batch: list[str]) -> None:
        url = f"http://{self.address}:{self.destination.port}{self.destination.path}"
        body, headers = f"[{','.join(batch)}]", {"Content-Type": "application/json"}
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
            answer.raise_for_status()

    async def _write(self, batch: list[str]) -> None:
        if self._writer is None:
            _, self._writer = await asyncio.open_connection(self.address, self.destination.port)
        self._writer.write("".join(f"{record}\n" for record in batch).encode())
        await self._writer.drain()

    async def flush(self, patience: float) -> None:
        """Sends what waits, in at most `patience` seconds."""
        if self._sending is None:
            return
        self._sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(patience):
                await self._send_held()
        self._sending = None

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()
        self._disconnect()

    def _disconnect(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None


def whole_number(value: Any, bounds: Bounds, default: int) -> int:
    """A number of a subscription's buffering. Raises ValueError past Lambda's bounds."""
    if value is None:
        return default
    if not isinstance(value, int) or not bounds.least <= value <= bounds.most:
        raise ValueError(f"{value} must be {bounds}")
    return value
