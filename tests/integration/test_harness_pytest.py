"""The pytest plugin in a generated project: fixtures, case files, and pytest's own ways to select and spread tests."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.integration.conftest import PATIENCE, Sandboxed, interrupt, python_function

SOURCE = """\
import os
count = 0
def handler(event, context):
    global count
    count += 1
    print("got", event)
    if event == "fail":
        raise ValueError("as asked")
    return {"count": count, "stage": os.environ.get("STAGE", ""), "event": event}
"""

CASES = """
[[functions.hello.tests]]
name = "inline"
expect = { payload = { stage = "" } }

[[functions.hello.tests]]
name = "known"
xfail = "a bug"
expect = { payload = { stage = "x" } }

[[functions.hello.tests]]
name = "later"
skip = "not yet"

[[functions.hello.tests]]
name = "in its own environment"
environment = { STAGE = "test" }
expect = { payload = { stage = "test", count = 1 } }
"""

TESTS = """\
import pytest

def test_an_invocation(lambda_project, lambda_function):
    hello = lambda_function(lambda_project.functions[0].name)
    answer = hello.invoke({"name": "Ada"})
    assert answer.payload["event"] == {"name": "Ada"}
    assert answer.error is None
    assert "got {'name': 'Ada'}" in answer.logs
    assert answer.duration_ms > 0
    assert lambda_function("hello") is hello

def test_an_error(lambda_function):
    answer = lambda_function("hello").invoke("fail")
    assert (answer.error["errorType"], answer.error["errorMessage"]) == ("ValueError", "as asked")

def test_a_cold_environment(lambda_function):
    with lambda_function("hello", {"STAGE": "dev"}, cold=True) as hello:
        assert hello.invoke().payload == {"count": 1, "stage": "dev", "event": None}

def test_by_an_sdk(lambda_endpoint):
    boto3 = pytest.importorskip("boto3")
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("lambda", endpoint_url=lambda_endpoint, **keys)
    assert b'"count": 1' in client.invoke(FunctionName="hello", Payload=b"{}")["Payload"].read()

@pytest.mark.lambda_cases("hello")
def test_cases(lambda_case):
    lambda_case.check()

@pytest.mark.lambda_cases("hello", files="cases/*.toml")
def test_files(lambda_case):
    lambda_case.check()
"""


@pytest.fixture
def suite(project: Sandboxed) -> Iterator[Sandboxed]:
    python_function(project, SOURCE, "memory = 128\ntimeout = 10\n" + CASES)
    project.write("cases/more.toml", '[[tests]]\nname = "wrong"\nexpect = { payload = { stage = "none" } }\n')
    project.write("tests/test_hello.py", TESTS)
    project.write("pytest.ini", "[pytest]\naddopts = --strict-markers\nlambda_project = .\n")
    yield project
    assert project.containers() == []


def pytest_run(project: Sandboxed, *arguments: str, code: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, "tests"],
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_the_plugin(suite: Sandboxed) -> None:
    out = pytest_run(suite, code=1)
    assert "1 failed, 6 passed, 1 skipped, 1 xfailed" in out
    assert "AssertionError: cases/more.toml:1: wrong" in out
    assert 'payload.stage: expected "none", got ""' in out
    assert "REPORT RequestId" in out
    assert "= 1 failed in" in pytest_run(suite, "--lf", code=1)
    assert "2 passed" in pytest_run(suite, "-k", "inline or an_error", code=0)
    assert "1 failed, 6 passed, 1 skipped, 1 xfailed" in pytest_run(suite, "-n", "2", code=1)


def test_ctrl_c_leaves_no_container(suite: Sandboxed) -> None:
    suite.write("hello/app.py", "import time\ndef handler(event, context):\n    time.sleep(event)\n")
    suite.write("lambdaimg.toml", (suite.root / "lambdaimg.toml").read_text().replace("timeout = 10", "timeout = 900"))
    suite.write(
        "tests/test_hello.py",
        "def test_hangs(lambda_function):\n    hello = lambda_function('hello')\n"
        "    hello.invoke(0)\n    print('\\nstarted', flush=True)\n    hello.invoke(800)\n",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-s", "tests"],
        cwd=suite.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if "started" in line:
            break
    code, out, _ = interrupt(process)
    assert code == 2
    assert "KeyboardInterrupt" in out


def test_mistakes_are_told_in_words(suite: Sandboxed) -> None:
    suite.write("cases/more.toml", '[[tests]]\nnam = "wrong"\n')
    suite.write("tests/test_hello.py", TESTS + "\ndef test_unmarked(lambda_case): ...\n")
    out = pytest_run(suite, code=2)
    assert "cases/more.toml:2: tests.0.nam: unknown key 'nam'" in out
    assert "Traceback" not in out


SERVICES = """\
import pytest
import requests

@pytest.fixture(scope="session")
def docker_compose_file(lambda_compose_file, tmp_path_factory):
    ports = tmp_path_factory.mktemp("ports") / "ports.yaml"  # of the engine's choice: two runs don't collide
    ports.write_text('services:\\n  hello: {ports: !override ["127.0.0.1::8080"]}\\n')
    return [str(lambda_compose_file), str(ports)]

@pytest.fixture(scope="session")
def docker_compose_project_name(lambda_project):
    return lambda_project.name

@pytest.fixture(scope="session")
def docker_setup():
    return ["up --build --wait"]

def test_as_a_service(docker_ip, docker_services):
    url = f"http://{docker_ip}:{docker_services.port_for('hello', 8080)}/2015-03-31/functions/function/invocations"
    assert requests.post(url, json="x", timeout=60).json()["event"] == "x"
"""


def test_functions_are_services_for_pytest_docker(project: Sandboxed) -> None:
    python_function(project, SOURCE)
    project.write("test_services.py", SERVICES)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "test_services.py"],
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
