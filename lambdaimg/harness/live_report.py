"""The report for people: a line a case as it ends, what differs where one fails, and a summary."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from lambdaimg.harness.results import BAD, Outcome, Result, Summary, counts, summaries
from lambdaimg.harness.verdict import Failure
from lambdaimg.model.matching import MISSING, Difference
from lambdaimg.model.project import Project

if TYPE_CHECKING:
    from rich.console import Console

_MARKS: Final = {
    Outcome.PASSED: ("ok", "green"),
    Outcome.FAILED: ("FAIL", "red"),
    Outcome.ERROR: ("ERROR", "red"),
    Outcome.SKIPPED: ("skip", "yellow"),
    Outcome.XFAILED: ("xfail", "yellow"),
    Outcome.NOT_RUN: ("not run", "yellow"),
}
_COLORS: Final = re.compile(r"\x1b\[[0-9;]*m")
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTINUED: Final = "          | "
_LONG: Final = 300
"""Characters of a value from which on only the part around the difference is shown."""
_AROUND: Final = 60


class LiveReport:
    """Writes to a console; functions' names are as wide as the longest of them."""

    def __init__(self, console: "Console", functions: Sequence[str]) -> None:
        self._console = console
        self._width = max(map(len, functions), default=0)

    def result(self, result: Result) -> None:
        """A case has ended."""
        mark, color = _MARKS[result.outcome]
        figures = _figures(result)
        self._line(f"{mark:7}", color, f" {result.case.function:{self._width}}  {result.case.name}{figures}")
        if result.outcome in BAD:
            self._details(result)

    def _details(self, result: Result) -> None:
        case = result.case
        self._line(f"        {case.file}:{case.line}", "dim")
        if result.reason:
            self._line(f"        {result.reason}", "red")
        for failure in result.failures:
            self._failure(failure)
        if result.log:
            self._line("        log", "dim")
        for line in result.log:
            self._line(f"{_CONTINUED}{line}", "dim")

    def _failure(self, failure: Failure) -> None:
        self._line(f"        {failure.what}", "red")
        for difference in failure.differences:
            expected, got = shown(difference)
            self._line(f"          {difference.path}", "bold")
            self._line(f"            expected  {expected}", "green")
            self._line(f"            got       {got}", "red")

    def _line(self, text: str, style: str, plain: str = "") -> None:
        from rich.text import Text

        self._console.print(Text.assemble((_printable(text), style), _printable(plain)))

    def summary(self, project: Project, results: Sequence[Result], seconds: float) -> None:
        """The end: a row a function, then one line for all."""
        memory = {function.name: function.settings.memory for function in project.functions}
        titles = ("FUNCTION", "CASES", "FAILED", "TIME", "COLD START", "PEAK MEMORY")
        rows = [titles, *(_row(each, memory) for each in summaries(results))]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        self._console.print()
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self._console.print("  ".join(cells).rstrip(), markup=False)
        self._line(in_one_line(results, seconds), "red" if any(each.outcome in BAD for each in results) else "green")


def _printable(text: str) -> str:
    """A text that can do nothing to a terminal: colours are taken out, other control characters replaced.

    No line of a function's own begins a line: GitHub would take `::` there for a command.
    """
    return _CONTROL.sub("\ufffd", _COLORS.sub("", text)).replace("\n", f"\n{_CONTINUED}")


def _figures(result: Result) -> str:
    if result.outcome in (Outcome.SKIPPED, Outcome.XFAILED, Outcome.NOT_RUN):
        return f" ({result.reason})"
    return f"  {result.duration_ms:.1f} ms" if result.duration_ms is not None else ""


def _row(summary: Summary, memory: Mapping[str, int]) -> tuple[str, ...]:
    failed = sum(summary.counts.get(outcome, 0) for outcome in BAD)
    init = f"{summary.init_ms:.0f} ms" if summary.init_ms is not None else "-"
    peak = f"{summary.memory_mb} MB of {memory[summary.function]}" if summary.memory_mb is not None else "-"
    total = sum(summary.counts.values())
    return (summary.function, str(total), str(failed), f"{summary.seconds:.2f} s", init, peak)


def in_one_line(results: Sequence[Result], seconds: float) -> str:
    """`2 failed, 38 passed in 4.20 s`, what matters most first."""
    found = counts(results)
    order = (*BAD, Outcome.PASSED, Outcome.XFAILED, Outcome.SKIPPED, Outcome.NOT_RUN)
    said = [f"{found[outcome]} {outcome.value}" for outcome in order if outcome in found]
    return f"{', '.join(said) or 'no case'} in {seconds:.2f} s"


def shown(difference: Difference) -> tuple[str, str]:
    """What was expected and what came, as JSON; of two long ones, the part where they begin to differ."""
    expected, got = _json(difference.expected, "nothing"), _json(difference.got, "nothing")
    if max(len(expected), len(got)) <= _LONG:
        return expected, got
    start = max(0, _common(expected, got) - _AROUND)
    return _part(expected, start), _part(got, start)


def _json(value: Any, missing: str) -> str:
    return missing if value is MISSING else json.dumps(value, ensure_ascii=False)


def _common(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))


def _part(text: str, start: int) -> str:
    end = start + _LONG
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def plain(result: Result) -> Iterator[str]:
    """Everything that is wrong with a case, in lines without colours."""
    if result.reason:
        yield result.reason
    for failure in result.failures:
        yield failure.what
        for difference in failure.differences:
            expected, got = shown(difference)
            yield f"  {difference.path}: expected {expected}, got {got}"
