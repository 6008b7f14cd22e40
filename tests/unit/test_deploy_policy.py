"""Policies: valid IAM, as small as can be, and each setting adds what it needs and no more."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lambdaimg.cli.main import cli

ACCOUNT = "123456789012"
HERE = f"eu-west-1:{ACCOUNT}"
KINDS = ("role", "trust", "invoke", "resource", "repository", "push", "deploy")

PLAIN = '[project]\nname = "shop"\nregion = "eu-west-1"\n[functions.hello]\nlanguage = "python"\n'
FULL = f"""{PLAIN}
tracing = "Active"
insights = true
kms-key = "arn:aws:kms:{HERE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
layers = ["common"]
permissions = ["210987654321", "arn:aws:iam::210987654321:role/caller"]
triggers = [
  "arn:aws:s3:::uploads",
  "arn:aws:sns:{HERE}:news",
  "arn:aws:events:{HERE}:rule/nightly",
  "arn:aws:execute-api:{HERE}:a1b2c3/prod/GET/hello",
  "arn:aws:elasticloadbalancing:{HERE}:targetgroup/web/0123456789abcdef",
  "arn:aws:logs:{HERE}:log-group:/other:*",
  "arn:aws:sqs:{HERE}:jobs",
  "arn:aws:kinesis:{HERE}:stream/clicks",
  "arn:aws:dynamodb:{HERE}:table/orders/stream/2026-01-01T00:00:00.000",
]
[functions.hello.vpc]
subnet-ids = ["subnet-0123456789abcdef0"]
security-group-ids = ["sg-0123456789abcdef0"]
[functions.hello.file-system]
access-point = "arn:aws:elasticfilesystem:{HERE}:access-point/fsap-0123456789abcdef0"
mount-path = "/mnt/data"
[functions.hello.async]
on-success = "function:other"
on-failure = "arn:aws:s3:::failed"
dead-letter = "arn:aws:sqs:{HERE}:dead"
[functions.hello.url]
auth = "NONE"
[layers.common]
"""

KNOWN = (
    # EC2: Lambda's service makes the interfaces before anybody could name them; AWS's own policy has the same *.
    ("RESOURCE_STAR", "ec2:"),
    # Lambda's own conditions, which the linter's lists don't have.
    ("UNKNOWN_CONDITION_FOR_ACTION", "lambda:SourceFunctionArn"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "lambda:InvokedViaFunctionUrl"),
    # The linter splits a stream's ARN at the colons of its date.
    ("RESOURCE_MISMATCH", "dynamodb:"),
    # The policies of a role and of a repository belong to their resource and don't name it.
    ("MALFORMED", "trust.json"),
    ("MALFORMED", "repository.json"),
)


@pytest.fixture
def policy(make_project: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the command in a project of that text; returns the document."""

    def run(text: str, *arguments: str) -> Any:
        monkeypatch.chdir(make_project(text))
        done = CliRunner().invoke(cli, ["policy", *arguments, "--account", ACCOUNT], catch_exceptions=False)
        return json.loads(done.stdout)

    return run


