"""Expected payloads that are written from what functions return (`--update`)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lambdaimg.harness.results import Outcome, Result
from lambdaimg.model.cases import Case
from lambdaimg.model.files import write_whole
from lambdaimg.model.matching import compare, refreshed


def without_payloads(cases: Iterable[Case]) -> list[Case]:
    """The cases, those with a snapshot taking whatever payload comes."""
    return [_any_payload(case) if case.snapshot else case for case in cases]


def _any_payload(case: Case) -> Case:
    steps = (
        replace(step, expect=replace(step.expect, payload={"$any": True}, has_payload=True)) for step in case.steps
    )
    return replace(case, steps=tuple(steps))


def update(cases: Iterable[Case], results: Sequence[Result]) -> list[Path]:
    """Writes the snapshots of cases that passed and returned something else than they say. Returns the files.

    Raises OSError.
    """
    passed = {result.case.id: result.payload for result in results if result.outcome is Outcome.PASSED}
    return [
        case.snapshot
        for case in cases
        if case.snapshot and case.id in passed and _updated(case, case.snapshot, json.loads(passed[case.id]))
    ]


def _updated(case: Case, snapshot: Path, got: Any) -> bool:
    expected = case.steps[0].expect.payload
    if snapshot.is_file() and not compare(expected, got, "exact"):
        return False
    new = json.dumps(refreshed(expected, got), indent=2, ensure_ascii=False)
    write_whole(snapshot, f"{new}\n".encode())
    return True
