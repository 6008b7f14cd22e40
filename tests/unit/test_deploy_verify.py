"""What a deployed function's log says of an invocation, in both log formats."""

import json
from typing import Any

import pytest

from lambdaimg.deploy.verify import report_of
from lambdaimg.model.invocation import Report

REPORT = Report(request_id="r", duration_ms=1.5, memory_size=128, max_memory_used=20, init_ms=150.25)
WARM = Report(request_id="r", duration_ms=1.5, memory_size=128, max_memory_used=20)
METRICS = {"durationMs": 1.5, "billedDurationMs": 2, "memorySizeMB": 128, "maxMemoryUsedMB": 20}


def record(kind: str, metrics: dict[str, Any]) -> str:
    return json.dumps(
        {"time": "t", "type": kind, "record": {"requestId": "r", "metrics": metrics, "status": "success"}}
    )


@pytest.mark.parametrize(
    ("log", "report"),
    [
        (["START RequestId: r Version: 1", "END RequestId: r", REPORT.line()], REPORT),
        ([WARM.line(), ""], WARM),
        (['{"type":"platform.start"}', record("platform.report", {**METRICS, "initDurationMs": 150.25})], REPORT),
        ([record("platform.report", METRICS)], WARM),
        ([record("platform.runtimeDone", METRICS), "[1]", "plain", "REPORT RequestId: r"], None),
        ([], None),
    ],
)
def test_the_figures_of_an_invocation(log: list[str], report: Report | None) -> None:
    assert report_of(log) == report
