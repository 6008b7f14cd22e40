"""The log format JSON: the runtime is told of it, and Lambda's own lines are records."""

import json
from typing import Any

import pytest

from lambdaimg.model.deployment import LoggingSettings
from lambdaimg.model.invocation import Invocation
from tests.integration.lab import Lab

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["python", "nodejs"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def kinds(lines: list[str]) -> list[str]:
    """Of each line, the type of a record, or the level of a line of the function's."""
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [each.get("type") or each["level"].removesuffix("ING") for each in found]


INIT = ["platform.initStart", "platform.initRuntimeDone", "platform.initReport"]
INVOCATION = ["platform.start", "DEBUG", "WARN", "platform.runtimeDone", "platform.report"]


@pytest.mark.parametrize(
    ("level", "system_level", "shown"),
    [
        ("DEBUG", "DEBUG", [*INIT, *INVOCATION]),
        ("", "", ["platform.start", "WARN", "platform.report"]),
        ("ERROR", "WARN", []),
    ],
)
async def test_records_and_lines_are_json_and_of_their_level(
    lab: Lab, language: str, level: str, system_level: str, shown: list[str]
) -> None:
    logging = LoggingSettings(format="JSON", level=level, system_level=system_level)
    async with lab.stage(language, logging=logging) as stage:
        answer = await stage.do("log", "a word")
        assert kinds(stage.lines) == shown
        variables = (await stage.do("variables")).payload
    assert variables["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    assert variables["AWS_LAMBDA_LOG_LEVEL"] == (level or "INFO")
    if "platform.report" in shown:
        assert_reported(answer.invocation)


def assert_reported(invocation: Invocation) -> None:
    report = invocation.report
    record = json.loads(invocation.log[-1])["record"]
    assert report
    assert (record["requestId"], record["status"]) == (report.request_id, "success")
    assert record["metrics"] == {
        "durationMs": round(report.duration_ms, 3),
        "billedDurationMs": int(-(-report.duration_ms // 1)),
        "memorySizeMB": 256,
        "maxMemoryUsedMB": report.max_memory_used,
        "initDurationMs": round(report.init_ms or 0, 3),
    }


async def test_the_format_text_and_another_log_group(lab: Lab, language: str) -> None:
    async with lab.stage(language, logging=LoggingSettings(group="/shop/all")) as stage:
        variables = (await stage.do("variables")).payload
    assert variables["AWS_LAMBDA_LOG_GROUP_NAME"] == "/shop/all"
    assert not variables.keys() & {"AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL"}


async def test_a_failure_is_a_warning(lab: Lab) -> None:
    logging = LoggingSettings(format="JSON", system_level="WARN")
    async with lab.stage("python", {"INIT": "exits once"}, logging=logging) as stage:
        assert kinds(stage.lines) == ["platform.initRuntimeDone", "platform.initReport"]
        assert json.loads(stage.lines[-1])["record"]["errorType"] == "Runtime.ExitError"
        await stage.do("echo")
        await stage.do("leave", 1)
        ended = [json.loads(line) for line in stage.lines[2:] if line.startswith("{")]
    assert [(each["type"], each["record"]["status"]) for each in ended] == [
        ("platform.runtimeDone", "failure"),
        ("platform.report", "failure"),
    ]