def test_all_are_valid_iam(policy: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    for kind in KINDS:
        (folder / f"{kind}.json").write_text(json.dumps(policy(FULL, f"--{kind}")))
    for kind in ("role", "deploy"):
        (folder / f"plain-{kind}.json").write_text(json.dumps(policy(PLAIN, f"--{kind}")))
    linter = [sys.executable, "-m", "parliament.cli", "--directory", str(folder), "--json"]
    done = subprocess.run(linter, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    matched = [[known for known in KNOWN if known[0] == line["issue"] and known[1] in str(line)] for line in findings]
    assert [line for line, known in zip(findings, matched, strict=True) if not known] == []
    assert {known for each in matched for known in each} == set(KNOWN), done.stderr  # so the linter did run


def test_no_star_stands_where_an_arn_can(policy: Callable[..., Any]) -> None:
    starred = {
        action
        for kind in KINDS
        for statement in policy(FULL, f"--{kind}")["Statement"]
        if statement.get("Resource") == "*" and statement["Effect"] == "Allow"
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    without_resource = {
        "ecr:GetAuthorizationToken",
        "kinesis:ListStreams",
        "lambda:ListLayerVersions",
        "lambda:CreateEventSourceMapping",
        "lambda:ListEventSourceMappings",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    assert {action for action in starred if not action.startswith("ec2:")} == without_resource


def actions(document: Any) -> set[str]:
    return {
        action
        for statement in document["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


LOGS = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}


@pytest.mark.parametrize(
    ("setting", "adds"),
    [
        ("", set()),
        ('tracing = "Active"', {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}),
        (f'triggers = ["arn:aws:sns:{HERE}:news"]', set()),
        (
            f'triggers = ["arn:aws:sqs:{HERE}:jobs"]',
            {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
        ),
        ('async = { on-success = "function:other" }', {"lambda:InvokeFunction"}),
        ('async = { on-failure = "arn:aws:s3:::failed" }', {"s3:PutObject", "s3:ListBucket"}),
    ],
)
def test_a_setting_adds_what_it_needs_to_the_role(policy: Callable[..., Any], setting: str, adds: set[str]) -> None:
    assert actions(policy(f"{PLAIN}{setting}\n")) == LOGS | adds


def test_logs_are_of_this_function_alone(policy: Callable[..., Any]) -> None:
    for text, group in ((PLAIN, "/aws/lambda/hello"), (f'{PLAIN}logging = {{ group = "/shop" }}\n', "/shop")):
        for statement in policy(text)["Statement"]:
            assert statement["Resource"].startswith(f"arn:aws:logs:{HERE}:log-group:{group}:")


def test_the_invoke_policy_covers_versions_and_aliases_but_no_other_function(policy: Callable[..., Any]) -> None:
    (statement,) = policy(PLAIN, "--invoke")["Statement"]
    arn = f"arn:aws:lambda:{HERE}:function:hello"
    assert (statement["Action"], statement["Resource"]) == ("lambda:InvokeFunction", [arn, f"{arn}:*"])


def test_the_resource_policy_has_a_statement_for_each_caller(policy: Callable[..., Any]) -> None:
    statements = policy(FULL, "--resource")["Statement"]
    services = [statement["Principal"]["Service"] for statement in statements if "Service" in statement["Principal"]]
    assert services == [
        f"{name}.amazonaws.com" for name in ("s3", "sns", "events", "apigateway", "elasticloadbalancing", "logs")
    ]
    assert statements[0]["Condition"] == {
        "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::uploads"},
        "StringEquals": {"AWS:SourceAccount": ACCOUNT},
    }
    assert [statement["Action"] for statement in statements if statement["Principal"] == "*"] == [
        "lambda:InvokeFunctionUrl",
        "lambda:InvokeFunction",
    ]
    assert len({statement["Sid"] for statement in statements}) == len(statements)
    assert {statement["Resource"] for statement in statements} == {f"arn:aws:lambda:{HERE}:function:hello:live"}


def test_other_partitions_have_arns_of_their_own(policy: Callable[..., Any]) -> None:
    document = policy(PLAIN.replace("eu-west-1", "cn-north-1"), "--invoke")
    assert document["Statement"][0]["Resource"][0] == f"arn:aws-cn:lambda:cn-north-1:{ACCOUNT}:function:hello"


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        ([], PLAIN, "which account?"),
        (["--account", "12"], PLAIN, "is not an account's number"),
        (["--resource", "--account", ACCOUNT], PLAIN, "nothing to allow"),
    ],
)
def test_what_cant_be_said_is_refused(
    make_project: Callable[[str], Path], capfd: pytest.CaptureFixture[str], arguments: list[str], text: str, said: str
) -> None:
    from lambdaimg.cli.main import run

    assert run(["-C", str(make_project(text)), "policy", *arguments]) == 2
    assert said in capfd.readouterr().err


def test_the_account_is_read_from_the_settings(
    make_project: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    from lambdaimg.cli.main import run

    text = f'{PLAIN}role = "arn:aws:iam::{ACCOUNT}:role/mine"\n'
    assert run(["-C", str(make_project(text)), "policy", "--deploy"]) == 0
    out = capfd.readouterr().out
    assert f"arn:aws:lambda:{HERE}:function:hello" in out
    assert f'"Resource": "arn:aws:iam::{ACCOUNT}:role/mine"' in out
    assert "iam:CreateRole" not in out


DEPLOY = Path(__file__).parents[2] / "lambdaimg" / "deploy"
NOT_AN_ACTION = {"lambda:Invoke": "lambda:InvokeFunction"}


def test_whoever_deploys_and_pushes_may_do_all_that_is_called(policy: Callable[..., Any]) -> None:
    text = "".join(file.read_text("utf-8") for file in DEPLOY.glob("*.py"))
    calls = set(re.findall(r'"(lambda|iam|ecr)", ?"(\w+)"', text))
    calls |= {
        ("lambda", name)
        for name in re.findall(
            r'"((?:create|update|delete|remove|get)_(?:alias|function|provisioned|permission|event)\w*)"', text
        )
    }
    waiters = {("lambda", name) for name in ("function_active_v2", "function_updated_v2", "published_version_active")}
    called = {f"{service}:{name.title().replace('_', '')}" for service, name in calls - waiters}
    allowed = actions(policy(FULL, "--deploy")) | actions(policy(FULL, "--push"))
    assert len(called) > 25
    assert {NOT_AN_ACTION.get(action, action) for action in called} - allowed == set()
