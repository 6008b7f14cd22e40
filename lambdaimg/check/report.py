"""The verdict as JSON and as text."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from lambdaimg.check.trial import Figures
from lambdaimg.check.verdict import Row, Size, Verdict

_SHOWN: Final = 5
"""Findings of a rule that the text shows; JSON has all."""


def as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": verdict.name,
        "image": verdict.image,
        "fit": verdict.fit,
        "size": asdict(verdict.size),
        "figures": asdict(verdict.figures) if verdict.figures else None,
        "rules": [_row_as_json(row) for row in verdict.rows],
    }


def _row_as_json(row: Row) -> dict[str, Any]:
    return {
        "id": row.rule.id,
        "title": row.rule.title,
        "state": row.state,
        "findings": [finding._asdict() for finding in row.findings],
        "known": [finding._asdict() for finding in row.known],
        "why": row.rule.why,
        "document": row.rule.document,
        "remedy": row.rule.remedy,
    }


def lines(verdict: Verdict, *, every: bool) -> Iterator[tuple[str, str]]:
    """The text, line by line: the state that a line is of (for its colour, or nothing), and the line.

    A rule that passes or isn't visible gets a line only with `every`.
    """
    yield "", f"{verdict.name}  {verdict.image}" if verdict.name != verdict.image else verdict.name
    for row in verdict.rows:
        if every or row.state in ("fail", "warn"):
            yield row.state, f"{row.state:16}  {row.rule.id}  {row.rule.title}"
            for text in _details(row):
                yield "", f"{'':25}{text}"
    yield "", made_of(verdict.size)
    if verdict.figures:
        yield "", measured(verdict.figures)
    yield "", summary(verdict)


def made_of(size: Size) -> str:
    """What makes the image big, in one line."""
    largest = ", ".join(f"{path} {_mb(bytes)}" for path, bytes in size.largest)
    return f"{_mb(size.total)} in {size.layers} layers, {_mb(size.hidden)} of them hidden; largest: {largest or '-'}"


def _mb(size: int) -> str:
    return f"{size / 1024 / 1024:.0f} MB"


def measured(figures: Figures) -> str:
    """What a trial measured, in one line."""
    init = f"init {figures.init_ms:.0f} ms" if figures.init_ms is not None else "no init phase"
    durations = ", ".join(f"{duration:.1f} ms" for duration in figures.durations_ms)
    memory = f"{figures.max_memory_used} of {figures.memory} MB used, {figures.advised_memory} would do"
    return f"{init}; invocations {durations}; {memory}"


def _details(row: Row) -> Iterator[str]:
    if row.findings:
        yield from (f"{finding.where}: {finding.what}" for finding in row.findings[:_SHOWN])
        if len(row.findings) > _SHOWN:
            yield f"and {len(row.findings) - _SHOWN} more"
        yield f"why: {row.rule.why} ({row.rule.document})"
        yield f"remedy: {row.rule.remedy}"


def summary(verdict: Verdict) -> str:
    counted = Counter(row.state for row in verdict.rows)
    parts = [f"{counted[state]} {state}" for state in ("fail", "warn", "known", "pass", "not visible here")]
    fit = "fit for Lambda" if verdict.fit else "not fit for Lambda"
    return f"{fit}: {', '.join(part for part in parts if not part.startswith('0 '))}"
