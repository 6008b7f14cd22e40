"""What AWS and registries refuse with becomes a message with its remedy."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lambdaimg.cli.main import run
from lambdaimg.deploy.aws import Aws
from lambdaimg.deploy.push import Registry, remedy_of
from tests.unit.test_deploy_policy import PLAIN

Refuse = Callable[[str], str]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Iterator[Refuse]:
    """An AWS that answers every call with one error; returns its address."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    answer = {"__type": "", "message": "the reason"}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(400)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def refusing(code: str) -> str:
            answer["__type"] = code
            return f"http://127.0.0.1:{server.server_port}"

        yield refusing
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("ExpiredTokenException", "renew the credentials"),
        ("AccessDeniedException", "`lambdaimg policy --deploy` and `--push`"),
        ("LimitExceededException", "ask AWS to raise the quota"),
        ("ThrottlingException", "what is done stays done"),
    ],
)
def test_a_refusal_of_aws_says_what_to_do(
    make_project: Callable[[str], Path], capfd: pytest.CaptureFixture[str], refuse: Refuse, code: str, remedy: str
) -> None:
    assert run(["-C", str(make_project(PLAIN)), "push", "--endpoint-url", refuse(code)]) == 6
    said = capfd.readouterr().err
    assert f"AWS refused ecr:describe-repositories: {code}: the reason" in said
    assert remedy in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 6, "no AWS credentials"),
        (["--profile", "nobody"], 2, "`aws configure list-profiles`"),
        (["--endpoint-url", "http://127.0.0.1:1"], 6, "check the network"),
    ],
)
def test_an_account_that_cant_be_reached(
    make_project: Callable[[str], Path],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    if "--endpoint-url" in arguments:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    assert run(["-C", str(make_project(PLAIN)), "push", *arguments]) == code
    assert said in capfd.readouterr().err


@pytest.mark.parametrize(
    ("said", "ours", "others"),
    [
        ("denied: Your authorization token has expired.", "run it again", "run it again"),
        ("no basic auth credentials", "`lambdaimg policy --push`", "docker login host"),
        (
            "tag invalid: 'x' cannot be overwritten because the repository is immutable",
            "delete that one",
            "delete that",
        ),
        ("x509: certificate signed by unknown authority", "certs.d/host", "certs.d/host"),
        ("dial tcp: no such host", "check the registry's name", "check the registry's name"),
    ],
)
def test_a_refusal_of_a_registry_says_what_to_do(said: str, ours: str, others: str) -> None:
    assert ours in remedy_of(said, Registry(host="host", aws=Aws(region="eu-west-1")))
    assert others in remedy_of(said, Registry(host="host"))
