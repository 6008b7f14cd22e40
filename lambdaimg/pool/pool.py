"""A function's environments, at most so many at once: a request gets one that is free, or a new one, or waits."""

import asyncio
from collections import deque
from collections.abc import Callable

from lambdaimg.model.errors import EnvironmentBusy, LambdaimgError
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.runtime.environment import ExecutionEnvironment, State

Make = Callable[[], ExecutionEnvironment]
"""Gives an environment that is not started yet."""


class EnvironmentPool:
    """Environments made by `make`. One without a request for `idle_timeout` seconds ends (0: none does)."""

    def __init__(self, make: Make, *, most: int, idle_timeout: float = 0) -> None:
        self._make = make
        self._idle_timeout = idle_timeout
        self._turns = asyncio.Semaphore(most)
        self._free: deque[ExecutionEnvironment] = deque()
        self._outdated: set[ExecutionEnvironment] = set()
        self._all: set[ExecutionEnvironment] = set()
        self._timers: dict[ExecutionEnvironment, asyncio.TimerHandle] = {}
        self._chores: set[asyncio.Task[None]] = set()

    async def invoke(self, request: Request, *, wait: bool = True) -> Invocation:
        """The answer of one of the environments; with `wait` off, EnvironmentBusy is raised when none is to be had.

        Raises EnvironmentFailed when the environment can't start, or ends before it has answered.
        """
        if not wait and self._turns.locked():
            raise EnvironmentBusy("all environments are busy: each runs one invocation at a time")
        async with self._turns:
            environment = await self._take()
            try:
                return await environment.invoke(request)
            except LambdaimgError:
                self._outdated.add(environment)
                raise
            finally:
                self._give_back(environment)

    async def warm(self) -> None:
        """Starts an environment ahead of the first request. Raises EnvironmentFailed when it can't."""
        async with self._turns:
            self._give_back(await self._take())

    def renew(self) -> None:
        """Ends the environments made so far, those that are busy once they have answered."""
        self._outdated |= self._all
        free, self._free = list(self._free), deque()
        for environment in free:
            self._end(environment)

    async def close(self) -> None:
        """Ends all environments, whatever they do."""
        for environment in list(self._all):
            self._end(environment)
        while self._chores:
            await asyncio.gather(*self._chores)

    async def _take(self) -> ExecutionEnvironment:
        """A free environment, the one used last; a new one without any."""
        while self._free:
            environment = self._free.pop()
            if timer := self._timers.pop(environment, None):
                timer.cancel()
            if environment.state is not State.STOPPED:
                return environment
        environment = self._make()
        self._all.add(environment)
        try:
            await environment.start()
        except BaseException:
            self._all.discard(environment)
            raise
        return environment

    def _give_back(self, environment: ExecutionEnvironment) -> None:
        if environment in self._outdated:
            self._end(environment)
            return
        self._free.append(environment)
        if self._idle_timeout:
            loop = asyncio.get_running_loop()
            self._timers[environment] = loop.call_later(self._idle_timeout, self._end_idle, environment)

    def _end_idle(self, environment: ExecutionEnvironment) -> None:
        self._free.remove(environment)
        self._end(environment)

    def _end(self, environment: ExecutionEnvironment) -> None:
        self._all.discard(environment)
        self._outdated.discard(environment)
        if timer := self._timers.pop(environment, None):
            timer.cancel()
        chore = asyncio.ensure_future(environment.stop())
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)
