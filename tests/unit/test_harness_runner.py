"""The runner: which cases share an environment, what breaks and what does not, and how many run at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lambdaimg.harness.results import Result
from lambdaimg.harness.runner import OnLine, Runner
from lambdaimg.harness.slots import Slots, jobs_of
from lambdaimg.model.case_files import as_event, expectation
from lambdaimg.model.cases import Case, Step
from lambdaimg.model.errors import BuildError, EnvironmentFailed, LambdaimgError
from lambdaimg.model.invocation import Invocation, Report, Request
from lambdaimg.model.project import Function
from lambdaimg.model.settings import FunctionSettings


def case(name: str, event: Any = None, expect: dict[str, Any] | None = None, **more: Any) -> Case:
    step = Step(event=as_event(event), expect=expectation(expect or {}))
    return Case(function=more.pop("function", "hello"), name=name, file="f.toml", line=1, steps=(step,), **more)


@dataclass
class Stage:
    """Environments that answer what they are asked: the event "die" ends one, "fail" is a function's failure."""

    opened: int = 0
    open_now: int = 0
    most_at_once: int = 0
    variables: list[Mapping[str, str]] = field(default_factory=list)
    events: list[tuple[int, Any]] = field(default_factory=list)
    refuse: LambdaimgError | None = None
    refuse_number: int = 0
    slowness: int = 1

    @asynccontextmanager
    async def open(self, function: str, variables: Mapping[str, str], on_line: OnLine) -> AsyncIterator["Played"]:
        if self.refuse:
            raise self.refuse
        self.opened += 1
        number = self.opened
        if number == self.refuse_number:
            raise EnvironmentFailed("no")
        for _ in range(self.slowness):
            await asyncio.sleep(0)
        self.open_now += 1
        self.most_at_once = max(self.most_at_once, self.open_now)
        self.variables.append(variables)
        try:
            await asyncio.sleep(0)
            yield Played(self, number, on_line)
        finally:
            self.open_now -= 1


@dataclass
class Played:
    stage: Stage
    number: int
    on_line: OnLine

    async def invoke(self, request: Request) -> Invocation:
        said = json.loads(request.event)
        self.stage.events.append((self.number, said))
        self.on_line(f"environment {self.number} got {said}")
        await asyncio.sleep(0)
        if said == "die":
            raise EnvironmentFailed("the environment ended with code 1", remedy="look at its log")
        if said == "hang":
            await asyncio.Event().wait()
        if said == "bug":
            raise RuntimeError("a bug")
        report = Report(request_id="r", duration_ms=2, memory_size=128, max_memory_used=9)
        return Invocation(payload=request.event, function_error=said == "fail", log=(), report=report)


def run(stage: Stage, *cases: Case, jobs: int = 4, stop: bool = False, broken: Any = None) -> dict[str, Result]:
    told: list[Result] = []
    runner = Runner(stage, jobs=jobs, stop_at_first=stop, broken=broken or {}, on_result=told.append)
    asyncio.run(runner.run(cases))
    assert stage.open_now == 0
    assert told == runner.results
    assert len(told) == len(cases)
    return {result.case.name: result for result in told}


def outcomes(found: dict[str, Result]) -> dict[str, str]:
    return {name: result.outcome.value for name, result in found.items()}


def test_warm_cases_share_an_environment_in_their_order() -> None:
    stage = Stage()
    found = run(stage, case("a", 1), case("b", 2), case("c", 3), case("other", 4, function="named"))
    assert set(outcomes(found).values()) == {"passed"}
    assert stage.opened == 2
    assert [event for _, event in stage.events if event != 4] == [1, 2, 3]
    assert found["b"].log[0].endswith("got 2")
    assert len(found["b"].log) == 1


def test_a_fresh_case_is_alone_with_its_variables() -> None:
    stage = Stage()
    run(stage, case("a", 1), case("b", 2, fresh=True, environment={"STAGE": "x"}), case("c", 3, fresh=True))
    assert stage.opened == 3
    assert {"STAGE": "x"} in stage.variables
    assert len({number for number, _ in stage.events}) == 3


def test_repeats_steps_and_their_failures() -> None:
    stage = Stage()
    steps = tuple(
        Step(event=as_event(event), expect=expectation({"payload": payload}))
        for event, payload in ((1, 1), (2, 0), (3, 3))
    )
    found = run(stage, case("repeat", 1, repeat=3), replace(case("steps"), steps=steps, fresh=True))
    assert outcomes(found) == {"repeat": "passed", "steps": "failed"}
    assert len(found["repeat"].reports) == 3
    assert found["steps"].failures[0].what == "event 2 of 3: the payload differs"
    assert (2, 3) not in stage.events and (1, 3) not in stage.events, "no event after the one that failed"


