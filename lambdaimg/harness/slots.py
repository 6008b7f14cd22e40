"""A bound on how many environments there are at once, by the machine's processors and memory."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from lambdaimg.model.project import Function

_MIB: Final = 1024 * 1024


class Slots:
    """So many environments may be at once; whoever needs more than there are gets all of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def taken(self, count: int) -> AsyncIterator[None]:
        """Waits for `count` slots, and gives them back at the end of the block."""
        needed = min(count, self._most)
        async with self._freed:
            await self._freed.wait_for(lambda: self._used + needed <= self._most)
            self._used += needed
        try:
            yield
        finally:
            self._used -= needed
            async with self._freed:
                self._freed.notify_all()


def jobs_of(functions: Iterable[Function]) -> int:
    """How many environments this machine bears: one a processor, in no more than half of the memory."""
    largest = max((function.settings.memory for function in functions), default=1)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MIB
    return max(1, min(os.cpu_count() or 1, memory // 2 // largest))
