"""What happened of late, for those who watch `serve`: happenings of environments, and lines of the functions' logs."""

import itertools
import json
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from lambdaimg.runtime.emulator import Happening

_HAPPENINGS: Final = 2_000
_LINES: Final = 1_000
_LINE_CHARACTERS: Final = 4_000
"""Beyond which a line is cut: a log may hold lines of megabytes."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a function's log; `at` is seconds since 1970."""

    function: str
    text: str
    at: float


class Feed:
    """Keeps the last of each, with a number. Cheap to tell: what nobody reads is never made into text."""

    def __init__(self) -> None:
        self.began = int(time.time() * 1000)
        """ms since 1970, where the numbers begin: after a restart they are greater than any before."""
        self._number = itertools.count(self.began)
        self._happenings: deque[tuple[int, Happening]] = deque(maxlen=_HAPPENINGS)
        self._lines: deque[tuple[int, Line]] = deque(maxlen=_LINES)

    def happened(self, happening: Happening) -> None:
        self._happenings.append((next(self._number), happening))

    def logged(self, function: str, text: str) -> None:
        """May be called on any thread."""
        line = Line(function=function, text=text[:_LINE_CHARACTERS], at=time.time())
        self._lines.append((next(self._number), line))

    def since(self, number: int) -> list[tuple[int, str]]:
        """What came after that number, as server-sent events, in its order."""
        new = [*_after(number, self._happenings.copy()), *_after(number, self._lines.copy())]
        return [(at, _event(at, said)) for at, said in sorted(new, key=lambda entry: entry[0])]


def _after(number: int, entries: "deque[tuple[int, Any]]") -> list[tuple[int, Any]]:
    return list(itertools.takewhile(lambda entry: entry[0] > number, reversed(entries)))


def _event(number: int, said: Happening | Line) -> str:
    kind, data = ("line", vars(said)) if isinstance(said, Line) else ("happening", _facts(said))
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"


def _facts(happening: Happening) -> dict[str, Any]:
    report = happening.report
    return {
        "kind": happening.kind.value,
        "environment": happening.environment,
        "function": happening.function,
        "at": happening.at,
        "init": happening.init_ms,
        "request": happening.request_id,
        "duration": report.duration_ms if report else None,
        "memory": report.max_memory_used if report else None,
        "failed": bool(happening.error_type or (report and report.status)),
    }
