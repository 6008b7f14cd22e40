"""The pool, with environments whose emulators do what the test says."""

import asyncio
from typing import Any

import pytest

from lambdaimg.model.errors import EnvironmentFailed
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.pool.machine import Machine
from lambdaimg.pool.pool import EnvironmentPool
from lambdaimg.runtime.environment import ExecutionEnvironment

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Told:
    """An emulator: `starts` are the outcomes of its starts in their order; an invocation answers once `go` is set."""

    def __init__(self, go: asyncio.Event, starts: list[Exception | None]) -> None:
        self._go = go
        self._starts = starts

    async def start(self) -> None:
        outcome = self._starts.pop(0) if self._starts else None
        if outcome is not None:
            raise outcome

    async def invoke(self, request: Request) -> Invocation:
        await self._go.wait()
        return Invocation(payload=request.event, function_error=False, log=(), report=None)

    async def log(self) -> tuple[str, ...]:
        return ()

    async def finish(self) -> None: ...

    async def freeze(self) -> None: ...

    async def thaw(self) -> None: ...

    async def stop(self) -> None: ...


def pool_of(places: int, go: asyncio.Event, starts: list[Exception | None], **more: Any) -> EnvironmentPool:
    def make() -> ExecutionEnvironment:
        return ExecutionEnvironment("f", lambda log, tell: Told(go, starts), on_line=lambda _: None)

    return EnvironmentPool(make, machine=Machine(places), **more)


async def test_requests_beyond_the_machine_are_answered_in_their_order() -> None:
    go, order = asyncio.Event(), []
    pool = pool_of(2, go, [])

    async def ask(number: int) -> None:
        order.append(int((await pool.invoke(Request(event=b"%d" % number))).payload))

    asked = [asyncio.ensure_future(ask(number)) for number in range(8)]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*asked)
    assert order == list(range(8))
    assert len(pool) == 2
    await pool.close()


async def test_a_provisioned_environment_that_cant_be_made_again_is_told() -> None:
    go, failures = asyncio.Event(), list[BaseException]()
    starts: list[Exception | None] = [None, EnvironmentFailed("no more")]
    pool = pool_of(2, go, starts, provisioned=1, on_failed=failures.append)
    await pool.warm()
    pool.renew()
    while not failures:
        await asyncio.sleep(0)
    assert str(failures[0]) == "no more"
    await pool.close()


async def test_who_waits_for_a_start_that_fails_is_told_and_the_next_is_served() -> None:
    go, failures = asyncio.Event(), list[BaseException]()
    go.set()
    pool = pool_of(1, go, [EnvironmentFailed("not now")], on_failed=failures.append)
    with pytest.raises(EnvironmentFailed, match="not now"):
        await pool.invoke(Request(event=b"1"))
    assert (await pool.invoke(Request(event=b"2"))).payload == b"2"
    assert failures == []
    await pool.close()


class Slow(Told):
    """Its start waits for a word; the invocation answers with the number of its emulator."""

    made = 0

    def __init__(self, may_start: asyncio.Event, starting: asyncio.Event) -> None:
        Slow.made += 1
        self.number = Slow.made
        self._may_start, self._starting = may_start, starting

    async def start(self) -> None:
        self._starting.set()
        await self._may_start.wait()

    async def invoke(self, request: Request) -> Invocation:
        return Invocation(payload=b"%d" % self.number, function_error=False, log=(), report=None)


async def test_what_starts_while_the_code_changes_answers_nobody() -> None:
    may_start, starting = asyncio.Event(), asyncio.Event()
    Slow.made = 0

    def make() -> ExecutionEnvironment:
        return ExecutionEnvironment("f", lambda log, tell: Slow(may_start, starting), on_line=lambda _: None)

    pool = EnvironmentPool(make, machine=Machine(1))
    waiting = asyncio.ensure_future(pool.invoke(Request(event=b"1")))
    await starting.wait()
    pool.renew()
    may_start.set()
    assert (await waiting).payload == b"2"
    await pool.close()
