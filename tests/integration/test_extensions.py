"""Extensions on the real engine: beside any runtime, with Lambda's events, variables, shares of time and errors."""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from lambdaimg.engine.client import Engine
from tests.integration.conftest import EXAMPLES, Sandboxed, docker, interrupt, make_project, serving
from tests.integration.custom_runtime import DOCKERFILE, EXTENSION, custom_function

LOCKED = 'timeout = 3\n[functions.locked]\ndockerfile = "locked.Dockerfile"\nmemory = 256\ntimeout = 20\n'


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    """A function with an extension that does as the variable DO says, and one whose extension can't be executed."""
    for project in make_project(tmp_path_factory.mktemp("extensions") / "project"):
        custom_function(project, LOCKED, watcher=EXTENSION)
        (project.root / "watcher").chmod(0o755)
        project.write("Dockerfile", f"{DOCKERFILE}COPY watcher /opt/extensions/\n")
        project.write("locked.Dockerfile", f"{DOCKERFILE}COPY --chmod=644 watcher /opt/extensions/\n")
        project.run("build")
        yield project


def events(log: str) -> list[dict[str, Any]]:
    return [json.loads(found) for found in re.findall(r"event (\{.*\})", log)]


def test_an_extension_lives_with_its_environment(extended: Sandboxed) -> None:
    done = extended.run("invoke", "own", "-d", "{}")
    assert done.stdout == '{"count": 1}'
    request = re.search(r"START RequestId: (\S+)", done.stderr)
    invoke, shutdown = events(done.stderr)
    assert request
    assert (invoke["eventType"], invoke["requestId"]) == ("INVOKE", request[1])
    assert invoke["invokedFunctionArn"] == "arn:aws:lambda:us-east-1:123456789012:function:own"
    assert "Root=1-" in str(invoke["tracing"])
    assert (shutdown["eventType"], shutdown["shutdownReason"]) == ("SHUTDOWN", "SPINDOWN")
    assert 'registered {"functionName": "own", "functionVersion": "$LATEST", "handler": "handler"}' in done.stderr
    assert "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]" in done.stderr
    assert done.stderr.index("EXTENSION") < done.stderr.index("START")
    assert extended.containers() == []


def test_extensions_do_not_see_the_functions_variables(extended: Sandboxed) -> None:
    log = extended.run("invoke", "own", "--env", "DO=variables").stderr
    found = re.search(r"variables (\{.*\})", log)
    assert found
    variables = json.loads(found[1])
    assert variables.keys() >= {"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_ACCESS_KEY_ID"}
    assert not variables.keys() & {"_HANDLER", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "AWS_LAMBDA_LOG_GROUP_NAME"}


@pytest.mark.parametrize(
    ("function", "does", "error", "message"),
    [
        ("own", "exit", "Extension.Crash", "watcher: exit status 3"),
        ("own", "init error", "Extension.InitError", "watcher: Extension.NoKey"),
        ("own", "crash", "Extension.Crash", "watcher: exit status 3"),
        ("own", "exit error", "Extension.ExitError", "watcher: Extension.Gone"),
        ("locked", "", "Extension.LaunchError", "fork/exec /opt/extensions/watcher: permission denied"),
    ],
)
def test_an_extension_that_fails_is_the_functions_failure(
    extended: Sandboxed, function: str, does: str, error: str, message: str
) -> None:
    # The runtime must not answer first: it waits for what never comes.
    event = '{"stream": ["WAIT"]}'
    done = extended.run("invoke", function, "-d", event, "--env", f"DO={does}", code=1)
    payload = json.loads(done.stdout)
    assert (payload["errorType"], message in payload["errorMessage"]) == (error, True), payload
    assert extended.containers() == []


def test_an_extension_that_hangs_costs_the_functions_time(extended: Sandboxed) -> None:
    with serving(extended, "own", "--env", "DO=hang") as served:
        assert served.post({}).json() == {"count": 1}, "the response doesn't wait for it"
        assert served.post({}).json() == {"count": 1}, "another environment"


def test_an_extension_that_dies_between_invocations_fails_the_next(extended: Sandboxed) -> None:
    with serving(extended, "own", "--env", "DO=between") as served:
        assert served.post({}).json() == {"count": 1}
        container = docker("ps", "-q", "--filter", f"label=lambdaimg.project={extended.name}")
        docker("exec", container, "touch", "/tmp/die")
        found = served.post({"stream": ["WAIT"]})
        assert found.json()["errorType"] == "Extension.Crash"


@pytest.mark.parametrize("does", ["stubborn", "never"])
def test_an_extension_that_does_not_end_is_killed(extended: Sandboxed, does: str) -> None:
    done = extended.run("invoke", "own", "--env", f"DO={does}", code=1 if does == "never" else 0)
    if does == "never":
        assert "INIT_REPORT Init Duration" in done.stderr
        assert json.loads(done.stdout)["errorType"] == "Sandbox.Timedout"
    assert extended.containers() == []


def test_the_examples_extensions_in_three_languages(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("examples") / "project"
    for project in make_project(root):
        shutil.copytree(EXAMPLES / "extensions", project.root, dirs_exist_ok=True)
        text = (project.root / "lambdaimg.toml").read_text().replace('"extensions"', f'"{project.name}"')
        project.write("lambdaimg.toml", text.replace('"bash"]', '"bash", "go"]') + "\n[layers.go]\n")
        layer = project.root / "layers" / "go" / "extensions" / "count"
        build = ["go", "build", "-o", str(layer), "."]
        subprocess.run(build, cwd=project.root / "go", env={**os.environ, "CGO_ENABLED": "0"}, check=True)
        project.run("build")
        with serving(project) as served:
            names = ("initStart", "initReport", "start", "runtimeDone", "report", "extension")
            wanted = {"function", "extension", *(f"platform.{name}" for name in names)}
            for _ in range(200):
                wanted -= {json.loads(line)["type"] for line in served.post({}).json()}
                if not wanted:
                    break
            assert not wanted
            _, _, log = interrupt(served.process)
        assert re.search(r"count: \d+ invocations until SPINDOWN", log)
        assert '"shutdownReason": "SPINDOWN"' in log


def test_segments_reach_the_given_xray_daemon(extended: Sandboxed, engine: Engine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind((engine.gateway("bridge"), 0))
        daemon.settimeout(30)
        host, port = daemon.getsockname()
        done = extended.run(
            "invoke", "own", "-d", '{"segment": "s"}', "--env", f"AWS_XRAY_DAEMON_ADDRESS={host}:{port}"
        )
        header, segment = daemon.recv(65_507).decode().split("\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    assert json.loads(segment) == {"name": "s", "trace_id": events(done.stderr)[0]["tracing"]["value"]}
