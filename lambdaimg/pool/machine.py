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


Needed = Callable[[], bool]


class Machine:
    """Places for environments, given in the order in which they are asked for.

    Starting takes processors, and many at once take longer than a few after each other: so `starts` at once.
    `on_full` is called when a place has to be waited for.
    """

    def __init__(self, places: int, *, starts: int = 0, on_full: Callable[[], None] = lambda: None) -> None:
        self._free = places
        self._waiting: deque[tuple[asyncio.Future[bool], Needed]] = deque()
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
        """Whether somebody still needs a place."""
        self.tell_unneeded()
        return bool(self._waiting)

    def tell_unneeded(self) -> None:
        """Those who wait for a place that they no longer need go without."""
        still = deque(entry for entry in self._waiting if not entry[0].done() and entry[1]())
        left, self._waiting = self._waiting, still
        if len(still) < len(left):
            for place, needed in left:
                if not place.done() and not needed():
                    place.set_result(False)

    async def take(self, needed: Needed) -> bool:
        """Returns with a place, at once where there is one or an idle environment can be ended for it.

        Returns False, without a place, when it is no longer needed once it could be had.
        """
        if not self.is_waited_for and self._free > 0:
            self._free -= 1
            return True
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((place, needed))
        if not any(pool.give_up_idle() for pool in self._pools):
            self._on_full()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.result():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Returns a place, which goes to whoever has waited longest and still needs it."""
        if self.is_waited_for:
            place, _ = self._waiting.popleft()
            place.set_result(True)
        else:
            self._free += 1
