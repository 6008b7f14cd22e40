"""`serve`: responses that stream, through the SDK's event stream and through function URLs."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.integration.conftest import PATIENCE, make_project
from tests.integration.serve_fixtures import REGION, Serve, serve, until

SOURCE = """
import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const asked = event.body ? JSON.parse(event.body) : event;
  const head = { statusCode: 201, headers: { "content-type": "text/x" } };
  if (asked.head) stream = awslambda.HttpResponseStream.from(stream, head);
  for (const step of asked.stream) {
    while (step === "WAIT" && !existsSync("/tmp/go")) await sleep(10);
    if (step === "WAIT") rmSync("/tmp/go");
    else stream.write(step);
  }
  if (asked.fails) throw new RangeError("in the midst");
  stream.end();
});
"""
"""What is asked of it stands in the event, or in the body of an HTTP request."""

WAITING = {"stream": ["first", "WAIT", "last"]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    for project in make_project(tmp_path_factory.mktemp("serve-streaming") / "project"):
        project.write("named/index.mjs", SOURCE)
        shared = 'language = "nodejs"\nbase = "node-24-slim"\nsource = "named"\nmemory = 256\ntimeout = 60\n'
        project.write(
            "lambdaimg.toml",
            f'[project]\nname = "{project.name}"\nregion = "{REGION}"\n'
            f'[functions.does]\n{shared}[functions.does.url]\nauth = "NONE"\ninvoke-mode = "RESPONSE_STREAM"\n'
            f"[functions.none]\n{shared}reserved-concurrency = 0\n",
        )
        project.run("build")
        with serve(project) as running:
            yield running


def streamed(served: Serve, event: object, **more: Any) -> Iterator[Any]:
    """The messages that boto3 reads."""
    answer = served.client().invoke_with_response_stream(
        FunctionName="does", Payload=json.dumps(event).encode(), LogType="Tail", **more
    )
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    yield from answer["EventStream"]


def test_boto3_reads_the_first_piece_before_the_last_is_written(served: Serve) -> None:
    messages = streamed(served, WAITING)
    assert next(messages) == {"PayloadChunk": {"Payload": b"first"}}
    served.let_go()
    assert next(messages) == {"PayloadChunk": {"Payload": b"last"}}
    complete = next(messages)["InvokeComplete"]
    assert complete.keys() == {"LogResult"}
    assert b"REPORT RequestId: " in base64.b64decode(complete["LogResult"])
    assert list(messages) == []


def test_a_failure_ends_the_stream(served: Serve) -> None:
    *pieces, last = streamed(served, {"stream": ["a"], "fails": True})
    assert pieces == [{"PayloadChunk": {"Payload": b"a"}}]
    complete = last["InvokeComplete"]
    assert (complete["ErrorCode"], json.loads(complete["ErrorDetails"])["errorType"]) == ("Unhandled", "RangeError")


@pytest.mark.parametrize(
    ("function", "status", "kind"),
    [("missing", 404, "ResourceNotFoundException"), ("none", 429, "TooManyRequestsException")],
)
def test_a_refusal_is_no_stream(served: Serve, function: str, status: int, kind: str) -> None:
    with pytest.raises(ClientError) as refused:
        served.client().invoke_with_response_stream(FunctionName=function)
    error = refused.value.response
    assert (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"]) == (status, kind)


def test_a_dry_run_streams_nothing(served: Serve) -> None:
    path = "/2021-11-15/functions/does/response-streaming-invocations"
    dry = requests.post(served.url + path, headers={"X-Amz-Invocation-Type": "DryRun"}, timeout=PATIENCE)
    assert (dry.status_code, dry.content) == (204, b"")


def test_a_url_streams_with_the_head_that_the_function_gives(served: Serve) -> None:
    asked = {"head": True, **WAITING}
    with requests.post(f"{served.url}/url/does/", json=asked, stream=True, timeout=PATIENCE) as answer:
        assert (answer.status_code, answer.headers["Content-Type"]) == (201, "text/x")
        pieces = answer.iter_content(5)
        assert next(pieces) == b"first"
        served.let_go()
        assert b"".join(pieces) == b"last"


def test_a_client_that_leaves_a_stream_stops_nothing(served: Serve) -> None:
    reports = sum("does  REPORT" in line for line in served.said)
    with requests.post(f"{served.url}/url/does/", json=WAITING, stream=True, timeout=PATIENCE) as streaming:
        assert next(streaming.iter_content(5)) == b"first"
    served.let_go()
    served.hears("does  REPORT", reports + 1)
    until(lambda: len(served.environments()) == 1, "the one environment")
