"""How long test cases take in a warm environment, beside bare posts to the same one."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import requests

from benchmarks.scenario import FLOOR, LAMBDAIMG, Contestant, Failed, Goal, Scenario, seconds
from benchmarks.workspace import Workspace, workspace
from lambdaimg.catalog import languages
from lambdaimg.engine.client import connect
from lambdaimg.harness.environments import ProjectEnvironments
from lambdaimg.harness.results import Outcome, Result
from lambdaimg.harness.runner import Environment, OnLine, Runner
from lambdaimg.model import project_file
from lambdaimg.model.cases import Case, Expectation, Step
from lambdaimg.model.rie import INVOKE_PATH
from lambdaimg.runtime.factory import EnvironmentFactory, Options

_COUNT: Final = 100
_MEMORY: Final = 1_769
_EVENT: Final = b'{"name": "Ada"}'
_EXPECT: Final = Expectation(payload={"message": "Hello, Ada"}, has_payload=True)
_CASES: Final = [
    Case(function="hello", name=str(number), file="", line=1, steps=(Step(event=_EVENT, expect=_EXPECT),))
    for number in range(_COUNT)
]


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """One environment, open already, whichever is asked for."""

    environment: Environment

    @asynccontextmanager
    async def open(self, function: str, variables: Mapping[str, str], on_line: OnLine) -> AsyncIterator[Environment]:
        yield self.environment


def _run_cases(loop: asyncio.AbstractEventLoop, environment: Environment) -> None:
    results: list[Result] = []
    runner = Runner(_Opened(environment=environment), jobs=1, stop_at_first=True, broken={}, on_result=results.append)
    loop.run_until_complete(runner.run(_CASES))
    if any(result.outcome is not Outcome.PASSED for result in results):
        raise Failed("a case failed")


def _post(session: requests.Session, url: str) -> None:
    for _ in range(_COUNT):
        if session.post(url, data=_EVENT).status_code != 200:
            raise Failed("a post was not answered")


def _url(project: Workspace) -> str:
    """Where the emulator of the project's one environment listens."""
    mine = project.docker("ps", "--quiet", "--filter", f"label=lambdaimg.project={project.name}").split()
    port = re.search(r"127\.0\.0\.1:(\d+)", project.docker("port", *mine))
    if port is None:
        raise Failed("the environment has no port")
    return f"http://127.0.0.1:{port[1]}{INVOKE_PATH}"


@contextmanager
def _contestants() -> Iterator[Sequence[Contestant]]:
    with workspace(_MEMORY) as project, asyncio.Runner() as runner, requests.Session() as session:
        project.lambdaimg("build")
        session.trust_env = False
        loop, stack = runner.get_loop(), AsyncExitStack()
        try:
            shared = loop.run_until_complete(_opened(stack, project, rie=True))
            url = _url(project)
            other = loop.run_until_complete(_opened(stack, project, rie=False))
            yield [
                Contestant(name=LAMBDAIMG, measure=lambda: seconds(lambda: _run_cases(loop, shared))),
                Contestant(name="lambdaimg, own emulator", measure=lambda: seconds(lambda: _run_cases(loop, other))),
                Contestant(name=FLOOR, measure=lambda: seconds(lambda: _post(session, url))),
            ]
        finally:
            loop.run_until_complete(stack.aclose())


async def _opened(stack: AsyncExitStack, project: Workspace, *, rie: bool) -> Environment:
    said = project_file.load(project.root / "lambdaimg.toml", languages=languages.names())
    factory = EnvironmentFactory(connect(), said, Options(rie=rie), lambda _: None)
    stack.callback(factory.close)
    opening = ProjectEnvironments(factory=factory, project=said).open("hello", {}, lambda _: None)
    return await stack.enter_async_context(opening)


SCENARIOS: Final = (
    Scenario(name=f"{_COUNT} test cases, warm, under the RIE", contestants=_contestants, goal=Goal(at_most=1.5)),
)