def test_concurrent_environments_are_all_open_before_any_gets_its_event() -> None:
    stage = Stage()
    found = run(stage, case("a", 1, concurrency=3, fresh=True), jobs=3)
    assert stage.most_at_once == 3
    assert sorted(stage.events) == [(1, 1), (2, 1), (3, 1)]
    assert len(found["a"].reports) == 3


def test_one_of_several_environments_that_does_not_start_leaves_none_behind() -> None:
    stage = Stage(refuse_number=2, slowness=9)
    assert outcomes(run(stage, case("a", 1, concurrency=3, fresh=True), jobs=3)) == {"a": "error"}
    assert stage.most_at_once == 2
    assert stage.events == []


def test_no_more_environments_than_jobs_save_where_a_case_needs_more() -> None:
    stage = Stage()
    run(stage, *(case(f"c{number}", number, fresh=True) for number in range(6)), jobs=2)
    assert stage.most_at_once == 2
    stage = Stage()
    run(stage, case("a", 1, concurrency=3, fresh=True), case("b", 2, fresh=True), jobs=2)
    assert stage.most_at_once == 3


def test_an_environment_that_ends_fails_its_case_and_leaves_the_others_alone() -> None:
    stage = Stage()
    found = run(stage, case("a", 1), case("b", "die"), case("c", 2))
    assert outcomes(found) == {"a": "passed", "b": "error", "c": "passed"}
    assert found["b"].reason == "the environment ended with code 1, look at its log"
    assert found["b"].log == ("environment 1 got die",)
    assert (2, 2) in stage.events


def test_an_environment_that_does_not_start() -> None:
    found = run(Stage(refuse=EnvironmentFailed("no")), case("a"), case("b"), case("c", fresh=True))
    assert set(outcomes(found).values()) == {"error"}
    assert {result.reason for result in found.values()} == {"no"}


def test_a_function_whose_build_failed_is_not_run() -> None:
    stage = Stage()
    error = BuildError("named: the build failed", output=["no such package"])
    found = run(stage, case("a", 1), case("b", 2, function="named"), broken={"named": error})
    assert outcomes(found) == {"a": "passed", "b": "error"}
    assert found["b"].log == ("no such package",)
    known = case("c", function="named", xfail="a bug")
    assert outcomes(run(Stage(), known, broken={"named": error})) == {"c": "error"}, "it is another bug than was known"
    assert stage.events == [(1, 1)]


def test_skipped_and_expected_failures() -> None:
    stage = Stage()
    found = run(
        stage,
        case("skip", 1, skip="later"),
        case("xfail", "fail", xfail="a bug"),
        case("xerror", "die", xfail="a bug"),
        case("xpass", 2, xfail="a bug"),
    )
    assert outcomes(found) == {"skip": "skipped", "xfail": "xfailed", "xerror": "xfailed", "xpass": "failed"}
    assert found["skip"].reason == "later"
    assert found["xpass"].failures[0].what == "passed, but was expected to fail (a bug)"
    assert 1 not in [event for _, event in stage.events]


def test_the_first_failure_ends_the_run_where_that_is_asked_for() -> None:
    cases = (case("a", 1), case("b", "fail"), case("c", 2), case("d", 3))
    assert outcomes(run(Stage(), *cases, stop=True)) == {"a": "passed", "b": "failed", "c": "not run", "d": "not run"}
    assert outcomes(run(Stage(), *cases))["d"] == "passed"
    stage = Stage()
    waiting = case("other", 4, function="named")
    assert outcomes(run(stage, *cases, waiting, stop=True, jobs=1))["other"] == "not run"
    assert stage.opened == 1, "no environment for a case that will not run"


def test_an_interrupted_run_keeps_its_results_and_no_environment() -> None:
    stage = Stage()
    runner = Runner(stage, jobs=2, stop_at_first=False, broken={}, on_result=lambda _: None)

    async def interrupted() -> None:
        task = asyncio.ensure_future(runner.run([case("a", 1), case("b", "hang"), case("c", "hang", fresh=True)]))
        while len(stage.events) < 3:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    assert [result.case.name for result in runner.results] == ["a"]
    assert stage.open_now == 0


def test_an_error_that_is_not_the_environments_ends_the_run() -> None:
    stage = Stage()
    with pytest.raises(RuntimeError, match="a bug"):
        run(stage, case("a", "bug"), case("b", "hang", fresh=True))
    assert stage.open_now == 0


def test_slots_are_given_back() -> None:
    async def taken() -> None:
        slots = Slots(2)
        async with slots.taken(5):
            pass
        async with slots.taken(1), slots.taken(1):
            pass

    asyncio.run(asyncio.wait_for(taken(), 5))


def test_the_machine_bounds_the_jobs() -> None:
    small = Function(name="a", settings=FunctionSettings(memory=128), origins={})
    huge = Function(name="a", settings=FunctionSettings(memory=10_240), origins={})
    assert 1 <= jobs_of([huge]) <= jobs_of([small])
    assert jobs_of([]) >= 1
