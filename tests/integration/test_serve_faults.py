"""`serve` when things go wrong, and its function URLs: the right error to the right client, and nothing left."""

import base64
import json
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.integration.conftest import Sandboxed, docker, make_project
from tests.integration.serve_fixtures import REGION, Serve, end, functions, serve, until

FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    for project in make_project(tmp_path_factory.mktemp("faults") / "project"):
        functions(
            project,
            does='timeout = 60\n[functions.does.url]\nauth = "NONE"\n',
            brief='timeout = 1\n[functions.brief.url]\nauth = "NONE"\n',
            none='reserved-concurrency = 0\n[functions.none.url]\nauth = "NONE"\n',
            signed="[functions.signed.url]\n",
            plain="",
        )
        with serve(project) as running:
            yield running


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    """A project that nothing serves."""
    for project in make_project(tmp_path_factory.mktemp("idle") / "project"):
        functions(project, does="timeout = 60\n")
        yield project


def test_a_killed_environment_fails_its_own_client_alone(served: Serve) -> None:
    with ThreadPoolExecutor() as threads:
        failing = threads.submit(served.post, {"wait": True, "print": "it waits"}, "plain")
        served.hears("plain  it waits")
        docker("kill", *served.environments("plain"))
        answer = failing.result()
    assert (answer.status_code, answer.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
    assert answer.json()["errorType"] in ("Runtime.ExitError", "Extension.Crash")
    assert served.post({}, "plain").json()["count"] == 1, "the next has a process of its own"


def test_a_client_that_disconnects_stops_nothing(served: Serve) -> None:
    body = json.dumps({"wait": True, "print": "nobody waits"})
    host, _, port = served.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as client:
        head = f"POST /2015-03-31/functions/does/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall((head + body).encode())
        served.hears("does  nobody waits")
    reports = sum("does  REPORT" in line for line in served.said)
    served.let_go()
    served.hears("does  REPORT", reports + 1)
    assert served.post({}).json()["count"] == 2, "the same environment, once it was done"


def test_a_timeout_is_a_function_error(served: Serve) -> None:
    answer = served.post({"wait": True}, "brief")
    assert (answer.status_code, answer.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
    assert "Task timed out after 1.00 seconds" in answer.json()["errorMessage"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_serve_leaves_no_container(idle: Sandboxed, number: int) -> None:
    with serve(idle) as running, ThreadPoolExecutor() as threads:
        waiting = threads.submit(running.post, {"wait": True, "print": "it waits"})
        running.hears("it waits")
        assert end(running.process, number) == 130
        assert idle.containers() == []
        with pytest.raises((requests.RequestException, AssertionError)):
            assert waiting.result().status_code == 200


def test_a_second_serve_of_a_project_is_refused_and_the_first_goes_on(served: Serve) -> None:
    refused = served.project.run("serve", "--port", "0", code=2)
    assert "events.sqlite" in refused.stderr
    assert served.post({}).status_code == 200


# Function URLs


def url_event(served: Serve, method: str, path: str, **more: Any) -> Any:
    answer = requests.request(method, f"{served.url}/url/does{path}", timeout=60, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()["event"]


def test_a_url_request_is_an_event_of_format_2(served: Serve) -> None:
    headers = {"Cookie": "a=1; b=2", "User-Agent": "tester"}
    event = url_event(served, "GET", "/a%20b/c?x=1&x=2&y=%26&z", headers=headers)
    assert (event["version"], event["routeKey"], event["isBase64Encoded"]) == ("2.0", "$default", False)
    assert (event["rawPath"], event["rawQueryString"]) == ("/a%20b/c", "x=1&x=2&y=%26&z")
    assert event["queryStringParameters"] == {"x": "1,2", "y": "&", "z": ""}
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert event["headers"]["x-forwarded-port"]
    assert event["headers"]["x-amzn-trace-id"].startswith("Root=")
    assert "body" not in event
    context = event["requestContext"]
    assert (context["accountId"], context["stage"], context["routeKey"]) == ("anonymous", "$default", "$default")
    assert context["http"].keys() == {"method", "path", "protocol", "sourceIp", "userAgent"}
    assert (context["http"]["method"], context["http"]["path"]) == ("GET", "/a%20b/c")
    assert (context["http"]["userAgent"], context["http"]["protocol"]) == ("tester", "HTTP/1.1")


@pytest.mark.parametrize(
    ("kind", "body", "encoded"),
    [
        ("application/json", b'{"a": 1}', False),
        ("text/plain; charset=utf-8", "ä".encode(), False),
        ("application/x-www-form-urlencoded", b"a=1&b=2", False),
        ("application/octet-stream", b"\x00\xff", True),
        ("multipart/form-data; boundary=x", b"--x--", True),
        ("image/png", b"\x89PNG", True),
    ],
)
def test_a_body_is_text_or_base64(served: Serve, kind: str, body: bytes, encoded: bool) -> None:
    event = url_event(served, "POST", "/", data=body, headers={"Content-Type": kind})
    assert event["isBase64Encoded"] is encoded
    assert event["body"] == (base64.b64encode(body).decode() if encoded else body.decode())


FAILED, TEXT = b"Internal Server Error", "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("returned", "status", "body", "kind"),
    [
        ({"statusCode": 201, "body": "made", "headers": {"Content-Type": "text/x"}}, 201, b"made", "text/x"),
        ({"statusCode": 200}, 200, b"", "application/json"),
        ({"statusCode": "404", "body": "no"}, 404, b"no", "application/json"),
        ({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, b"\x00\xff", "application/json"),
        ({"a": 1}, 200, b'{"a":1}', "application/json"),
        ("hello", 200, b"hello", "application/json"),
        (["hello", 3, True], 200, b'["hello",3,true]', "application/json"),
        (3, 200, b"3", "application/json"),
        (True, 200, b"true", "application/json"),
        ({"statusCode": 99}, 502, FAILED, TEXT),
        ({"statusCode": 200, "headers": {"a": "x\r\ny: z"}}, 502, FAILED, TEXT),
        ({"statusCode": 200, "headers": 3}, 502, FAILED, TEXT),
        ({"statusCode": 200, "body": "%", "isBase64Encoded": True}, 502, FAILED, TEXT),
    ],
)
def test_what_a_function_returns_is_the_http_response(
    served: Serve, returned: Any, status: int, body: bytes, kind: str
) -> None:
    text = json.dumps({"return": returned})
    answer = requests.post(f"{served.url}/url/does", data=text, headers={"Content-Type": "text/plain"}, timeout=60)
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (status, body, kind)


def test_each_cookie_is_a_header_of_its_own(served: Serve) -> None:
    text = json.dumps({"return": {"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"]}})
    answer = requests.post(f"{served.url}/url/does/", data=text, headers={"Content-Type": "text/plain"}, timeout=60)
    assert answer.raw.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2"]


def test_a_failure_is_502_without_json(served: Serve) -> None:
    headers = {"Content-Type": "text/plain"}
    answer = requests.post(f"{served.url}/url/does/", data='{"return": ', headers=headers, timeout=60)
    assert (answer.status_code, answer.text) == (502, "Internal Server Error")


def test_throttled_and_unknown_functions(served: Serve) -> None:
    throttled = requests.get(f"{served.url}/url/none/", timeout=60)
    assert (throttled.status_code, throttled.json()["Reason"][:8]) == (429, "Reserved")
    assert requests.get(f"{served.url}/url/other/", timeout=60).status_code == 404


def signed(url: str, kind: type[SigV4Auth]) -> AWSRequest:
    """A GET request as botocore signs it."""
    request = AWSRequest("GET", url)
    kind(Credentials("AKIDEXAMPLE", "secret"), "lambda", REGION).add_auth(request)
    return request


def test_a_url_for_signed_requests_refuses_all_others(served: Serve) -> None:
    url = f"{served.url}/url/signed/"
    by_header, by_query = signed(url, SigV4Auth), signed(url, SigV4QueryAuth)
    authorization = by_header.headers["Authorization"]
    assert requests.get(url, headers=dict(by_header.headers), timeout=60).status_code == 200
    assert requests.get(by_query.url, timeout=60).status_code == 200
    half, elsewhere = authorization.rpartition(",")[0], authorization.replace("/lambda/", "/s3/")
    for wrong in ("", "Bearer x", "AWS4-HMAC-SHA256", half, elsewhere):
        refused = requests.get(url, headers={"Authorization": wrong}, timeout=60)
        assert (refused.status_code, refused.headers["x-amzn-ErrorType"]) == (403, "AccessDeniedException"), wrong
        assert refused.json() == {"Message": FORBIDDEN}
    assert requests.get(f"{url}?X-Amz-Algorithm=AWS4-HMAC-SHA256", timeout=60).status_code == 403


def test_a_function_has_a_host_of_its_own(served: Serve) -> None:
    host = {"Host": f"does.localhost:{served.url.rpartition(':')[2]}"}
    answer = requests.get(f"{served.url}/2015-03-31/functions", headers=host, timeout=60)
    assert answer.json()["event"]["rawPath"] == "/2015-03-31/functions"
    assert answer.json()["event"]["requestContext"]["domainName"] == host["Host"]
    without = {"Host": "plain.localhost"}
    listed = requests.get(f"{served.url}/2015-03-31/functions", headers=without, timeout=60)
    assert "Functions" in listed.json(), "it has no function URL"


def test_an_edit_is_answered_by_the_new_code_and_drops_no_request(idle: Sandboxed) -> None:
    source = (idle.root / "does" / "app.py").read_text()
    with serve(idle, "--watch") as watched, ThreadPoolExecutor() as threads:
        waiting = threads.submit(watched.post, {"wait": True, "print": "it waits"})
        watched.hears("it waits")
        idle.write("does/app.py", source.replace('"count": count', '"count": "new"'))
        watched.hears("does: app.py changed: the new code answers")
        assert watched.post({}).json()["count"] == "new"
        watched.let_go()
        assert waiting.result().json()["count"] == 1, "the old code's last answer"
        until(lambda: len(watched.environments()) == 1, "the end of the old environment")
