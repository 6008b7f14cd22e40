"""The log's two formats: which records are lines of it, and which of the function's lines are left out."""

import json
from typing import Any

import pytest

from lambdaimg.model.deployment import LoggingSettings
from lambdaimg.model.invocation import Report, Request
from lambdaimg.runtime import telemetry_records
from lambdaimg.runtime.log_format import LogFormat
from lambdaimg.runtime.telemetry_records import InitPhase, Record

PLAIN, TRACED = (Request(event=b"", request_id="r", trace_id=f"Root=1;Sampled={sampled}") for sampled in (0, 1))


def ended(status: str = "", error_type: str = "") -> tuple[Record, Record, Record]:
    report = Report(
        request_id="r", duration_ms=1.5, memory_size=128, max_memory_used=20, status=status, error_type=error_type
    )
    return telemetry_records.ended(PLAIN, report)


ON_DEMAND, PROVISIONED = (InitPhase(initialization=each) for each in ("on-demand", "provisioned-concurrency"))
WITHIN = InitPhase(initialization="on-demand", phase="invoke")
START = telemetry_records.start(PLAIN, "arn")
REPORT = "REPORT RequestId: r\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 20 MB"
INIT_REPORT = "INIT_REPORT Init Duration: 5.00 ms\tPhase: init\tStatus: "


@pytest.mark.parametrize(
    ("record", "text", "level"),
    [
        (ON_DEMAND.start("f", "i", 128), "", "DEBUG"),
        (ON_DEMAND.runtime_done("success"), "", "DEBUG"),
        (ON_DEMAND.runtime_done("error", "E"), "", "WARN"),
        (ON_DEMAND.report("success", 5.0), "", "DEBUG"),
        (ON_DEMAND.report("error", 5.0, "E"), f"{INIT_REPORT}error\tError Type: E", "WARN"),
        (ON_DEMAND.report("timeout", 5.0, "Sandbox.Timedout"), f"{INIT_REPORT}timeout", "WARN"),
        (WITHIN.report("error", 5.0, "E"), "", "WARN"),
        (PROVISIONED.report("success", 5.0), "", "INFO"),
        (START, "START RequestId: r Version: $LATEST", "INFO"),
        (ended()[0], "", "DEBUG"),
        (ended("error", "KeyError")[0], "", "WARN"),
        (ended()[1], "END RequestId: r", ""),
        (ended()[2], REPORT, "INFO"),
        (ended("timeout", "Sandbox.Timedout")[2], f"{REPORT}\tStatus: timeout", "WARN"),
        (
            telemetry_records.extension("x", "Ready", ("INVOKE", "SHUTDOWN")),
            "EXTENSION\tName: x\tState: Ready\tEvents: [INVOKE, SHUTDOWN]",
            "INFO",
        ),
        (
            telemetry_records.subscription("platform.telemetrySubscription", "x", ("platform", "function")),
            "TELEMETRY\tName: x\tState: Subscribed\tTypes: [Platform, Function]",
            "INFO",
        ),
        (
            telemetry_records.subscription("platform.logsSubscription", "x", ("function",)),
            "LOGS\tName: x\tState: Subscribed\tTypes: [Function]",
            "",
        ),
        (telemetry_records.dropped(1, 2), "", "WARN"),
    ],
)
def test_each_record_is_a_line_of_its_format_and_of_its_level(record: Record, text: str, level: str) -> None:
    assert LogFormat(LoggingSettings()).records([record]) == ([text] if text else [])
    shown = [
        each
        for each in ("DEBUG", "INFO", "WARN")
        if LogFormat(LoggingSettings(format="JSON", system_level=each)).records([record])
    ]
    assert shown == {"DEBUG": ["DEBUG"], "INFO": ["DEBUG", "INFO"], "WARN": ["DEBUG", "INFO", "WARN"], "": []}[level]


@pytest.mark.parametrize(("request_", "tracing"), [(PLAIN, False), (TRACED, True)])
def test_a_record_tells_the_trace_id_of_a_request_that_is_traced(request_: Request, tracing: bool) -> None:
    (line,) = LogFormat(LoggingSettings(format="JSON")).records([telemetry_records.start(request_, "arn")])
    found: dict[str, Any] = json.loads(line)
    assert found["type"] == "platform.start"
    assert ("tracing" in found["record"]) == tracing
    assert found["record"].items() >= {"requestId": "r", "functionArn": "arn", "version": "$LATEST"}.items()


LINES = [
    "plain",
    '{"level": "trace"}',
    '{"level": "DEBUG"}',
    '{"level": "WARNING"}',
    '{"level": "ERROR"}',
    '{"level": "CRITICAL"}',
    '{"level": "loud"}',
    '{"no": "level"}',
    "[1]",
]
INFO = {"plain", '{"level": "loud"}', '{"no": "level"}', "[1]"}


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("TRACE", set(LINES)),
        ("DEBUG", {*LINES} - {'{"level": "trace"}'}),
        ("", {*INFO, *LINES[3:6]}),
        ("WARN", {*LINES[3:6]}),
        ("ERROR", {*LINES[4:6]}),
        ("FATAL", {LINES[5]}),
    ],
)
def test_lines_below_the_level_are_left_out_of_the_format_json(level: str, shown: set[str]) -> None:
    assert set(LogFormat(LoggingSettings(format="JSON", level=level)).lines(LINES)) == shown
    assert LogFormat(LoggingSettings()).lines(LINES) == LINES
