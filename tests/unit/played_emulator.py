"""An emulator that only plays, and the contract that it shares with those that run containers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from lambdaimg.model.errors import EnvironmentBusy, EnvironmentFailed
from lambdaimg.model.invocation import Invocation, Report, Request
from lambdaimg.runtime.emulator import Kind, Tell
from lambdaimg.runtime.environment import ExecutionEnvironment
from lambdaimg.runtime.log import Log


@dataclass
class PlayedEmulator:
    """Answers with the event. `calls` are what was asked of it; each waits for `gates` of its name, where set."""

    log_: Log
    tell: Tell
    calls: list[str] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    refuses_to_start: bool = False

    async def start(self) -> None:
        await self._called("start")
        if self.refuses_to_start:
            raise EnvironmentFailed("it can't start")
        self.tell(Kind.INIT_STARTED)
        self.tell(Kind.READY, init_ms=1.0)

    async def invoke(self, request: Request) -> Invocation:
        self.log_.begin()
        self.log_.write(f"START RequestId: {request.request_id} Version: $LATEST")
        await self._called("invoke")
        report = Report(request_id=request.request_id, duration_ms=1.0, memory_size=128, max_memory_used=1)
        self.tell(Kind.ANSWERED, request_id=request.request_id, report=report)
        self.log_.write(f"END RequestId: {request.request_id}", report.line())
        return Invocation(payload=request.event, function_error=False, log=(), report=report)

    async def finish(self) -> None:
        await self._called("finish")

    async def log(self) -> tuple[str, ...]:
        return self.log_.lines()

    async def freeze(self) -> None:
        await self._called("freeze")

    async def thaw(self) -> None:
        await self._called("thaw")

    async def stop(self) -> None:
        await self._called("stop")

    async def _called(self, name: str) -> None:
        self.calls.append(name)
        await asyncio.sleep(0)
        if name in self.gates:
            await self.gates[name].wait()


Make = Callable[[], ExecutionEnvironment]


def _state(environment: ExecutionEnvironment) -> str:
    return environment.state.value


async def echoes(make: Make) -> None:
    """What an environment of a function that returns its event does, whatever the emulator."""
    environment = make()
    assert _state(environment) == "new"
    async with environment:
        assert _state(environment) == "ready"
        for event in (b'{"do": "echo", "with": 1}', b'{"do": "echo"}'):
            first = await environment.invoke(Request(event=event, whole_log=True))
            assert not first.function_error
            assert first.report
            assert first.log[0].startswith("START RequestId: ")
            assert first.log[-1] == first.report.line()
            assert _state(environment) == "ready", "a whole log is that of an invocation that is over"
        running = asyncio.ensure_future(environment.invoke(Request(event=event)))
        await asyncio.sleep(0)
        assert not environment.is_free
        try:
            await environment.invoke(Request(event=event), wait=False)
            raise AssertionError("it took a second invocation")
        except EnvironmentBusy:
            pass
        assert not (await running).log
    assert _state(environment) == "stopped"
    await environment.stop()
