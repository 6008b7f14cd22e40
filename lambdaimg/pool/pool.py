"""A function's environments: a request gets one that is free, or the first that becomes so; what lacks is made."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from lambdaimg.model.errors import EnvironmentBusy, LambdaimgError
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.pool.machine import Machine
from lambdaimg.runtime.environment import ExecutionEnvironment, State

_FIRST_RETRY: Final = 0.5
_LONGEST_RETRY: Final = 30.0
"""Seconds until a provisioned environment that could not be made again is tried once more; doubled each time."""

Make = Callable[[], ExecutionEnvironment]
"""Gives an environment that is not started yet."""


class EnvironmentPool:
    """Environments made by `make`, within the places of `machine`, which other pools may share.

    One without a request for `idle_timeout` seconds ends (0: none does). `provisioned` of them, made by
    `make_provisioned`, are initialised ahead by `warm`, kept, and made again when they end. `on_failed` is told
    of a start that failed with nobody waiting for it.
    """

    def __init__(
        self,
        make: Make,
        *,
        machine: Machine,
        idle_timeout: float = 0,
        provisioned: int = 0,
        make_provisioned: Make | None = None,
        on_failed: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        self._make = make
        self._make_provisioned = make_provisioned or make
        self._machine = machine
        self._idle_timeout = idle_timeout
        self._provisioned = provisioned
        self._on_failed = on_failed
        self._kept: set[ExecutionEnvironment] = set()
        self._free: deque[ExecutionEnvironment] = deque()
        self._waiting: deque[asyncio.Future[ExecutionEnvironment]] = deque()
        self._starting = 0
        self._placed = 0  # of those that start: how many have their place
        self._outdated: set[ExecutionEnvironment] = set()
        self._all: set[ExecutionEnvironment] = set()
        self._being_started: set[ExecutionEnvironment] = set()
        self._timers: dict[ExecutionEnvironment, asyncio.TimerHandle] = {}
        self._starts: set[asyncio.Task[None]] = set()
        self._chores: set[asyncio.Task[None]] = set()
        self._closed = False
        machine.serve(self)

    def __len__(self) -> int:
        """How many environments there are, with those that start."""
        return len(self._all) + self._starting

    async def invoke(self, request: Request, *, wait: bool = True) -> Invocation:
        """The answer of one of the environments; with `wait` off, EnvironmentBusy is raised when none is to be had.

        Raises EnvironmentFailed when the environment can't start, or ends before it has answered.
        """
        environment = await self._acquire(wait=wait)
        try:
            return await environment.invoke(request)
        except LambdaimgError:
            self._outdated.add(environment)
            raise
        finally:
            self._release(environment)

    async def warm(self) -> None:
        """Starts the provisioned environments, or one, ahead of the first request. Raises EnvironmentFailed."""
        if self._provisioned:
            lacking = self._provisioned - len(self._kept)
            await asyncio.gather(*(self._begin(keep=True) for _ in range(lacking)))
        else:
            self._release(await self._acquire(wait=True))

    def renew(self) -> None:
        """Ends the environments made so far, those that are busy or start once they are through with it."""
        self._outdated |= self._all | self._being_started
        free, self._free = list(self._free), deque()
        for environment in free:
            self._end(environment)

    async def close(self) -> None:
        """Ends all environments, whatever they do."""
        self._closed = True
        for waiting in self._waiting:
            waiting.cancel()
        self._machine.tell_unneeded()
        for start in self._starts:
            start.cancel()
        for environment in list(self._all):
            self._end(environment)
        while self._chores or self._starts:
            await asyncio.gather(*self._chores, *self._starts, return_exceptions=True)

    def give_up_idle(self) -> bool:
        """Ends the environment that was idle longest, for the machine's sake; provisioned ones stay."""
        environment = next((each for each in self._free if each not in self._kept), None)
        if environment is None:
            return False
        self._free.remove(environment)
        self._end(environment)
        return True

    async def _acquire(self, *, wait: bool) -> ExecutionEnvironment:
        """A free environment, the one used last; else the first that is started or given back."""
        while self._free:
            environment = self._free.pop()
            self._forget_timer(environment)
            if environment.state is not State.STOPPED:
                return environment
        if not wait and self._machine.is_full:
            raise EnvironmentBusy("all environments are busy: each runs one invocation at a time")
        waiting: asyncio.Future[ExecutionEnvironment] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._start_what_lacks()
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                self._release(waiting.result())
            raise

    def _release(self, environment: ExecutionEnvironment) -> None:
        """Hands an environment to whoever has waited longest for one, or keeps it for the next request."""
        if environment in self._outdated or self._closed or environment.state is State.STOPPED:
            self._end(environment)
            self._start_what_lacks()
        elif (waiting := self._next_waiting()) is not None:
            waiting.set_result(environment)
        elif self._machine.is_waited_for and environment not in self._kept:
            self._end(environment)
        else:
            self._free.append(environment)
            if self._idle_timeout and environment not in self._kept:
                loop = asyncio.get_running_loop()
                self._timers[environment] = loop.call_later(self._idle_timeout, self._end_idle, environment)

    def _start_what_lacks(self) -> None:
        if self._starting < len(self._waiting) and not self._closed:
            self._begin(keep=False).add_done_callback(self._tell_failure)

    def _lacks(self, keep: bool) -> bool:
        """Whether one is still to be made: a provisioned one, or one for a request that none is being started for."""
        return not self._closed and (keep or len(self._waiting) > self._placed)

    def _next_waiting(self) -> "asyncio.Future[ExecutionEnvironment] | None":
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                return waiting
        return None

    def _begin(self, *, keep: bool) -> "asyncio.Task[None]":
        """A start, which counts from now on."""
        self._starting += 1
        start = asyncio.ensure_future(self._start(keep=keep))
        self._starts.add(start)
        start.add_done_callback(self._starts.discard)
        return start

    async def _make_again(self) -> None:
        """A provisioned environment in the place of one that has ended: the engine may be away for a while."""
        delay = _FIRST_RETRY
        while True:
            try:
                await self._begin(keep=True)
                return
            except LambdaimgError as error:
                self._on_failed(error)
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_RETRY)

    def _tell_failure(self, start: "asyncio.Task[None]") -> None:
        if not start.cancelled() and (error := start.exception()) is not None:
            self._on_failed(error)

    async def _start(self, *, keep: bool) -> None:
        """Makes an environment, where one is still needed once there is a place for it. `keep`: a provisioned one."""
        try:
            if not await self._machine.take(lambda: self._lacks(keep)):
                return
            environment = await self._started(keep)
        except LambdaimgError as error:
            if keep or (waiting := self._next_waiting()) is None:
                raise
            waiting.set_exception(error)
            return
        finally:
            self._starting -= 1
        self._release(environment)

    async def _started(self, keep: bool) -> ExecutionEnvironment:
        """A new environment, in its place. The place is given back when it ends, or could not be made."""
        self._placed += 1
        try:
            environment = self._make_provisioned() if keep else self._make()
            await self._start_in_turn(environment)
        except BaseException:
            self._machine.give_back()
            raise
        finally:
            self._placed -= 1
        self._all.add(environment)
        if keep:
            self._kept.add(environment)
        return environment

    async def _start_in_turn(self, environment: ExecutionEnvironment) -> None:
        async with self._machine.starts:
            self._being_started.add(environment)
            try:
                await environment.start()
            finally:
                self._being_started.discard(environment)

    def _end_idle(self, environment: ExecutionEnvironment) -> None:
        self._free.remove(environment)
        self._end(environment)

    def _end(self, environment: ExecutionEnvironment) -> None:
        if environment not in self._all:
            return
        self._all.discard(environment)
        self._outdated.discard(environment)
        self._forget_timer(environment)
        chore = asyncio.ensure_future(self._stop(environment))
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)
        if environment in self._kept:
            self._kept.discard(environment)
            if not self._closed:
                again = asyncio.ensure_future(self._make_again())
                self._starts.add(again)
                again.add_done_callback(self._starts.discard)

    async def _stop(self, environment: ExecutionEnvironment) -> None:
        try:
            await environment.stop()
        finally:
            self._machine.give_back()

    def _forget_timer(self, environment: ExecutionEnvironment) -> None:
        if timer := self._timers.pop(environment, None):
            timer.cancel()
