"""Functions for tests in Python: called like functions, in their images, without a thought of loops and containers."""

import asyncio
import fcntl
import json
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, TypeVar

from lambdaimg.engine.client import connect
from lambdaimg.harness.environments import ProjectEnvironments
from lambdaimg.harness.images import provide_quietly
from lambdaimg.harness.live_report import plain
from lambdaimg.harness.results import BAD, Result
from lambdaimg.harness.runner import Attempt, Environment, alone
from lambdaimg.model.case_files import as_event
from lambdaimg.model.cases import Case
from lambdaimg.model.errors import LambdaimgError
from lambdaimg.model.invocation import Invocation, Request, error_of
from lambdaimg.model.project import Project
from lambdaimg.runtime.factory import EnvironmentFactory, Options

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of an invocation. `payload` is the JSON value; `error` is set where the function failed.

    `duration_ms`, `init_ms` and `memory_mb` are measured; None where they are not known.
    """

    payload: Any
    error: Mapping[str, Any] | None
    logs: tuple[str, ...]
    duration_ms: float | None
    init_ms: float | None
    memory_mb: int | None


class LambdaFunctions:
    """A context manager: the functions of a project by name, each built and started when it is first called for."""

    def __init__(self, project: Project, *, rie: bool = False) -> None:
        """Raises EngineUnavailable."""
        self._project = project
        self._factory = EnvironmentFactory(connect(), project, Options(rie=rie), lambda _: None)
        self._environments = ProjectEnvironments(factory=self._factory, project=project)
        self._loop = _Loop()
        self._open: list[LambdaFunction] = []
        self._built: set[str] = set()
        self._warm: dict[tuple[str, frozenset[tuple[str, str]]], LambdaFunction] = {}

    def __enter__(self) -> "LambdaFunctions":
        self._loop.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for function in self._open:
                function.close()
        finally:
            self._factory.close()
            self._loop.stop()

    def __call__(
        self, name: str, environment: Mapping[str, str] | None = None, *, cold: bool = False
    ) -> "LambdaFunction":
        """A function's environment, with variables over its own: the warm one, or with `cold` a new one.

        Raises UsageError for a name that the project doesn't have, BuildError, EnvironmentFailed.
        """
        variables = dict(environment or {})
        key = (name, frozenset(variables.items()))
        found = self._warm.get(key)
        if found is not None and found.usable and not cold:
            return found
        opened = LambdaFunction(name, self._ready(name), variables, self._loop)
        self._open.append(opened)
        if not cold:
            self._warm[key] = opened
        return opened

    def _ready(self, name: str) -> ProjectEnvironments:
        """Builds a function's image, if that has not been done; processes that test side by side take turns."""
        function = self._project.one(name)
        if name not in self._built:
            with _turn(self._project):
                provide_quietly(self._factory.engine, self._project, function)
            self._built.add(name)
        return self._environments

    def check(self, case: Case) -> None:
        """Runs a test case. Raises AssertionError with everything that is not as expected."""
        bare = replace(case, xfail="", skip="")
        result = self._alone(bare) if case.fresh else self(case.function).attempt(bare)
        if result.outcome in BAD:
            raise AssertionError("\n".join([f"{case.file}:{case.line}: {case.name}", *plain(result), *result.log]))

    def _alone(self, case: Case) -> Result:
        return self._loop.wait_for(alone(self._ready(case.function), case))


class LambdaFunction:
    """A function in one environment, which lasts until `close`, the end of a `with` block, or the end of all tests."""

    def __init__(
        self, name: str, environments: ProjectEnvironments, variables: Mapping[str, str], loop: "_Loop"
    ) -> None:
        self.name = name
        self.usable = True
        """Whether its environment is alive, as far as is known."""
        self._loop = loop
        self._log: list[str] = []
        self._stack = AsyncExitStack()
        self._environment: Environment = loop.wait_for(self._opened(environments, variables))
        self._cold = True

    async def _opened(self, environments: ProjectEnvironments, variables: Mapping[str, str]) -> Environment:
        return await self._stack.enter_async_context(environments.open(self.name, variables, self._log.append))

    def __enter__(self) -> "LambdaFunction":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the environment. A second call does nothing."""
        self.usable = False
        self._loop.wait_for(self._stack.aclose())

    def invoke(self, event: Any = None) -> Answer:
        """The answer to an event, any JSON value. A function's failure is an answer; see its `error`.

        Raises EnvironmentFailed when the environment ends before it has answered.
        """
        try:
            return _answer(
                self._loop.wait_for(self._environment.invoke(Request(event=as_event(event), whole_log=True)))
            )
        except LambdaimgError:
            self.usable = False
            raise
        finally:
            self._cold = False

    def attempt(self, case: Case) -> Result:
        """What becomes of a test case in this environment."""
        self._log.clear()
        attempt = Attempt(case)
        self.usable = self._loop.wait_for(attempt.run(self._environment, cold=self._cold))
        self._cold = False
        return attempt.result(self._log)


@dataclass(frozen=True, kw_only=True)
class LambdaCase:
    """A test case, and the functions to run it with."""

    case: Case
    functions: LambdaFunctions

    def check(self) -> None:
        """Raises AssertionError where an answer is not as the case expects."""
        self.functions.check(self.case)


class _Loop:
    """An event loop on a thread of its own, which plain code waits for."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lambdaimg", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def _turn(project: Project) -> Iterator[None]:
    """One process at a time, by a lock on a file of the project's."""
    folder = project.root / ".lambdaimg"
    folder.mkdir(exist_ok=True)
    with (folder / "build.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _answer(invocation: Invocation) -> Answer:
    try:
        payload = json.loads(invocation.payload)
    except ValueError:
        payload = invocation.payload.decode("utf-8", "replace")
    error = (error_of(invocation.payload) or {"errorMessage": payload}) if invocation.function_error else None
    report = invocation.report
    return Answer(
        payload=payload,
        error=error,
        logs=invocation.log,
        duration_ms=report.duration_ms if report else None,
        init_ms=report.init_ms if report else None,
        memory_mb=report.max_memory_used if report else None,
    )
