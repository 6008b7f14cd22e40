"""Runs cases: each function's warm ones in turn in one environment, the others each in environments of its own."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Protocol

from lambdaimg.harness.results import BAD, Outcome, Result
from lambdaimg.harness.slots import Slots
from lambdaimg.harness.verdict import Failure, judge
from lambdaimg.model.cases import Case
from lambdaimg.model.errors import LambdaimgError
from lambdaimg.model.invocation import Invocation, Request

OnLine = Callable[[str], None]
OnResult = Callable[[Result], None]


class Environment(Protocol):
    """What the harness needs of an execution environment."""

    async def invoke(self, request: Request) -> Invocation:
        """The answer to an event. Raises LambdaimgError when the environment is of no more use."""


class Environments(Protocol):
    """Where environments come from."""

    def open(
        self, function: str, variables: Mapping[str, str], on_line: OnLine
    ) -> AbstractAsyncContextManager[Environment]:
        """An environment of a function, with variables over its own; gone at the end of the block."""


class Runner:
    """One run of cases. `results` grows while it runs, so that an interrupted run has some."""

    def __init__(
        self,
        environments: Environments,
        *,
        jobs: int,
        stop_at_first: bool,
        broken: Mapping[str, LambdaimgError],
        on_result: OnResult,
    ) -> None:
        """`broken` gives the functions that can't be run, with the reason."""
        self._environments = environments
        self._slots = Slots(jobs)
        self._stop_at_first = stop_at_first
        self._broken = broken
        self._on_result = on_result
        self._failed = False
        self.results: list[Result] = []

    async def run(self, cases: Sequence[Case]) -> None:
        """Runs all cases, every one of which gets a result. Raises LambdaimgError when the engine gives up."""
        try:
            async with asyncio.TaskGroup() as group:
                for function in dict.fromkeys(case.function for case in cases):
                    warm = [case for case in cases if case.function == function and not case.fresh]
                    group.create_task(self._warm(warm))
                for case in cases:
                    if case.fresh:
                        group.create_task(self._fresh(case))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _warm(self, cases: Sequence[Case]) -> None:
        """Cases that share an environment, in their order; one that breaks it leaves the next a new one."""
        waiting: Sequence[Case] = [case for case in cases if not self._settled(case)]
        if waiting:
            async with self._slots.taken(1):
                while waiting:
                    waiting = await self._until_broken(waiting)

    async def _until_broken(self, cases: Sequence[Case]) -> Sequence[Case]:
        """Runs cases in one environment; returns those that are left when it breaks, or does not start."""
        if self._stopped(cases[0]):
            return cases[1:]
        log: list[str] = []
        async with AsyncExitStack() as stack:
            try:
                opening = self._environments.open(cases[0].function, {}, log.append)
                environment = await stack.enter_async_context(opening)
            except LambdaimgError as error:
                self._finish(_broken(cases[0], error, log))
                return cases[1:]
            for number, case in enumerate(cases, start=1):
                if not self._stopped(case) and not await self._in_turn(case, environment, log, cold=number == 1):
                    return cases[number:]
        return ()

    async def _in_turn(self, case: Case, environment: Environment, log: list[str], *, cold: bool) -> bool:
        """One case in a warm environment; says whether that is of further use."""
        log.clear()
        attempt = Attempt(case)
        usable = await attempt.run(environment, cold=cold)
        self._finish(attempt.result(log))
        return usable

    async def _fresh(self, case: Case) -> None:
        if self._settled(case):
            return
        async with self._slots.taken(case.concurrency):
            if not self._stopped(case):
                self._finish(await alone(self._environments, case))

    def _settled(self, case: Case) -> bool:
        """Whether a case's end is known without running it; it is reported then."""
        if case.skip:
            self._finish(Result(case=case, outcome=Outcome.SKIPPED, reason=case.skip))
        elif case.function in self._broken:
            error = self._broken[case.function]
            self._finish(replace(_broken(case, error, ()), outcome=Outcome.ERROR, reason=_reason(error)))
        else:
            return False
        return True

    def _stopped(self, case: Case) -> bool:
        if self._failed and self._stop_at_first:
            self._finish(Result(case=case, outcome=Outcome.NOT_RUN, reason="another case failed"))
            return True
        return False

    def _finish(self, result: Result) -> None:
        self._failed = self._failed or result.outcome in BAD
        self.results.append(result)
        self._on_result(result)


