"""Each row of docs/rie-differences.md: the same event to lambdaimg's own emulator and to the bare RIE."""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
import requests

from lambdaimg.model.rie import INVOKE_PATH, PORT
from tests.differences import DIFFERENCES
from tests.integration.conftest import Sandboxed, docker, make_project, python_function, read_until, serving

SOURCE = """
import json, os, time
LOADED = time.time()
def handler(event, context):
    match event["do"]:
        case "fail":
            raise ValueError("no")
        case "wait":
            print("it waits", flush=True)
            time.sleep(60)
        case "fill":
            return len(bytearray(event["bytes"]))
        case "answer":
            return "x" * event["bytes"]
        case "extension":
            return json.load(open("/tmp/extension"))
    return {
        "loaded": LOADED,
        "variables": dict(os.environ),
        "arn": context.invoked_function_arn,
        "request_id": context.aws_request_id,
        "trace_id": os.environ.get("_X_AMZN_TRACE_ID"),
        "client": context.client_context and context.client_context.custom,
    }
"""
BROKEN = """
with open("/tmp/inits", "a+") as file:
    file.write("x")
    raise ValueError(f"init phase {file.tell()}")
"""
EXTENSION = """#!/usr/bin/env python3
import http.client, json, os, time

def call(method, path, body, headers):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, path, body and json.dumps(body), headers)
    answer = connection.getresponse()
    answer.read()
    return answer

started = time.time()
api, name = "/2020-01-01/extension/", {"Lambda-Extension-Name": "watch"}
me = {"Lambda-Extension-Identifier":
    call("POST", api + "register", {"events": ["INVOKE"]}, name).getheader("Lambda-Extension-Identifier")}
destination = {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243"}
wanted = {"schemaVersion": "2022-12-13", "types": ["platform"], "destination": destination}
subscribed = call("PUT", "/2022-07-01/telemetry", wanted, me).status
with open("/tmp/extension", "w") as file:
    json.dump({"started": started, "subscribed": subscribed}, file)
while True:
    call("GET", api + "event/next", None, me)
"""
FUNCTIONS = """\
[defaults]
language = "python"
base = "debian-trixie"
source = "hello"
memory = 256
timeout = 2
[functions.whole]
[functions.cold]
[functions.broken]
handler = "broken.handler"
[functions.watched]
layers = ["watch"]
logging = { format = "JSON" }
[functions.extended]
layers = ["watch"]
[layers.watch]
"""
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
HEADERS = {
    "X-Amzn-Trace-Id": TRACE,
    "X-Amz-Client-Context": base64.b64encode(b'{"custom": {"a": "b"}}').decode(),
    "X-Amz-Log-Type": "Tail",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, when it was asked, and the log of the whole environment."""

    status: int
    headers: "requests.structures.CaseInsensitiveDict[str]"
    text: str
    asked: float
    log: str

    @property
    def said(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.text)
        return found

    @property
    def variables(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.text)["variables"]
        return found

    @property
    def error(self) -> tuple[int, str | None, object]:
        return self.status, self.headers.get("X-Amz-Function-Error"), self.said["errorType"]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """An event, what is looked at in its answer, and what that is under each of the emulators."""

    fact: Callable[[Answer], object]
    lambdaimg: object
    rie: object
    function: str = "whole"
    path: str = INVOKE_PATH
    event: dict[str, object] | None = None


def reported(figure: str) -> Callable[[Answer], float]:
    def found(answer: Answer) -> float:
        return float(re.findall(rf"REPORT .*{figure}: ([\d.]+)", answer.log)[0])

    return found


def between(least: float, most: float) -> Callable[[object], bool]:
    return lambda seen: isinstance(seen, float) and least <= seen <= most


SET = ("_HANDLER", "AWS_LAMBDA_INITIALIZATION_TYPE", "LAMBDA_RUNTIME_DIR")
TRIALS = {
    "init phase": Trial(fact=lambda answer: answer.said["loaded"] < answer.asked, lambdaimg=True, rie=False),  # type: ignore[operator]
    "init phase that fails": Trial(
        function="broken",
        fact=lambda answer: (answer.status, answer.said["errorMessage"]),
        lambdaimg=(200, "init phase 2"),
        rie=(502, "init phase 1"),
    ),
    "`Init Duration`": Trial(
        function="cold", fact=reported("Init Duration"), lambdaimg=between(5, 10_000), rie=between(0, 2)
    ),
    "`Max Memory Used`": Trial(fact=reported("Max Memory Used"), lambdaimg=between(1, 128), rie=256.0),
    "a handler's error": Trial(
        event={"do": "fail"},
        fact=lambda answer: answer.error,
        lambdaimg=(200, "Unhandled", "ValueError"),
        rie=(200, None, "ValueError"),
    ),
    "a timeout": Trial(
        event={"do": "wait"},
        fact=lambda answer: (answer.status, re.sub("RequestId: [0-9a-f-]*", "", answer.text)),
        lambdaimg=(200, '{"errorType":"Sandbox.Timedout","errorMessage":" Error: Task timed out after 2.00 seconds"}'),
        rie=(200, "Task timed out after 2.00 seconds"),
    ),
    "out of memory": Trial(
        event={"do": "fill", "bytes": 512 * 1024 * 1024},
        fact=lambda answer: answer.said["errorType"],
        lambdaimg="Runtime.OutOfMemory",
        rie="Runtime.ExitError",
    ),
    "a response over 6 MB": Trial(
        event={"do": "answer", "bytes": 7 * 1024 * 1024},
        fact=lambda answer: answer.said["errorType"],
        lambdaimg="Function.ResponseSizeTooLarge",
        rie="Function.ResponseSizeTooLarge",
    ),
    "request id": Trial(
        fact=lambda answer: answer.headers.get("x-amzn-RequestId") == answer.said["request_id"],
        lambdaimg=True,
        rie=False,
    ),
    "ARN": Trial(
        fact=lambda answer: answer.said["arn"],
        lambdaimg="arn:aws:lambda:us-east-1:123456789012:function:whole",
        rie="arn:aws:lambda:us-east-1:012345678912:function:whole",
    ),
    "trace id": Trial(fact=lambda answer: answer.said["trace_id"] == TRACE, lambdaimg=True, rie=False),
    "client context": Trial(fact=lambda answer: answer.said["client"], lambdaimg={"a": "b"}, rie={"a": "b"}),
    "`_HANDLER`, `AWS_LAMBDA_INITIALIZATION_TYPE`, `LAMBDA_RUNTIME_DIR`": Trial(
        fact=lambda answer: [answer.variables.get(name) for name in SET],
        lambdaimg=["app.handler", "on-demand", "/var/runtime"],
        rie=["app.handler", None, None],
    ),
    "log stream": Trial(
        fact=lambda answer: re.sub(r"^[\d/]+\[\$LATEST\][0-9a-f]{32}$", "its own", answer.variables[LOG_STREAM]),
        lambdaimg="its own",
        rie="local",
    ),
    "X-Ray's variables": Trial(
        fact=lambda answer: answer.variables.get("AWS_XRAY_DAEMON_ADDRESS"), lambdaimg="169.254.100.1:2000", rie=None
    ),
    "log format JSON": Trial(
        function="watched",
        fact=lambda answer: (answer.variables["AWS_LAMBDA_LOG_FORMAT"], '"type":"platform.start"' in answer.log),
        lambdaimg=("JSON", True),
        rie=("JSON", False),
    ),
    "extensions": Trial(
        function="extended",
        event={"do": "extension"},
        fact=lambda answer: answer.said["started"] < answer.asked,  # type: ignore[operator]
        lambdaimg=True,
        rie=False,
    ),
    "Telemetry and Logs API": Trial(
        function="watched",
        event={"do": "extension"},
        fact=lambda answer: answer.said["subscribed"],
        lambdaimg=200,
        rie=202,
    ),
    "streamed responses": Trial(
        path="/2021-11-15/functions/function/response-streaming-invocations",
        fact=lambda answer: answer.status,
        lambdaimg=200,
        rie=404,
    ),
}
LOG_STREAM = "AWS_LAMBDA_LOG_STREAM_NAME"


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    """A project of a function that does as it is told, and of one that can't be loaded; built."""
    for project in make_project(tmp_path_factory.mktemp("differences") / "project"):
        more = {"hello/broken.py": BROKEN, "layers/watch/extensions/watch": EXTENSION}
        python_function(project, SOURCE, **more)
        (project.root / "layers/watch/extensions/watch").chmod(0o755)
        project.write("lambdaimg.toml", f'[project]\nname = "{project.name}"\n{FUNCTIONS}')
        project.run("build")
        yield project


Ask = Callable[[str, Trial], Answer]


@pytest.fixture(scope="module")
def ask(functions: Sandboxed) -> Iterator[Ask]:
    """Invokes under an emulator, the RIE without anything before it; each function's environment is started once."""
    with ExitStack() as stack:
        urls: dict[tuple[str, str], str] = {}

        def invoke(emulator: str, trial: Trial) -> Answer:
            key = (emulator, trial.function)
            if key not in urls:
                options = ["--rie"] if emulator == "rie" else []
                served = stack.enter_context(serving(functions, trial.function, *options))
                urls[key] = bare(functions, trial.function) if options else served.url
            asked = time.time()
            found = requests.post(urls[key] + trial.path, json=trial.event or {"do": ""}, headers=HEADERS, timeout=60)
            tail = base64.b64decode(found.headers.get("X-Amz-Log-Result", "")).decode("utf-8", "replace")
            log = docker("logs", container(functions, trial.function)) if emulator == "rie" else tail
            return Answer(status=found.status_code, headers=found.headers, text=found.text, asked=asked, log=log)

        yield invoke


def container(project: Sandboxed, function: str) -> str:
    """The one that has a port: the RIE's."""
    labels = (f"label=lambdaimg.project={project.name}", f"label=lambdaimg.function={function}")
    shown = docker("ps", *(f"--filter={label}" for label in labels), "--format={{.ID}} {{.Ports}}").splitlines()
    return next(line.split()[0] for line in shown if f"->{PORT}/tcp" in line)


def bare(project: Sandboxed, function: str) -> str:
    return f"http://{docker('port', container(project, function), str(PORT)).split()[0]}"


CRASHES = "two requests at once"


@pytest.mark.parametrize("what", [each.what for each in DIFFERENCES if each.what != CRASHES])
@pytest.mark.parametrize("emulator", ["lambdaimg", "rie"])
def test_they_differ_as_the_page_says(ask: Ask, emulator: str, what: str) -> None:
    trial = TRIALS[what]
    seen, promised = trial.fact(ask(emulator, trial)), getattr(trial, emulator)
    assert promised(seen) if callable(promised) else seen == promised, seen


@pytest.mark.parametrize("emulator", ["lambdaimg", "rie"])
def test_two_requests_at_once(functions: Sandboxed, emulator: str) -> None:
    """The RIE itself crashes; lambdaimg's emulator answers the second when the first has been."""
    options = ["--rie"] if emulator == "rie" else []
    with serving(functions, "whole", *options) as served, ThreadPoolExecutor() as threads:
        url = (bare(functions, "whole") if options else served.url) + INVOKE_PATH
        first = threads.submit(requests.post, url, json={"do": "wait"}, timeout=60)
        read_until(served.process.stderr, "it waits")
        second = threads.submit(requests.post, url, json={"do": ""}, timeout=60)
        if options:
            with pytest.raises(requests.ConnectionError):
                second.result()
            with pytest.raises(requests.ConnectionError):
                first.result()
        else:
            assert "Sandbox.Timedout" in first.result().text
            assert second.result().json()["loaded"]
