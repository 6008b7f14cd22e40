"""What this machine can hold: environments at once, and starts at once. Not a rule of Lambda's: it never throttles."""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

_MEMORY_SHARE: Final = 0.5
"""The part of the machine's memory that environments may take together."""
_A_SMALL_ENVIRONMENT: Final = 128 * 1024 * 1024
_A_PROCESSOR: Final = 32
"""Environments for each processor: most of them wait for something most of the time."""


def default_environments() -> int:
    """How many environments this machine bears, by its memory and processors."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    by_memory = int(memory * _MEMORY_SHARE) // _A_SMALL_ENVIRONMENT
    return max(1, min(by_memory, _A_PROCESSOR * (os.cpu_count() or 1)))


class Idler(Protocol):
    """A pool that may give up an environment that it does not need now."""

    def give_up_idle(self) -> bool:
        """Ends the environment that was idle longest; False when there is none to spare."""


class Machine:
    """Places for environments, given in the order in which they are asked for.

    Starting takes processors, and many at once take longer than a few after each other: so `starts` at once.
    `on_full` is called when a place has to be waited for.
    """

    def __init__(self, places: int, *, starts: int = 0, on_full: Callable[[], None] = lambda: None) -> None:
        self._free = places
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._on_full = on_full
        self._pools: list[Idler] = []
        self.starts = asyncio.Semaphore(starts or max(2, 2 * (os.cpu_count() or 1)))

    def serve(self, pool: Idler) -> None:
        """Makes a pool known, whose idle environments others may replace."""
        self._pools.append(pool)

    @property
    def is_full(self) -> bool:
        return self._free <= 0

    @property
    def is_waited_for(self) -> bool:
        return bool(self._waiting)

    async def take(self) -> None:
        """Returns with a place, at once where there is one or an idle environment can be ended for it."""
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        if not any(pool.give_up_idle() for pool in self._pools):
            self._on_full()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Returns a place, which goes to whoever has waited longest."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
