"""An environment's way from init to shutdown, as it happens, in order, with times and measured memory."""

import asyncio
import re
import time

import pytest

from lambdaimg.model import quotas
from lambdaimg.model.errors import EnvironmentBusy, EnvironmentFailed
from lambdaimg.model.invocation import Request
from lambdaimg.runtime.emulator import Kind
from lambdaimg.runtime.environment import State
from lambdaimg.runtime.factory import EnvironmentFactory, Options
from lambdaimg.runtime.placement import Wishes
from tests.integration.conftest import docker
from tests.integration.lab import Lab
from tests.unit.played_emulator import echoes

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["python", "nodejs"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


COLD_AND_WARM = [
    Kind.CREATED,
    Kind.INIT_STARTED,
    Kind.READY,
    Kind.INVOKED,
    Kind.ANSWERED,
    Kind.INVOKED,
    Kind.FAILED,
    Kind.INVOKED,
    Kind.INIT_STARTED,
    Kind.READY,
    Kind.ANSWERED,
    Kind.STOPPED,
]


async def test_what_happens_in_order_with_times_and_memory(lab: Lab, language: str) -> None:
    before = time.time()
    async with lab.stage(language) as stage:
        await stage.do("count")
        await stage.do("leave", 1)
        await stage.do("count")
    assert stage.kinds == COLD_AND_WARM
    times = [before, *(happening.at for happening in stage.happenings), time.time()]
    assert times == sorted(times)
    assert {happening.function for happening in stage.happenings} == {language}
    assert {happening.environment for happening in stage.happenings} == {stage.environment.id}
    ready, answered, failed, again = (stage.happenings[number] for number in (2, 4, 6, 10))
    assert ready.init_ms
    assert answered.report
    assert failed.report
    assert again.report
    assert answered.report.init_ms == ready.init_ms
    assert 5 < (answered.report.max_memory_used or 0) < 256
    assert failed.report.init_ms is None
    assert again.report.init_ms is None, "an init phase within an invocation is part of its duration"
    assert again.report.duration_ms > (stage.happenings[9].init_ms or 0)
    assert answered.request_id != failed.request_id
    assert failed.error_type == "Runtime.ExitError"


async def test_the_lines_of_a_cold_and_a_warm_invocation(lab: Lab, language: str) -> None:
    async with lab.stage(language) as stage:
        cold, warm = await stage.do("echo"), await stage.do("echo")
    times = r"Duration: [\d.]+ ms\tBilled Duration: \d+ ms"
    figures = rf"REPORT RequestId: {{}}\t{times}\tMemory Size: 256 MB\tMax Memory Used: \d+ MB"
    for answer, end in ((cold, r"\tInit Duration: [\d.]+ ms"), (warm, "")):
        assert answer.invocation.report
        request = answer.invocation.report.request_id
        start, finish, report = answer.invocation.log
        assert start == f"START RequestId: {request} Version: $LATEST"
        assert finish == f"END RequestId: {request}"
        assert re.fullmatch(figures.format(request) + end, report)
    assert not [line for line in stage.lines if line.startswith("INIT_REPORT")]


INIT_FAILURES = [
    ("raises", "error", "Runtime.Unknown|ValueError|Runtime.ImportModuleError|.*", None),
    ("exits", "error", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
    ("segfaults", "error", "Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
]


@pytest.mark.parametrize(("init", "status", "error_type", "message"), INIT_FAILURES)
async def test_an_init_phase_that_fails_runs_again_in_the_invocation(
    lab: Lab, language: str, init: str, status: str, error_type: str, message: str | None
) -> None:
    async with lab.stage(language, {"INIT": init}) as stage:
        assert stage.kinds == [Kind.CREATED, Kind.INIT_STARTED, Kind.FAILED]
        (said,) = (line for line in stage.lines if line.startswith("INIT_REPORT"))
        assert re.fullmatch(
            rf"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: {status}\tError Type: {error_type}", said
        )
        answer = await stage.do("echo")
        kind, text = answer.error
        assert re.fullmatch(error_type, kind)
        assert message is None or text == f"RequestId: {stage.happenings[-1].request_id} Error: {message}"
        assert stage.lines.count(said) == 1
        assert len([line for line in stage.lines if line.startswith("INIT_REPORT")]) == 1, "not within an invocation"
        if init == "exits":
            assert stage.lines.count("the init phase prints") == 2
        assert (await stage.do("echo")).error[0] == kind, "and so does each invocation"


@pytest.mark.parametrize("init", ["raises once", "exits once", "sleeps once"])
async def test_an_init_phase_may_succeed_the_second_time(
    lab: Lab, language: str, init: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "INIT_PHASE", 2.0)
    async with lab.stage(language, {"INIT": init}) as stage:
        status = "timeout" if init == "sleeps once" else "error\tError Type: .+"
        assert re.fullmatch(rf"INIT_REPORT .*\tPhase: init\tStatus: {status}", stage.lines[-1])
        answer = await stage.do("count")
        assert answer.payload["invocations"] == 1
        assert "\tInit Duration" not in answer.report


async def test_an_init_phase_that_takes_too_long_gets_the_functions_timeout(
    lab: Lab, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "INIT_PHASE", 0.5)
    async with lab.stage(language, {"INIT": "sleeps"}, timeout=1) as stage:
        assert stage.lines[-1].endswith("\tPhase: init\tStatus: timeout")
        answer = await stage.do("echo")
        assert answer.error[1].endswith("Error: Task timed out after 1.00 seconds")
        assert answer.report.endswith("\tStatus: timeout")


async def test_a_busy_environment_takes_the_second_invocation_after_the_first(lab: Lab) -> None:
    async with lab.stage("python") as stage:
        first = asyncio.ensure_future(stage.do("wait", 0.3))
        await asyncio.sleep(0)
        with pytest.raises(EnvironmentBusy):
            await stage.environment.invoke(Request(event=b"{}"), wait=False)
        second = await stage.do("count")
        assert second.payload["invocations"] == 2
        assert stage.kinds[3:] == [Kind.INVOKED, Kind.ANSWERED, Kind.INVOKED, Kind.ANSWERED]
        assert (await first).payload == "awake"


async def test_a_runtime_without_extensions_is_killed_at_once(lab: Lab) -> None:
    """SIGTERM never reaches it: it would write a file, and take its time."""
    story = "trap 'echo caught; sleep 60' TERM; next; answer 1; next"
    async with lab.stage("bash", {"STORY": story}) as stage:
        await stage.invoke()
        begun = time.monotonic()
        await stage.environment.stop()
        took = time.monotonic() - begun
    assert "caught" not in stage.lines
    assert took < 10, "docker's own patience"
    with pytest.raises(EnvironmentFailed, match="stopped"):
        await stage.invoke()


async def test_an_environment_that_is_stopped_tells_the_invocation_that_runs(lab: Lab) -> None:
    async with lab.stage("python") as stage:
        running = asyncio.ensure_future(stage.do("wait", 60))
        while "it waits" not in stage.lines:
            await asyncio.sleep(0.01)
        await stage.environment.stop()
        with pytest.raises(EnvironmentFailed, match="stopped before it had answered"):
            await running
    assert stage.kinds[-1] is Kind.STOPPED
    assert stage.kinds.count(Kind.STOPPED) == 1


async def test_nothing_runs_between_two_invocations_of_a_frozen_environment(lab: Lab, language: str) -> None:
    async with lab.stage(language, freeze=True) as stage:
        assert paused(lab, language)
        await stage.do("count", "kept")
        assert paused(lab, language)
        assert (await stage.do("leave", 1)).error[0] == "Runtime.ExitError"
        assert "kept" in (await stage.do("count")).payload["tmp"]
        assert stage.environment.state is State.READY
    assert not environments(lab, language)


def environments(lab: Lab, language: str) -> list[str]:
    labels = ("project", lab.project.name), ("function", language), ("role", "environment")
    filters = [word for name, value in labels for word in ("--filter", f"label=lambdaimg.{name}={value}")]
    return docker("ps", "-q", *filters).split()


def paused(lab: Lab, language: str) -> bool:
    (container,) = environments(lab, language)
    return docker("inspect", "--format", "{{.State.Paused}}", container) == "true"


@pytest.mark.parametrize("rie", [False, True])
async def test_both_emulators_keep_the_contract_of_an_environment(lab: Lab, rie: bool) -> None:
    with EnvironmentFactory(lab.engine, lab.project, Options(rie=rie), print) as factory:
        await echoes(lambda: factory.make(lab.function("python"), Wishes(), print))
