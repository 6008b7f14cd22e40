"""Extensions on the real engine: beside any runtime, with Lambda's events, variables, shares of time and errors."""

import asyncio
import json
import os
import re
import resource
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambdaimg.catalog import languages
from lambdaimg.engine.client import Engine
from lambdaimg.model import project_file
from lambdaimg.model.invocation import Request
from lambdaimg.runtime.environment import State
from tests.integration.conftest import EXAMPLES, Sandboxed, docker, interrupt, make_project, serving
from tests.integration.custom_runtime import DOCKERFILE, EXTENSION, custom_function
from tests.integration.lab import Lab

MORE = """timeout = 3
[functions.locked]
dockerfile = "locked.Dockerfile"
memory = 256
timeout = 20
[functions.inner]
dockerfile = "inner.Dockerfile"
memory = 256
timeout = 20
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    """A function with an extension that does as the variable DO says, and one whose extension can't be executed."""
    for project in make_project(tmp_path_factory.mktemp("extensions") / "project"):
        custom_function(project, MORE, watcher=EXTENSION)
        (project.root / "watcher").chmod(0o755)
        project.write("Dockerfile", f"{DOCKERFILE}COPY watcher /opt/extensions/\n")
        project.write("inner.Dockerfile", DOCKERFILE)
        project.write("locked.Dockerfile", f"{DOCKERFILE}COPY --chmod=644 watcher /opt/extensions/\n")
        project.run("build")
        yield project


@pytest.fixture(scope="module")
def stages(extended: Sandboxed, engine: Engine) -> Lab:
    """The same functions, in environments that a test drives itself."""
    return Lab(engine=engine, project=project_file.load(extended.root / "lambdaimg.toml", languages=languages.names()))


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
        docker("exec", the_container(extended.name), "touch", "/tmp/die")
        found = served.post({"stream": ["WAIT"]})
        assert found.json()["errorType"] == "Extension.Crash"


@pytest.mark.parametrize("does", ["stubborn", "never"])
def test_an_extension_that_does_not_end_is_killed(extended: Sandboxed, does: str) -> None:
    done = extended.run("invoke", "own", "--env", f"DO={does}", code=1 if does == "never" else 0)
    if does == "never":
        assert "INIT_REPORT Init Duration" in done.stderr
        assert json.loads(done.stdout)["errorType"] == "Sandbox.Timedout"
    assert extended.containers() == []


@pytest.mark.parametrize(
    ("event", "reason"),
    [({}, "SPINDOWN"), ({"stream": ["WAIT"]}, "TIMEOUT"), ({"large": 7 * 1024 * 1024}, "FAILURE")],
)
def test_extensions_are_told_why_it_ends(extended: Sandboxed, event: dict[str, Any], reason: str) -> None:
    done = extended.run("invoke", "own", "-d", json.dumps(event), code=0 if reason == "SPINDOWN" else 1)
    assert [each.get("shutdownReason") for each in events(done.stderr)] == [None, reason]


@pytest.mark.anyio
async def test_an_internal_extension_lives_in_the_runtimes_process(stages: Lab) -> None:
    async with stages.stage("inner", {"INNER": "1"}) as stage:
        answer = await stage.invoke({})
        (event,) = events("\n".join(stage.lines))
    assert answer.invocation.report
    assert (event["eventType"], event["requestId"]) == ("INVOKE", answer.invocation.report.request_id)
    assert "EXTENSION\tName: inner\tState: Ready\tEvents: [INVOKE]" in stage.lines
    assert len(events("\n".join(stage.lines))) == 1, "no SHUTDOWN"
    assert stage.lines[-1] == "the runtime got SIGTERM"


@pytest.mark.anyio
async def test_an_environment_freezes_when_its_extensions_have_done_their_work_too(stages: Lab) -> None:
    async with stages.stage("own", {"DO": "busy"}, freeze=True, timeout=60) as stage:
        container = the_container(stages.project.name)
        assert is_paused(container)
        answer = await stage.environment.invoke(Request(event=b"{}"))
        assert (answer.payload, stage.environment.state) == (b'{"count": 1}', State.FINISHING)
        assert not is_paused(container), "the extension is at work"
        docker("exec", container, "touch", "/tmp/free")
        await until(lambda: stage.environment.state is State.READY)
        assert is_paused(container)
    assert events("\n".join(stage.lines))[-1]["shutdownReason"] == "SPINDOWN", "it is thawed for its end"


@pytest.mark.anyio
async def test_an_init_phase_within_an_invocation_is_told_as_one(stages: Lab) -> None:
    async with stages.stage("own", {"DO": "listen"}, timeout=60) as stage:
        docker("exec", the_container(stages.project.name), "touch", "/tmp/read")
        await until(lambda: any("platform.extension" in line for line in stage.lines))
        await stage.invoke({"exit": 1})
        assert (await stage.invoke({})).payload == {"count": 1}
        await until(lambda: sum("platform.report" in line for line in stage.lines) == 1)
        told = heard(stage.lines)
    phases = [(each["type"].partition(".")[2], each["record"].get("phase")) for each in told]
    inits = ["initStart", "initRuntimeDone", "initReport"]
    assert [each for each in phases if each[1]] == [(each, phase) for phase in ("init", "invoke") for each in inits]
    assert phases.index(("initReport", "invoke")) < phases.index(("start", None))
    assert all(each["record"]["status"] == "success" for each in told if each["type"] == "platform.initReport")


def the_container(project: str) -> str:
    mine = (f"label=lambdaimg.project={project}", "label=lambdaimg.role=environment")
    return docker("ps", "-q", *(f"--filter={label}" for label in mine))


def is_paused(container: str) -> bool:
    return docker("inspect", "--format", "{{.State.Paused}}", container) == "true"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def heard(lines: list[str]) -> list[dict[str, Any]]:
    """The records that the extension has told of."""
    return [json.loads(line.removeprefix("heard ")) for line in lines if line.startswith("heard ")]


def dropped(lines: list[str]) -> int:
    return sum(each["record"].get("droppedRecords", 0) for each in heard(lines))


class Counted(list[str]):
    """Lines that are counted, and kept unless they are a flood's."""

    size = 0

    def append(self, line: str) -> None:
        self.size += len(line) + 1
        if len(line) < 1_000:
            super().append(line)


@pytest.mark.anyio
@pytest.mark.parametrize(("does", "event"), [("flood", {}), ("listen", {"flood": 50})], ids=["lines", "telemetry"])
async def test_a_flood_takes_no_memory_of_ours(stages: Lab, does: str, event: dict[str, Any]) -> None:
    """50 MB, of an extension's own lines, or of telemetry that it doesn't read; Linux counts the peak in KB."""
    lines = Counted()
    async with stages.stage("own", {"DO": does}, lines=lines, timeout=120, memory=1769) as stage:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await stage.invoke(event)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000
        await until(lambda: lines.size >= 50 * 1024 * 1024)
        if does == "listen":
            docker("exec", the_container(stages.project.name), "touch", "/tmp/read")
            await until(lambda: dropped(stage.lines) > 40_000)
        assert (await stage.invoke({})).payload["count"] == 2


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
