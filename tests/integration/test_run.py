"""`run`: one function at a URL until Ctrl-C, one invocation at a time, nothing left behind."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests

from lambdaimg.model.rie import INVOKE_PATH
from tests.integration.conftest import (
    PATIENCE,
    Sandboxed,
    docker,
    interrupt,
    make_project,
    python_function,
    read_until,
    serving,
)

SOURCE = """
import os, time
count = 0
def handler(event, context):
    global count
    count += 1
    if event == "fail":
        raise ValueError("no")
    if event == "wait":
        print("it waits", flush=True)
        while not os.path.exists("/tmp/go"):
            time.sleep(0.01)
    return {"count": count, "event": event}
"""


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    """A project of one function that counts its invocations, and waits for a file when it is told to; built."""
    for project in make_project(tmp_path_factory.mktemp("run") / "project"):
        python_function(project, SOURCE, "timeout = 60\n")
        project.run("build")
        yield project


@pytest.fixture(params=["lambdaimg", "rie"])
def emulator(request: pytest.FixtureRequest) -> list[str]:
    """The option that chooses each of the emulators: what holds for one holds for the other."""
    return ["--rie"] if request.param == "rie" else []


def let_go(project: Sandboxed) -> None:
    container = docker(
        *("ps", "-q", "--filter", f"label=lambdaimg.project={project.name}"),
        *("--filter", "label=lambdaimg.role=environment"),
    )
    docker("exec", container, "touch", "/tmp/go")


def test_it_answers_as_lambda_does(counter: Sandboxed, emulator: list[str]) -> None:
    with serving(counter, *emulator) as served:
        assert served.process.stdout
        assert served.process.stdout.readline() == f"curl -XPOST {served.url}{INVOKE_PATH} -d '{{}}'\n"
        first = served.post({"a": 1})
        assert (first.status_code, first.json()) == (200, {"count": 1, "event": {"a": 1}})
        assert served.post("x", "hello").json()["count"] == 2, "by its own name, in the same environment"
        failed = served.post("fail", **{"X-Amz-Log-Type": "Tail"})
        assert (failed.status_code, failed.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
        assert failed.json()["errorType"] == "ValueError"
        assert failed.headers["X-Amz-Log-Result"]
        assert served.post({}, "other").status_code == 404
        broken = requests.post(served.url + INVOKE_PATH, data=b"{", timeout=60)
        assert (broken.status_code, broken.headers["x-amzn-ErrorType"]) == (400, "InvalidRequestContentException")
        large = requests.post(served.url + INVOKE_PATH, data=b'"' + b"x" * 6_291_556 + b'"', timeout=60)
        assert (large.status_code, large.headers["x-amzn-ErrorType"]) == (413, "RequestTooLargeException")
        read_until(served.process.stderr, "REPORT RequestId: ")


def test_invoke_uses_the_environment_that_runs(counter: Sandboxed, emulator: list[str]) -> None:
    with serving(counter, *emulator) as served:
        assert served.post(1).json()["count"] == 1
        done = counter.run("invoke", "-d", "2")
        assert '"count": 2' in done.stdout
        assert "REPORT RequestId: " in done.stderr
        assert counter.run("invoke", "-d", '"fail"', code=1).stdout


@pytest.mark.parametrize(("options", "statuses", "answered"), [((), (200, 200), 2), (("--no-queue",), (200, 429), 1)])
def test_overlapping_requests_are_one_after_the_other(
    counter: Sandboxed, emulator: list[str], options: tuple[str, ...], statuses: tuple[int, int], answered: int
) -> None:
    with serving(counter, *emulator, *options) as served, ThreadPoolExecutor() as threads:
        first = threads.submit(served.post, "wait")
        read_until(served.process.stderr, "it waits")
        second = threads.submit(served.post, {})
        if options:
            assert second.result().headers["x-amzn-ErrorType"] == "TooManyRequestsException"
        let_go(counter)
        assert (first.result().status_code, second.result().status_code) == statuses
        assert first.result().json()["count"] == 1
        assert served.post({}).json()["count"] == answered + 1, "it has survived"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_container(counter: Sandboxed, emulator: list[str], number: int) -> None:
    with serving(counter, *emulator) as served, ThreadPoolExecutor() as threads:
        waiting: Future[requests.Response] = threads.submit(served.post, "wait")
        read_until(served.process.stderr, "it waits")
        code, _, err = interrupt(served.process, number)
        assert code == 130
        assert err.splitlines()[-1] == "interrupted"
        assert counter.containers() == []
        with pytest.raises((requests.RequestException, AssertionError)):
            assert waiting.result().status_code == 200


def test_what_a_killed_run_left_is_swept_by_the_next_start(counter: Sandboxed, emulator: list[str]) -> None:
    with serving(counter, *emulator) as served:
        served.process.kill()
        served.process.communicate(timeout=PATIENCE)
    assert '"count": 1' in counter.run("invoke", *emulator).stdout
    assert counter.containers() == []


def test_a_port_in_use_is_named(counter: Sandboxed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = counter.run("run", "--rie", "--port", str(port), code=2)
    assert f"error: can't listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    assert "choose another port with --port" in done.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return int(unused.getsockname()[1])


def test_the_printed_lines_run_and_answer(counter: Sandboxed) -> None:
    nasty = "a ${X} $(id) \\ \" ' # é"
    printed = counter.run("run", "--rie", "--print", "--port", str(free_port()), "--env", f"NASTY={nasty}").stdout
    line, curl = printed.splitlines()
    process = subprocess.Popen(["bash", "-c", f"exec {line}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        patiently = f"{curl} -sS --retry 30 --retry-delay 1 --retry-all-errors"
        answer = subprocess.run(["bash", "-c", patiently], capture_output=True, text=True, check=True)
        assert answer.stdout == '{"count": 1, "event": {}}'
        container = docker("ps", "-q", "--filter", f"ancestor={counter.image()}")
        assert docker("exec", container, "printenv", "NASTY") == nasty
    finally:
        for container in docker("ps", "-q", "--filter", f"ancestor={counter.image()}").split():
            docker("rm", "-f", container)
        process.communicate(timeout=PATIENCE)


def test_print_needs_rie(counter: Sandboxed) -> None:
    assert "--print prints the emulator's commands" in counter.run("run", "--print", code=2).stderr
