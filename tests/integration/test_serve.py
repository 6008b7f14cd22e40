"""`serve`: boto3, the AWS CLI and bare HTTP find Lambda's own API."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from lambdaimg.model import quotas
from tests.integration.conftest import PATIENCE, make_project
from tests.integration.serve_fixtures import CREDENTIALS, REGION, Serve, functions, log_of, serve

ARN = f"arn:aws:lambda:{REGION}:123456789012:function:does"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    for project in make_project(tmp_path_factory.mktemp("serve") / "project"):
        functions(project, does='timeout = 60\ndescription = "It does."\ntags = { team = "a" }\n', other="")
        with serve(project) as running:
            yield running


def payload(answer: dict[str, Any]) -> Any:
    return json.loads(answer["Payload"].read())


@pytest.mark.parametrize(
    ("name", "qualifier"),
    [
        ("does", ""),
        ("does:$LATEST", ""),
        ("does", "$LATEST"),
        ("does", "live"),
        ("does:live", "live"),
        ("123456789012:function:does", ""),
        ("function:does", ""),
        (ARN, ""),
        (f"{ARN}:live", ""),
    ],
)
def test_boto3_invokes_by_any_name(served: Serve, name: str, qualifier: str) -> None:
    more = {"Qualifier": qualifier} if qualifier else {}
    answer = served.client().invoke(FunctionName=name, Payload=b'{"a": 1}', **more)
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    seen = payload(answer)
    assert (seen["event"], seen["id"]) == ({"a": 1}, answer["ResponseMetadata"]["RequestId"])
    assert seen["arn"].startswith(ARN)


def test_one_environment_answers_one_client(served: Serve) -> None:
    client = served.client()
    counts = [payload(client.invoke(FunctionName="does"))["count"] for _ in range(3)]
    assert counts == list(range(counts[0], counts[0] + 3))
    assert len(served.environments()) == 1


@pytest.mark.parametrize("event", [None, 3, "text", ["a", {"b": None}], {"ä": "€"}])
def test_any_json_comes_back_as_it_went(served: Serve, event: Any) -> None:
    answer = served.post(event)
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.json()["event"] if isinstance(event, dict) else answer.json()) == event


def test_the_log_tail_and_the_client_context(served: Serve) -> None:
    context = base64.b64encode(b'{"custom": {"who": "Ada"}}').decode()
    event = json.dumps({"print": "it speaks"}).encode()
    answer = served.client().invoke(FunctionName="does", Payload=event, LogType="Tail", ClientContext=context)
    assert payload(answer)["custom"] == {"who": "Ada"}
    lines = [line for line in log_of(answer).splitlines() if not line.startswith("INIT")]
    assert [line.split()[0] for line in lines] == ["START", "it", "END", "REPORT"]
    served.hears("does  REPORT RequestId: " + answer["ResponseMetadata"]["RequestId"])


@pytest.mark.parametrize(
    ("event", "kind", "message"),
    [
        ({"fail": "no"}, "ValueError", "no"),
        ({"exit": 3}, "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ({"exit": 0}, "Runtime.ExitError", "Runtime exited without providing a reason"),
        ({"big": 6_291_556}, "Function.ResponseSizeTooLarge", "maximum allowed payload size (6291556 bytes)"),
    ],
)
def test_a_function_error_is_an_answer(served: Serve, event: Any, kind: str, message: str) -> None:
    answer = served.client().invoke(FunctionName="does", Payload=json.dumps(event).encode())
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    error = payload(answer)
    assert error["errorType"] == kind
    assert message in error["errorMessage"]
    assert payload(served.client().invoke(FunctionName="does"))["count"] >= 1, "the next is answered"


def test_a_python_exception_has_the_keys_of_its_runtime(served: Serve) -> None:
    answer = served.client().invoke(FunctionName="does", Payload=b'{"fail": "no"}')
    error = payload(answer)
    assert error.keys() == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert error["requestId"] == answer["ResponseMetadata"]["RequestId"]


def test_headers_reach_the_function(served: Serve) -> None:
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
    headers = {"X-Amzn-Trace-Id": trace, "x-amzn-RequestId": request_id, "X-Amz-Tenant-Id": "blue"}
    answer = served.post({}, **headers)
    seen = answer.json()
    assert (seen["trace"], seen["id"], seen["tenant"]) == (trace, request_id, "blue")
    assert (answer.headers["X-Amzn-Trace-Id"], answer.headers["x-amzn-RequestId"]) == (trace, request_id)


def test_events_and_dry_runs(served: Serve) -> None:
    client = served.client()
    event = client.invoke(FunctionName="does", InvocationType="Event", Payload=b'{"print": "by event"}')
    assert (event["StatusCode"], event["Payload"].read()) == (202, b"")
    assert "ExecutedVersion" not in event
    served.hears("does  by event")
    dry = client.invoke(FunctionName="does", InvocationType="DryRun", Payload=b'{"print": "dry"}')
    assert (dry["StatusCode"], dry["Payload"].read()) == (204, b"")
    assert "ExecutedVersion" not in dry
    assert client.invoke_async(FunctionName="does", InvokeArgs=b"{}")["Status"] == 202


INVOKE = "/2015-03-31/functions/{}/invocations"
CONCURRENCY = "/2017-10-31/functions/does/concurrency"
SYNCHRONOUS = b'"' + b"x" * quotas.SYNCHRONOUS_PAYLOAD_BYTES + b'"'
ASYNCHRONOUS = b'"' + b"x" * quotas.ASYNCHRONOUS_PAYLOAD_BYTES + b'"'
EVENT = {"X-Amz-Invocation-Type": "Event"}


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "kind", "text"),
    [
        (INVOKE.format("none"), b"{}", {}, 404, "ResourceNotFoundException", "Message|Function not found: arn:aws:"),
        (INVOKE.format("none"), b"{}", EVENT, 404, "ResourceNotFoundException", "Message|Function not found: arn:aws:"),
        (INVOKE.format("does") + "?Qualifier=7", b"{}", {}, 404, "ResourceNotFoundException", "Message|:does:7"),
        (
            INVOKE.format(ARN.replace(REGION, "eu-west-1")),
            b"{}",
            {},
            404,
            "ResourceNotFoundException",
            f"Message|Functions from 'eu-west-1' are not reachable in this region ('{REGION}')",
        ),
        (
            INVOKE.format("does:live") + "?Qualifier=$LATEST",
            b"{}",
            {},
            400,
            "InvalidParameterValueException",
            "message|The derived qualifier from the function name does not match the specified qualifier.",
        ),
        (INVOKE.format("a b"), b"{}", {}, 400, "ValidationException", "message|functionName"),
        (
            INVOKE.format("does"),
            b"{",
            {},
            400,
            "InvalidRequestContentException",
            "message|Could not parse request body into json: ",
        ),
        (INVOKE.format("does"), b"\xff", {}, 400, "InvalidRequestContentException", "message|Could not parse"),
        (INVOKE.format("does"), b"{", EVENT, 400, "InvalidRequestContentException", "message|Could not parse"),
        (
            INVOKE.format("does"),
            b"{}",
            {"x-amzn-RequestId": "mine"},
            400,
            "InvalidRequestContentException",
            "message|UUID",
        ),
        (
            INVOKE.format("does"),
            b"{}",
            {"X-Amz-Client-Context": "%"},
            400,
            "InvalidRequestContentException",
            "message|Base64",
        ),
        (
            INVOKE.format("does"),
            b"{}",
            {"X-Amz-Client-Context": "A" * 3_584},
            400,
            "InvalidRequestContentException",
            "message|3583",
        ),
        (INVOKE.format("does"), b"{}", {"X-Amz-Invocation-Type": "Later"}, 400, "ValidationException", "message|Later"),
        (INVOKE.format("does"), b"{}", {"X-Amz-Log-Type": "All"}, 400, "ValidationException", "message|All"),
        (INVOKE.format("does"), SYNCHRONOUS, {}, 413, "RequestTooLargeException", "message|6291456 bytes"),
        (INVOKE.format("does"), ASYNCHRONOUS, EVENT, 413, "RequestTooLargeException", "message|1048576 bytes"),
    ],
)
def test_refusals(
    served: Serve, path: str, body: bytes, headers: dict[str, str], status: int, kind: str, text: str
) -> None:
    answer = requests.post(served.url + path, data=body, headers=headers, timeout=PATIENCE)
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (status, kind)
    assert answer.headers["x-amzn-RequestId"]
    key, _, words = text.partition("|")
    assert answer.json().keys() == {"Type", key}
    assert answer.json()["Type"] == "User"
    assert words in answer.json()[key]


@pytest.mark.parametrize(
    ("size", "headers", "status"),
    [(quotas.SYNCHRONOUS_PAYLOAD_BYTES, {}, 200), (quotas.ASYNCHRONOUS_PAYLOAD_BYTES, EVENT, 202)],
)
def test_the_largest_payloads(served: Serve, size: int, headers: dict[str, str], status: int) -> None:
    event = "x" * (size - 2)
    answer = served.post(event, **headers)
    assert answer.status_code == status
    assert answer.text in ("", json.dumps(event))


def test_functions_are_shown(served: Serve) -> None:
    client = served.client()
    pages = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1})
    assert [[each["FunctionName"] for each in page["Functions"]] for page in pages] == [["does"], ["other"]]
    (shown, _) = client.list_functions()["Functions"]
    assert client.get_function_configuration(FunctionName="does")["CodeSha256"] == shown["CodeSha256"]
    found = client.get_function(FunctionName=ARN)
    assert found["Configuration"]["Description"] == "It does."
    assert (found["Configuration"]["MemorySize"], found["Configuration"]["Timeout"]) == (128, 60)
    assert (found["Configuration"]["FunctionArn"], found["Configuration"]["PackageType"]) == (ARN, "Image")
    assert found["Tags"] == {"team": "a"}
    assert found["Code"]["ImageUri"] == served.project.image("does")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_function(FunctionName="none")
    settings = client.get_account_settings()
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 1_000
    assert settings["AccountUsage"]["FunctionCount"] == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/2015-03-31/functions/?MaxItems=x", ""),
        ("GET", "/2015-03-31/functions/?MaxItems=0", ""),
        ("GET", "/2015-03-31/functions/?Marker=x", ""),
        ("PUT", CONCURRENCY, '{"ReservedConcurrentExecutions": -1}'),
        ("PUT", CONCURRENCY, '{"ReservedConcurrentExecutions": "5"}'),
        ("PUT", CONCURRENCY, '{"ReservedConcurrentExecutions": 901}'),
        ("PUT", CONCURRENCY, "{}"),
        ("PUT", CONCURRENCY, "{"),
    ],
)
def test_wrong_parameters_are_400(served: Serve, method: str, path: str, body: str) -> None:
    answer = requests.request(method, served.url + path, data=body, timeout=PATIENCE)
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]


def test_reserved_concurrency_is_put_got_and_taken_away(served: Serve) -> None:
    client = served.client()
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="does")
    put = client.put_function_concurrency(FunctionName="does", ReservedConcurrentExecutions=0)
    assert put["ReservedConcurrentExecutions"] == 0
    assert client.get_function_concurrency(FunctionName="does")["ReservedConcurrentExecutions"] == 0
    with pytest.raises(client.exceptions.TooManyRequestsException) as throttled:
        client.invoke(FunctionName="does")
    error = throttled.value.response
    assert (error["Reason"], error["Error"]["Message"]) == (
        "ReservedFunctionConcurrentInvocationLimitExceeded",
        "Rate Exceeded.",
    )
    assert error["ResponseMetadata"]["HTTPHeaders"]["retry-after"]
    bare = served.post({}).json()
    assert bare == {"Reason": error["Reason"], "Type": "User", "message": "Rate Exceeded."}
    client.delete_function_concurrency(FunctionName="does")
    assert payload(client.invoke(FunctionName="does"))["count"]


def test_the_aws_cli_drives_it(served: Serve, tmp_path: Path) -> None:
    def aws(*arguments: str, refused: str = "") -> Any:
        command = [sys.executable, "-m", "awscli", "--endpoint-url", served.url, "--output", "json", "lambda"]
        once = {**CREDENTIALS, "AWS_MAX_ATTEMPTS": "1"}
        done = subprocess.run([*command, *arguments], env=once, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == bool(refused), done.stderr
        assert refused in done.stderr
        return json.loads(done.stdout) if done.stdout else None

    out = str(tmp_path / "out.json")
    answer = aws("invoke", "--function-name", "does", "--payload", '{"a": 1}', "--log-type", "Tail", out)
    assert (answer["StatusCode"], json.loads((tmp_path / "out.json").read_text())["event"]) == (200, {"a": 1})
    assert "REPORT RequestId" in log_of(answer)
    assert aws("invoke", "--function-name", ARN, "--invocation-type", "Event", out)["StatusCode"] == 202
    assert aws("invoke", "--function-name", "does", "--payload", '{"fail": "no"}', out)["FunctionError"] == "Unhandled"
    assert [each["FunctionName"] for each in aws("list-functions")["Functions"]] == ["does", "other"]
    assert aws("put-function-concurrency", "--function-name", "does", "--reserved-concurrent-executions", "3")
    assert aws("get-function", "--function-name", "does")["Concurrency"] == {"ReservedConcurrentExecutions": 3}
    aws("put-function-concurrency", "--function-name", "does", "--reserved-concurrent-executions", "0")
    aws("invoke", "--function-name", "does", out, refused="TooManyRequestsException")
    aws("delete-function-concurrency", "--function-name", "does")
    aws("invoke", "--function-name", "none", out, refused="ResourceNotFoundException")
    assert aws("invoke", "--function-name", "does", "--invocation-type", "DryRun", out)["StatusCode"] == 204
