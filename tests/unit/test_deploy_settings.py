"""The settings of a deployed function: what Lambda would refuse is refused here, with line and key."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from lambdaimg.cli.main import cli
from lambdaimg.model import project_file
from lambdaimg.model.errors import ProjectError
from lambdaimg.model.project import Function

MINIMAL = '[functions.hello]\nlanguage = "python"\n'
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:jobs"


def function(folder: Path, text: str) -> Function:
    file = folder / "lambdaimg.toml"
    file.write_text(text, "utf-8")
    return project_file.load(file, languages=("python",)).functions[0]


WRONG = [
    ("reserved-concurrency = -1", "0 to"),
    ("provisioned-concurrency = 0", "1 to"),
    ("reserved-concurrency = 1\nprovisioned-concurrency = 2", "at most reserved-concurrency, 1"),
    ('role = "lambda"', "a role's ARN"),
    ('alias = "1"', "not digits alone"),
    (f'description = "{"x" * 257}"', "at most 256 characters"),
    ('tags = { "aws:x" = "y" }', "the name must be"),
    ("tags = { " + ", ".join(f't{n} = ""' for n in range(51)) + " }", "at most 50 entries"),
    ('tracing = "active"', "PassThrough, Active"),
    ("insights = 1", "true or false"),
    ('kms-key = "alias/x"', "a key's ARN"),
    ('triggers = ["arn:aws:ec2:eu-west-1:123456789012:x"]', "what may invoke the function"),
    ('triggers = ["arn:aws:dynamodb:eu-west-1:123456789012:table/t"]', "DynamoDB stream"),
    ('permissions = ["*"]', "an account's number"),
    ('vpc = { subnet-ids = ["subnet-1"] }', "both subnet-ids and security-group-ids"),
    ('vpc = { subnets = ["subnet-1"] }', 'did you mean "subnet-ids"?'),
    ("vpc = 1", "must be a table"),
    ("async = { maximum-retry-attempts = 3 }", "0 to 2 retries"),
    ("async = { maximum-event-age = 59 }", "60 to 21600 s"),
    ('async = { on-failure = "jobs" }', "function:NAME, file:PATH, a URL, or the ARN"),
    ('async = { dead-letter = "arn:aws:s3:::uploads" }', "SQS queue or SNS topic"),
    ('url = { auth = "none" }', "AWS_IAM, NONE"),
    ('logging = { level = "DEBUG" }', 'set format = "JSON"'),
    ('file-system = { mount-path = "/mnt/x" }', "needs both access-point and mount-path"),
    ('file-system = { mount-path = "/data" }', "a path /mnt/NAME"),
]


@pytest.mark.parametrize(("line", "said"), WRONG, ids=[line[:40] for line, _ in WRONG])
def test_a_wrong_value_says_what_is_allowed(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ProjectError) as error:
        function(tmp_path, f"{MINIMAL}{line}\n")
    (problem,) = (str(problem) for problem in error.value.problems if said in str(problem))
    assert problem.startswith(("lambdaimg.toml:3: functions.hello.", "lambdaimg.toml:4: functions.hello."))


def test_tables_take_defaults_key_by_key(tmp_path: Path) -> None:
    found = function(
        tmp_path,
        f'[defaults]\nlanguage = "python"\n[defaults.async]\nmaximum-event-age = 60\non-failure = "{QUEUE}"\n'
        '[defaults.tags]\nteam = "a"\n[functions.hello]\ntags = { stage = "dev" }\n'
        "[functions.hello.async]\nmaximum-event-age = 90\n",
    )
    assert found.settings.tags == {"team": "a", "stage": "dev"}
    assert found.settings.async_
    assert (found.settings.async_.maximum_event_age, found.settings.async_.on_failure) == (90, QUEUE)
    assert found.settings.vpc is None


def test_show_has_a_row_for_each_key_of_a_table(
    make_project: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_project(f'{MINIMAL}reserved-concurrency = 0\nurl = {{ auth = "NONE" }}\n'))
    shown = json.loads(CliRunner().invoke(cli, ["show", "--json"], catch_exceptions=False).stdout)
    assert shown["reserved-concurrency"] == {"value": 0, "from": "lambdaimg.toml:3"}
    assert shown["url.auth"] == {"value": "NONE", "from": "lambdaimg.toml:4"}
    assert shown["url.invoke-mode"]["value"] == "BUFFERED"
    assert shown["vpc"]["value"] == ""
