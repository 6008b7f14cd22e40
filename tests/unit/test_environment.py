"""The states of an environment, with an emulator that only plays; `played_emulator.echoes` holds for the real ones."""

import asyncio
from collections.abc import Callable

import pytest

from lambdaimg.model.errors import EnvironmentFailed
from lambdaimg.model.invocation import Request
from lambdaimg.runtime.emulator import Happening, Kind
from lambdaimg.runtime.environment import ExecutionEnvironment, IllegalTransition, State
from tests.unit.played_emulator import PlayedEmulator, echoes

pytestmark = pytest.mark.anyio
EVENT = Request(event=b"{}")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Play:
    """An environment and its emulator."""

    def __init__(self, *, freeze: bool = False) -> None:
        self.happenings: list[Happening] = []
        self.environment = ExecutionEnvironment(
            "hello", PlayedEmulator, on_line=print, listener=self.happenings.append, freeze=freeze
        )
        emulator = self.environment._emulator
        assert isinstance(emulator, PlayedEmulator)
        self.emulator = emulator

    def gate(self, call: str) -> asyncio.Event:
        return self.emulator.gates.setdefault(call, asyncio.Event())


async def test_it_keeps_the_contract_of_the_real_ones() -> None:
    await echoes(lambda: Play().environment)


STARTED = [Kind.CREATED, Kind.INIT_STARTED, Kind.READY]


@pytest.mark.parametrize(
    ("freeze", "calls"),
    [
        (False, ["start", "invoke", "finish", "stop"]),
        (True, ["start", "freeze", "thaw", "invoke", "finish", "freeze", "stop"]),
    ],
)
async def test_what_it_asks_of_its_emulator(freeze: bool, calls: list[str]) -> None:
    play = Play(freeze=freeze)
    async with play.environment as environment:
        await environment.invoke(Request(event=b"{}", whole_log=True))
    assert play.emulator.calls == calls
    assert [each.kind for each in play.happenings] == [*STARTED, Kind.INVOKED, Kind.ANSWERED, Kind.STOPPED]


async def test_the_next_invocation_waits_for_the_end_of_the_one_before() -> None:
    play = Play()
    finished = play.gate("finish")
    async with play.environment as environment:
        await environment.invoke(EVENT)
        assert environment.state is State.FINISHING
        assert environment.is_free, "whoever comes waits for the runtime alone"
        second = asyncio.ensure_future(environment.invoke(EVENT))
        await asyncio.sleep(0)
        assert play.emulator.calls.count("invoke") == 1
        finished.set()
        await second


async def test_a_caller_that_goes_away_leaves_an_environment_that_goes_on() -> None:
    play = Play()
    answered = play.gate("invoke")
    async with play.environment as environment:
        running = asyncio.ensure_future(environment.invoke(EVENT))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        answered.set()
        assert (await environment.invoke(EVENT)).payload == b"{}"


async def test_a_start_that_fails_is_stopped() -> None:
    play = Play()
    play.emulator.refuses_to_start = True
    with pytest.raises(EnvironmentFailed, match="can't start"):
        await play.environment.start()
    assert play.emulator.calls == ["start", "stop"]
    assert play.environment.state is State.STOPPED


async def test_a_stop_during_a_start_is_the_end() -> None:
    play = Play()
    started = play.gate("start")
    starting = asyncio.ensure_future(play.environment.start())
    await asyncio.sleep(0)
    await play.environment.stop()
    started.set()
    await starting
    assert play.environment.state is State.STOPPED


async def again(environment: ExecutionEnvironment) -> None:
    await environment.start()
    await environment.start()


async def after_the_end(environment: ExecutionEnvironment) -> None:
    await environment.stop()
    await environment.start()


@pytest.mark.parametrize("go", [again, after_the_end])
async def test_an_illegal_transition_raises(go: Callable[[ExecutionEnvironment], "asyncio.Future[None]"]) -> None:
    with pytest.raises(IllegalTransition, match="no way leads to starting"):
        await go(Play().environment)


async def test_no_invocation_before_the_start_nor_after_the_end() -> None:
    play = Play()
    with pytest.raises(EnvironmentFailed, match="new, not ready"):
        await play.environment.invoke(EVENT)
    await play.environment.stop()
    with pytest.raises(EnvironmentFailed, match="stopped, not ready"):
        await play.environment.invoke(EVENT)
