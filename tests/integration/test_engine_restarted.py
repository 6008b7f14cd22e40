"""The engine goes away under a running function, and comes back."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.conftest import PATIENCE, Sandboxed, docker, python_function, read_until
from tests.integration.private_engine import PrivateEngine, private_engine
from tests.integration.serve_fixtures import Serve, functions, serve, until

pytestmark = pytest.mark.slow
SOURCE = """
import time
count = 0
def handler(event, context):
    global count
    count += 1
    if event == "wait":
        print("it waits", flush=True)
        time.sleep(600)
    return count
"""


@pytest.fixture(scope="module")
def restartable() -> Iterator[PrivateEngine]:
    with private_engine() as engine:
        yield engine


def lambdaimg(project: Sandboxed, engine: PrivateEngine, *words: str) -> "subprocess.Popen[str]":
    command = [*engine.inside, "env", f"DOCKER_HOST={engine.host}", sys.executable, "-m", "lambdaimg", *words]
    return subprocess.Popen(command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_nothing_is_left(engine: PrivateEngine) -> None:
    host = ("--host", engine.host)
    assert docker(*host, "ps", "-aq") == ""
    assert docker(*host, "volume", "ls", "-q") == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_the_caller_is_told_and_the_next_one_is_answered(
    project: Sandboxed, restartable: PrivateEngine, number: int
) -> None:
    python_function(project, SOURCE, "timeout = 600\n")
    project.run("build")
    restartable.load(project.image())
    run = lambdaimg(project, restartable, "run", "--port", "0")
    try:
        read_until(run.stdout, "answers at")
        waiting = lambdaimg(project, restartable, "invoke", "-d", '"wait"')
        read_until(run.stderr, "it waits")
        restartable.stop(number)
        begun = time.monotonic()
        out, err = waiting.communicate(timeout=PATIENCE)
        assert waiting.returncode == 1, err
        assert json.loads(out)["errorType"] in ("Sandbox.Failure", "Runtime.ExitError"), out
        assert time.monotonic() - begun < 60, "long before the timeout"
        restartable.start()
        assert "Status: error" in read_until(run.stderr, "REPORT")
        again = lambdaimg(project, restartable, "invoke", "-d", "1")
        out, err = again.communicate(timeout=PATIENCE)
        assert (again.returncode, out) == (0, "1"), err
    finally:
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130, said
    assert_nothing_is_left(restartable)


def ask(served: Serve, event: object, *options: str, function: str = "does") -> tuple[int, Any]:
    """What a client in the engine's network gets: the status, and the body."""
    url = f"{served.url}/2015-03-31/functions/{function}/invocations"
    curl = ("curl", "--silent", "--write-out", "\n%{http_code}", *options, "--data", json.dumps(event), url)
    said = subprocess.run([*served.project.inside, *curl], capture_output=True, text=True, check=True, timeout=PATIENCE)
    body, _, status = said.stdout.rpartition("\n")
    return int(status), json.loads(body) if body else None


def test_serve_tells_its_clients_loses_no_event_and_recovers(project: Sandboxed, restartable: PrivateEngine) -> None:
    told = project.root / "told.jsonl"
    functions(
        project,
        does='timeout = 60\n[functions.does.async]\non-success = "file:told.jsonl"\n',
        kept="provisioned-concurrency = 1\n",
    )
    for name in ("does", "kept"):
        restartable.load(project.image(name))
    inside = replace(project, inside=restartable.inside, environment={"DOCKER_HOST": restartable.host})
    as_event = ("--header", "X-Amz-Invocation-Type: Event")
    with serve(inside, "--time-scale", "0.01") as running, ThreadPoolExecutor() as threads:
        waiting = threads.submit(ask, running, {"wait": True, "print": "it waits"})
        running.hears("it waits")
        restartable.stop()
        status, error = waiting.result()
        assert (status, error["errorType"] in ("Sandbox.Failure", "Runtime.ExitError")) == (200, True), error
        for name in ("does", "kept"):
            status, error = ask(running, {}, function=name)
            assert (status, error["Type"]) == (500, "Service"), error
        for number in range(3):
            assert ask(running, {"number": number}, *as_event)[0] == 202
        restartable.start()
        until(lambda: told.exists() and told.read_text().count("\n") == 3, "all records")
        assert ask(running, {})[0] == 200
        until(lambda: len(restartable.environments(project.name, "kept")) == 1, "the provisioned environment")
        status, answer = ask(running, {}, function="kept")
        assert (status, answer["type"]) == (200, "provisioned-concurrency")
    assert_nothing_is_left(restartable)
