"""Accepted events, on disk until they are done with: what was accepted survives any end of this process."""

import asyncio
import errno
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from lambdaimg.model.errors import UsageError

_Result = TypeVar("_Result")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS events (
    request_id TEXT PRIMARY KEY,
    function TEXT NOT NULL,
    event BLOB NOT NULL,
    trace_id TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    refusals INTEGER NOT NULL DEFAULT 0,
    record BLOB
);
CREATE INDEX IF NOT EXISTS by_due ON events (due_at);
"""
_COLUMNS: Final = "request_id, function, event, trace_id, accepted_at, due_at, attempts, refusals, record"


_RESERVE: Final = 16 * 1024 * 1024
"""Bytes that stay free on the disk for what follows from the events that were accepted: attempts and records."""


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """An event that was accepted. Times are seconds since 1970.

    `attempts` counts the function's own failures, `refusals` the times when it could not run. `record` is set once its
    fate is settled, and only its destinations are still to be told.
    """

    request_id: str
    function: str
    event: bytes
    trace_id: str
    accepted_at: float
    due_at: float
    attempts: int = 0
    refusals: int = 0
    record: bytes | None = None


class EventStore:
    """A SQLite file, used by one thread of its own. Every method raises OSError when the disk refuses."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="events")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Raises UsageError when the file is no event store, or another process serves from it."""
        try:
            await self._do(self._open)
        except OSError as error:
            raise UsageError(
                f"can't use the event queue {self._file}: {error}",
                remedy="another `lambdaimg serve` of this project may run; else move the file away",
            ) from None

    async def close(self) -> None:
        if self._connection is not None:
            await self._do(self._connection.close)
        self._thread.shutdown()

    async def accept(self, event: StoredEvent) -> None:
        """Returns when a new event is on disk."""
        await self._do(self._accept, event)

    async def put(self, event: StoredEvent) -> None:
        """Returns when what has become of an event is on disk."""
        await self._do(self._put, event)

    async def due(self, now: float, most: int) -> list[StoredEvent]:
        """The events that are due, the longest due first."""
        return await self._do(self._due, now, most)

    async def next_due(self) -> float | None:
        """When the next event is due."""
        return await self._do(self._next_due)

    async def remove(self, request_id: str) -> None:
        await self._do(self._remove, request_id)

    async def count(self) -> int:
        return await self._do(self._count)

    async def _do(self, call: Callable[..., _Result], *arguments: object) -> _Result:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, partial(call, *arguments))
        except sqlite3.Error as error:
            raise OSError(str(error)) from None

    @property
    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise OSError("the event store is not open")
        return self._connection

    def _open(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._file, timeout=1)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_SCHEMA)
        self._connection = connection

    def _accept(self, event: StoredEvent) -> None:
        if self._room() < _RESERVE + len(event.event):
            raise OSError(errno.ENOSPC, "the disk is nearly full", str(self._file))
        self._put(event)

    def _room(self) -> int:
        """The bytes that the file may still take, on the disk and in pages of its own that are free."""
        query = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size"
        (unused,) = self._open_connection.execute(query).fetchone()
        return int(unused) + shutil.disk_usage(self._file.parent).free

    def _put(self, event: StoredEvent) -> None:
        with self._open_connection as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - ours
                (
                    event.request_id,
                    event.function,
                    event.event,
                    event.trace_id,
                    event.accepted_at,
                    event.due_at,
                    event.attempts,
                    event.refusals,
                    event.record,
                ),
            )

    def _due(self, now: float, most: int) -> list[StoredEvent]:
        query = f"SELECT {_COLUMNS} FROM events WHERE due_at <= ? ORDER BY due_at LIMIT ?"  # noqa: S608 - ours
        names = _COLUMNS.split(", ")
        rows = self._open_connection.execute(query, (now, most))
        return [StoredEvent(**dict(zip(names, row, strict=True))) for row in rows]

    def _next_due(self) -> float | None:
        row = self._open_connection.execute("SELECT MIN(due_at) FROM events").fetchone()
        return None if row[0] is None else float(row[0])

    def _remove(self, request_id: str) -> None:
        with self._open_connection as connection:
            connection.execute("DELETE FROM events WHERE request_id = ?", (request_id,))

    def _count(self) -> int:
        return int(self._open_connection.execute("SELECT COUNT(*) FROM events").fetchone()[0])