async def alone(environments: Environments, case: Case) -> Result:
    """A case in as many environments of its own as it asks for: all are started, then all get the event."""
    log: list[str] = []
    begun = time.monotonic()
    attempts = [Attempt(case) for _ in range(case.concurrency)]
    try:
        async with AsyncExitStack() as stack:
            opening = [
                stack.enter_async_context(environments.open(case.function, case.environment, log.append))
                for _ in attempts
            ]
            opened = await _all_of(opening)
            pairs = zip(attempts, opened, strict=True)
            await asyncio.gather(*(attempt.run(environment, cold=True) for attempt, environment in pairs))
    except LambdaimgError as error:
        return replace(_broken(case, error, log), seconds=time.monotonic() - begun)
    results = [attempt.result(log) for attempt in attempts]
    worst = next((result for result in results if result.outcome in BAD), results[0])
    reports = tuple(report for result in results for report in result.reports)
    return replace(worst, seconds=time.monotonic() - begun, reports=reports)


async def _all_of(opening: Sequence[Awaitable[Environment]]) -> list[Environment]:
    """What is opened, once all are: one that fails must not leave others on their way. Raises the first failure."""
    found = await asyncio.gather(*opening, return_exceptions=True)
    failures = [each for each in found if isinstance(each, BaseException)]
    if failures:
        raise failures[0]
    return [each for each in found if not isinstance(each, BaseException)]


class Attempt:
    """A case in one environment."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._failures: list[Failure] = []
        self._invocations: list[Invocation] = []
        self._error = ""
        self._begun = time.monotonic()

    async def run(self, environment: Environment, *, cold: bool) -> bool:
        """Sends the case's events until one is not answered as expected; says whether the environment is of use."""
        self._begun = time.monotonic()
        steps = [step for step in self._case.steps for _ in range(self._case.repeat)]
        for number, step in enumerate(steps, start=1):
            try:
                invocation = await environment.invoke(Request(event=step.event, whole_log=True))
            except LambdaimgError as error:
                self._error = _reason(error)
                return False
            self._invocations.append(invocation)
            found = judge(step.expect, invocation, cold=cold and number == 1)
            if found:
                prefix = f"event {number} of {len(steps)}: " if len(steps) > 1 else ""
                self._failures = [replace(failure, what=prefix + failure.what) for failure in found]
                return True
        return True

    def result(self, log: Sequence[str]) -> Result:
        """What became of it. A case that is expected to fail and passes has failed."""
        outcome = Outcome.ERROR if self._error else Outcome.FAILED if self._failures else Outcome.PASSED
        reason, failures = self._error, tuple(self._failures)
        if self._case.xfail and outcome in BAD:
            outcome, reason = Outcome.XFAILED, self._case.xfail
        elif self._case.xfail:
            outcome = Outcome.FAILED
            failures = (Failure(what=f"passed, but was expected to fail ({self._case.xfail})"),)
        return Result(
            case=self._case,
            outcome=outcome,
            seconds=time.monotonic() - self._begun,
            failures=failures,
            reason=reason,
            log=tuple(log),
            reports=tuple(each.report for each in self._invocations if each.report),
            payload=self._invocations[-1].payload if self._invocations else b"",
        )


def _broken(case: Case, error: LambdaimgError, log: Sequence[str]) -> Result:
    outcome = Outcome.XFAILED if case.xfail else Outcome.ERROR
    return Result(case=case, outcome=outcome, reason=case.xfail or _reason(error), log=(*log, *error.output))


def _reason(error: LambdaimgError) -> str:
    return ", ".join(error.lines())
