"""The reports for programs: JUnit XML and JSON."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from junitparser import Error, JUnitXml, Skipped, TestCase, TestSuite
from junitparser import Failure as JUnitFailure

from lambdaimg.harness.live_report import plain, shown
from lambdaimg.harness.results import BAD, Outcome, Result, summaries
from lambdaimg.model.project import Project

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can't say (section 2.2)."""


def junit(project: Project, results: Sequence[Result], seconds: float) -> str:
    """JUnit XML: a suite a function, its name a case's class name."""
    root = JUnitXml(project.name)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for summary in summaries(results):
        suite = TestSuite(summary.function)
        suite.timestamp = now
        suite.add_testcases([_testcase(result) for result in results if result.case.function == summary.function])
        suite.time = round(summary.seconds, 3)
        root.add_testsuite(suite)
    root.time = round(seconds, 3)
    root.tests, root.failures, root.errors = (
        len(results),
        _count(results, Outcome.FAILED),
        _count(results, Outcome.ERROR),
    )
    return str(root.tostring().decode("utf-8"))  # type: ignore[no-untyped-call]


def _count(results: Sequence[Result], outcome: Outcome) -> int:
    return sum(result.outcome is outcome for result in results)


def _testcase(result: Result) -> TestCase:
    case = TestCase(_xml(result.case.name), _xml(result.case.function), round(result.seconds, 3))
    text = _xml("\n".join(plain(result)))
    first = text.partition("\n")[0]
    if result.outcome is Outcome.FAILED:
        case.result = [_with_text(JUnitFailure(first, "expectation"), text)]
    elif result.outcome is Outcome.ERROR:
        case.result = [_with_text(Error(first, "environment"), text)]
    elif result.outcome is not Outcome.PASSED:
        case.result = [Skipped(_xml(f"{result.outcome.value}: {result.reason}"))]
    if result.outcome in BAD and result.log:
        case.system_out = _xml("\n".join(result.log))
    return case


def _with_text(entry: Any, text: str) -> Any:
    entry.text = text
    return entry


def _xml(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)


def as_json(project: Project, results: Sequence[Result], seconds: float) -> str:
    """All that is known, for programs. Times are ms, or seconds where the key says so; memory is MB."""
    data = {
        "project": project.name,
        "seconds": round(seconds, 3),
        "functions": [
            {
                "function": summary.function,
                "counts": {outcome.value: count for outcome, count in summary.counts.items()},
                "seconds": round(summary.seconds, 3),
                "init_ms": summary.init_ms,
                "memory_mb": summary.memory_mb,
            }
            for summary in summaries(results)
        ],
        "cases": [_as_data(result) for result in results],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _as_data(result: Result) -> dict[str, Any]:
    return {
        "function": result.case.function,
        "name": result.case.name,
        "file": result.case.file,
        "line": result.case.line,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "seconds": round(result.seconds, 3),
        "duration_ms": result.duration_ms,
        "init_ms": result.init_ms,
        "memory_mb": result.memory_mb,
        "failures": [
            {
                "what": failure.what,
                "differences": [
                    dict(zip(("path", "expected", "got"), (each.path, *shown(each)), strict=True))
                    for each in failure.differences
                ],
            }
            for failure in result.failures
        ],
        "log": list(result.log) if result.outcome in BAD else [],
    }
