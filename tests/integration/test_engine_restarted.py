"""The engine goes away under a running function, and comes back."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.integration.conftest import PATIENCE, Sandboxed, docker, python_function, read_until
from tests.integration.private_engine import PrivateEngine, private_engine

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


def test_the_caller_is_told_and_the_next_one_is_answered(project: Sandboxed, restartable: PrivateEngine) -> None:
    python_function(project, SOURCE, "timeout = 600\n")
    project.run("build")
    restartable.load(project.image())
    run = lambdaimg(project, restartable, "run", "--port", "0")
    try:
        read_until(run.stdout, "answers at")
        waiting = lambdaimg(project, restartable, "invoke", "-d", '"wait"')
        read_until(run.stderr, "it waits")
        restartable.stop()
        out, err = waiting.communicate(timeout=PATIENCE)
        assert waiting.returncode == 1, err
        assert json.loads(out)["errorType"] in ("Sandbox.Failure", "Runtime.ExitError"), out
        restartable.start()
        assert "Status: error" in read_until(run.stderr, "REPORT")
        again = lambdaimg(project, restartable, "invoke", "-d", "1")
        out, err = again.communicate(timeout=PATIENCE)
        assert (again.returncode, out) == (0, "1"), err
    finally:
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    host = ("--host", restartable.host)
    assert docker(*host, "ps", "-aq") == ""
    assert docker(*host, "volume", "ls", "-q") == ""
