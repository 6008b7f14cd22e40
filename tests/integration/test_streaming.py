"""Streamed responses on the real engine: the first bytes arrive before the last are written."""

import base64
import json
from collections.abc import Iterator

import boto3
import botocore.config
import pytest
import requests
from botocore import UNSIGNED

from tests.integration.conftest import Sandboxed, docker, make_project, read_until, serving
from tests.integration.custom_runtime import custom_function

NODE = """
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  if (event.http) {
    stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { "content-type": "text/x" } });
    stream.write("body");
  }
  for (const step of event.stream ?? []) {
    if (step !== "WAIT") stream.write(step);
    else while (!existsSync("/tmp/go")) await sleep(10);
  }
  if (event.fails) throw new RangeError("in the midst");
  stream.end();
});
"""
WAITING = {"stream": ["first", "WAIT", "last"]}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    for project in make_project(tmp_path_factory.mktemp("stream-node") / "project"):
        project.write("named/index.mjs", NODE)
        text = '[functions.own]\nlanguage = "nodejs"\nsource = "named"\nbase = "node-24-slim"\nmemory = 256\n'
        project.write("lambdaimg.toml", f'[project]\nname = "{project.name}"\n{text}timeout = 60\n')
        project.run("build")
        yield project


@pytest.fixture(scope="module")
def custom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    for project in make_project(tmp_path_factory.mktemp("stream-custom") / "project"):
        brief = '[functions.brief]\ndockerfile = "Dockerfile"\nmemory = 256\ntimeout = 2\n'
        custom_function(project, f"timeout = 60\n{brief}")
        project.run("build")
        yield project


def let_go(project: Sandboxed) -> None:
    labels = (f"label=lambdaimg.project={project.name}", "label=lambdaimg.role=environment")
    container = docker("ps", "-q", "--filter", labels[0], "--filter", labels[1])
    docker("exec", container, "touch", "/tmp/go")


@pytest.mark.parametrize("name", ["node", "custom"])
def test_the_first_bytes_arrive_before_the_last_are_written(name: str, request: pytest.FixtureRequest) -> None:
    project: Sandboxed = request.getfixturevalue(name)
    process = project.start("invoke", "own", "-d", json.dumps(WAITING))
    assert process.stdout
    assert process.stdout.read(5) == "first"
    let_go(project)
    out, err = process.communicate(timeout=60)
    assert (out, process.returncode) == ("last", 0)
    assert "REPORT RequestId: " in err


def test_an_sdk_reads_the_stream_of_a_run(custom: Sandboxed) -> None:
    with serving(custom, "own") as served:
        configuration = botocore.config.Config(signature_version=UNSIGNED)
        client = boto3.client("lambda", "us-east-1", endpoint_url=served.url, config=configuration)
        answer = client.invoke_with_response_stream(
            FunctionName="own", Payload=json.dumps(WAITING).encode(), LogType="Tail"
        )
        events = iter(answer["EventStream"])
        assert next(events) == {"PayloadChunk": {"Payload": b"first"}}
        let_go(custom)
        assert next(events) == {"PayloadChunk": {"Payload": b"last"}}
        complete = next(events)["InvokeComplete"]
        answer["EventStream"].close()
        client.close()
        assert complete.keys() == {"LogResult"}
        assert b"REPORT RequestId: " in base64.b64decode(complete["LogResult"])
        whole = served.post({"stream": ["a", "b"]})
        assert (whole.content, "X-Amz-Function-Error" in whole.headers) == (b"ab", False)
        assert '{"count": 3}' in custom.run("invoke", "own", "-d", "{}").stdout, "in the same environment"


def test_a_client_that_goes_away_does_not_stop_the_function(custom: Sandboxed) -> None:
    with serving(custom, "own") as served:
        path = "/2021-11-15/functions/own/response-streaming-invocations"
        answer = requests.post(served.url + path, json=WAITING, stream=True, timeout=60)
        assert b"first" in next(answer.iter_content(4_096))
        answer.close()
        let_go(custom)
        read_until(served.process.stderr, "REPORT RequestId: ")
        assert served.post({}).json() == {"count": 2}


BODY = base64.b64encode(b'{"errorType":"Late","errorMessage":"m"}').decode()


@pytest.mark.parametrize(
    ("event", "out", "error"),
    [
        ({"stream": ["a"], "breaks": True}, "a", "Runtime.TruncatedResponse"),
        ({"stream": ["a"], "trailers": f"Lambda-Runtime-Function-Error-Body: {BODY}\r\n"}, "a", '"Late"'),
        ({"stream": ["a", "WAIT"]}, "a", "Sandbox.Timedout"),
        ({"stream": []}, "", ""),
    ],
    ids=["broken", "trailer", "timeout", "empty"],
)
def test_how_a_stream_ends(custom: Sandboxed, event: object, out: str, error: str) -> None:
    done = custom.run("invoke", "brief", "-d", json.dumps(event), code=1 if error else 0)
    assert done.stdout == out
    assert error in done.stderr
    assert custom.containers() == []


@pytest.mark.parametrize(("times", "code"), [(3_200, 0), (3_201, 1)])
def test_a_stream_of_200_megabytes_and_one_that_is_longer(custom: Sandboxed, times: int, code: int) -> None:
    piece = "x" * 65_536
    process = custom.start("invoke", "own", "-d", json.dumps({"stream": [piece], "times": times}))
    assert process.stdout
    assert process.stderr
    output, size = process.stdout, 0
    while found := output.read(65_536):
        size += len(found)
    errors = process.stderr.read()
    assert (process.wait(60), "Function.ResponseSizeTooLarge" in errors) == (code, bool(code)), errors
    assert 3_150 * 65_536 <= size <= 200 * 1024 * 1024, "the piece that is too much is left out, whatever its size"
    assert code or size == 200 * 1024 * 1024
    output.close()
    process.stderr.close()


def test_a_handler_that_fails_within_its_stream(node: Sandboxed) -> None:
    done = node.run("invoke", "-d", '{"stream": ["a"], "fails": true}', code=1)
    assert (done.stdout, '"errorType":"RangeError"' in done.stderr) == ("a", True)


def test_the_head_of_an_http_response_is_not_its_payload(node: Sandboxed) -> None:
    done = node.run("invoke", "-d", '{"http": true}')
    assert done.stdout == "body"
    assert "HTTP 201\ncontent-type: text/x\n" in done.stderr
