"""`serve` under many clients at once: exactly the environments and throttles that Lambda's rules give."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.integration.conftest import make_project
from tests.integration.serve_fixtures import Serve, functions, serve, until

CLIENTS = 50
ACCOUNT = 20
"""Concurrent executions: 6 of them are reserved, and 14 shared."""

RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
SHARED = "ConcurrentInvocationLimitExceeded"
Answers = list["Future[requests.Response]"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    for project in make_project(tmp_path_factory.mktemp("concurrency") / "project"):
        functions(
            project,
            none="timeout = 60\nreserved-concurrency = 0\n",
            one="timeout = 60\nreserved-concurrency = 1\n",
            five="timeout = 60\nreserved-concurrency = 5\n",
            kept="timeout = 60\nprovisioned-concurrency = 2\n",
        )
        with serve(project, "--account-concurrency", str(ACCOUNT)) as running:
            yield running


def done(answers: Answers) -> Answers:
    return [answer for answer in answers if answer.done()]


def released(served: Serve, function: str, answers: Answers) -> list[requests.Response]:
    """What they get once nothing waits any more."""

    def let_go() -> bool:
        served.let_go(function)
        return len(done(answers)) == len(answers)

    until(let_go, "all answers")
    return [answer.result() for answer in answers]


@pytest.mark.parametrize(
    ("function", "admitted", "reason"),
    [("none", 0, RESERVED), ("one", 1, RESERVED), ("five", 5, RESERVED), ("kept", 14, SHARED)],
)
def test_so_many_run_and_the_others_are_throttled(served: Serve, function: str, admitted: int, reason: str) -> None:
    with ThreadPoolExecutor(CLIENTS) as threads:
        answers = [threads.submit(served.post, {"wait": True, "print": "it waits"}, function) for _ in range(CLIENTS)]
        until(lambda: len(done(answers)) == CLIENTS - admitted, f"{CLIENTS - admitted} throttles")
        for refused in done(answers):
            assert refused.result().status_code == 429
            assert refused.result().json()["Reason"] == reason
            assert refused.result().headers["Retry-After"]
        served.hears(f"{function}  it waits", admitted)
        served_ones = [answer for answer in released(served, function, answers) if answer.status_code == 200]
    assert len(served_ones) == len(served.environments(function)) == admitted
    kinds = Counter(answer.json()["type"] for answer in served_ones)
    assert kinds["provisioned-concurrency"] == (2 if function == "kept" else 0)
    assert all(answer.json()["count"] == 1 for answer in served_ones), "one invocation at a time in each"


def admitted(served: Serve, function: str, number: int) -> None:
    """Returns as soon as so many requests are admitted: they run, or wait for this machine."""
    line = f'ConcurrentExecutions{{FunctionName="{function}"}} {number}.0'
    until(lambda: line in requests.get(f"{served.url}/metrics", timeout=60).text, line)


def test_the_machines_limit_makes_requests_wait_in_their_order(tmp_path: Path) -> None:
    for project in make_project(tmp_path / "project"):
        functions(project, does="timeout = 60\n", other="")
        with serve(project, "--max-environments", "1") as small, ThreadPoolExecutor() as threads:
            answers = [threads.submit(small.post, {"wait": True, "print": "it waits"})]
            small.hears("does  it waits")
            assert not any("--max-environments" in line for line in small.said)
            for number in range(2, 6):
                answers.append(threads.submit(small.post, {}))
                admitted(small, "does", number)
            small.hears("no rule of Lambda's; --max-environments changes it")
            counts = [answer.json()["count"] for answer in released(small, "does", answers)]
            assert counts == [1, 2, 3, 4, 5], "all in one environment, first come, first served"
            assert small.post({}, "other").status_code == 200, "an idle environment makes room for another function's"
            assert len(small.environments("does") + small.environments("other")) == 1


def test_provisioned_environments_are_there_before_the_first_request(tmp_path: Path) -> None:
    for project in make_project(tmp_path / "project"):
        functions(project, does="provisioned-concurrency = 2\n", other="")
        with serve(project) as running:
            assert (len(running.environments("does")), len(running.environments("other"))) == (2, 0)
        refused = project.run("serve", "--port", "0", "--max-environments", "2", code=2)
        assert "--max-environments" in refused.stderr
