"""The test cases of functions: those of the project file, of case files, and of event and expected pairs."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lambdaimg.model import samples
from lambdaimg.model.cases import Case, Entry, Expectation, Step, case_table
from lambdaimg.model.checks import list_of, table
from lambdaimg.model.document import Document, refuse
from lambdaimg.model.edge.sent import Sent, sent
from lambdaimg.model.errors import EventError, LambdaimgError, Problem, ProjectError
from lambdaimg.model.invocation import parse_event, read_event
from lambdaimg.model.matching import check_schema, expected_value
from lambdaimg.model.project import Function, Project

EVENTS: Final = "events"
"""The folder of the pairs: `events/<function>/<case>.json` and `<case>.expected.json`."""
_EXPECTED: Final = ".expected.json"
_FILE: Final = table({"tests": list_of(case_table)})


def load(project: Project, functions: Iterable[Function], *, unexpected: bool = False) -> tuple[Case, ...]:
    """The cases of functions, in the order of the functions and, in each, of the file's, case files' and pairs' names.

    With `unexpected`, an event that has no expected payload yet is a case too. Raises ProjectError with all
    problems of all cases.
    """
    reader = _Reader(project)
    cases = [case for function in functions for case in reader.cases(function, unexpected)]
    refuse("the test cases have", reader.problems)
    return tuple(cases)


def load_files(project: Project, function: Function, pattern: str) -> tuple[Case, ...]:
    """The cases in the case files that fit a pattern, for a function. Raises ProjectError with all problems."""
    reader = _Reader(project)
    entry = Entry(written=pattern, file=project.file.name, line=1)
    cases = reader.written(replace(function, tests=(entry,)))
    refuse("the test cases have", reader.problems)
    return tuple(cases)


class _Reader:
    """One reading of a project's cases; problems are gathered, so that all are reported."""

    def __init__(self, project: Project) -> None:
        self._root = project.root
        self.problems: list[Problem] = []

    def cases(self, function: Function, unexpected: bool) -> list[Case]:
        found = [*self.written(function), *self._pairs(function.name, unexpected)]
        self._refuse_twice(found)
        return found

    def written(self, function: Function) -> list[Case]:
        """The cases that `tests` holds, and those of the files that it names."""
        entries = [each for entry in function.tests for each in self._entries(entry, function.name)]
        return [case for entry in entries if (case := self._case(function.name, entry))]

    def _refuse_twice(self, cases: Sequence[Case]) -> None:
        first: dict[str, Case] = {}
        for case in cases:
            other = first.setdefault(case.name, case)
            if other is not case:
                where = f"{other.file}:{other.line}"
                self._problem(case, f"{case.function} has a case {case.name!r} already, at {where}", "rename one")

    def _entries(self, entry: Entry, function: str) -> list[Entry]:
        """The cases of an entry: itself, or those of the case files that its pattern finds."""
        if not isinstance(entry.written, str):
            return [entry]
        files = sorted(file for file in self._root.glob(entry.written) if file.is_file())
        if not files:
            self._problem(entry, f"functions.{function}.tests: no file fits {entry.written!r}")
        return [each for file in files for each in self._file(file)]

    def _file(self, file: Path) -> list[Entry]:
        shown = file.relative_to(self._root).as_posix()
        try:
            document = Document.toml(file, shown)
        except ProjectError as error:
            self._unreadable(error)
            return []
        document.check(_FILE)
        self.problems += document.problems
        written = [] if document.problems else document.data.get("tests", [])
        return [
            Entry(written=each, file=shown, line=document.line(("tests", index))) for index, each in enumerate(written)
        ]

    def _case(self, function: str, entry: Entry) -> Case | None:
        written = entry.written
        try:
            steps = tuple(self._step(each) for each in written.get("steps", [written]))
        except LambdaimgError as error:  # of the event, or of a schema
            self._problem(entry, f"{function}, {written['name']!r}: {error.what}", error.remedy)
            return None
        measures_init = any(step.expect.max_init_ms is not None for step in steps)
        alone = {"steps", "environment"} & written.keys() or written.get("cold") or written.get("concurrency", 1) > 1
        return Case(
            function=function,
            name=written["name"],
            file=entry.file,
            line=entry.line,
            steps=steps,
            fresh=bool(alone) or measures_init,
            repeat=written.get("repeat", 1),
            concurrency=written.get("concurrency", 1),
            environment=written.get("environment", {}),
            skip=_reason(written.get("skip")),
            xfail=_reason(written.get("xfail")),
            tags=tuple(written.get("tags", ())),
        )

    def _step(self, written: Mapping[str, Any]) -> Step:
        expect = expectation(written.get("expect", {}))
        if expect.match == "schema":
            check_schema(expect.payload)
        if "edge" in written:
            edge = _edge(written["edge"])
            return Step(event=as_event(edge.event), expect=replace(expect, edge=edge))
        return Step(event=self._event(written), expect=expect)

    def _event(self, written: Mapping[str, Any]) -> bytes:
        if "event-file" in written:
            return read_event(self._root / written["event-file"])
        if "sample-event" in written:
            return as_event(samples.event(written["sample-event"], written.get("set", {})))
        return as_event(written.get("event", {}))

    def _pairs(self, function: str, unexpected: bool) -> Iterator[Case]:
        folder = self._root / EVENTS / function
        for file in sorted(folder.glob("*.json")):
            snapshot = file.with_name(file.stem + _EXPECTED)
            if not file.name.endswith(_EXPECTED) and (snapshot.is_file() or unexpected):
                case = self._pair(function, file, snapshot)
                if case:
                    yield case

    def _pair(self, function: str, file: Path, snapshot: Path) -> Case | None:
        shown = snapshot.relative_to(self._root).as_posix()
        expect = Expectation()
        try:
            event = read_event(file)
            if snapshot.is_file():
                document = Document.json(snapshot, shown)
                document.check(expected_value)
                self.problems += document.problems
                expect = Expectation(payload=document.data, has_payload=True, match="exact")
        except (EventError, ProjectError) as error:
            self._unreadable(error)
            return None
        return Case(
            function=function,
            name=file.stem,
            file=shown,
            line=1,
            steps=(Step(event=event, expect=expect),),
            snapshot=snapshot,
        )

    def _unreadable(self, error: LambdaimgError) -> None:
        where, _, what = error.what.partition(": ")
        self.problems.append(Problem(where=where, what=what, remedy=error.remedy))

    def _problem(self, at: Entry | Case, what: str, remedy: str = "") -> None:
        self.problems.append(Problem(where=f"{at.file}:{at.line}", what=what, remedy=remedy))


def expectation(written: Mapping[str, Any]) -> Expectation:
    """What a checked `expect` says."""
    return Expectation(
        payload=written.get("payload"),
        has_payload="payload" in written,
        match=written.get("match", "subset"),
        error=written.get("error"),
        max_duration_ms=written.get("max-duration-ms"),
        max_init_ms=written.get("max-init-ms"),
        max_memory_mb=written.get("max-memory-mb"),
        log_contains=tuple(written.get("log-contains", ())),
        log_not_contains=tuple(written.get("log-not-contains", ())),
    )


def _edge(written: Mapping[str, Any]) -> Sent:
    """The event of a checked `edge`."""
    return sent(
        written["trigger"],
        written["url"],
        method=written.get("method", "GET"),
        headers=written.get("headers", {}).items(),
        body=written.get("body", ""),
        status=written.get("status", 200),
        response_headers=written.get("response-headers", {}).items(),
    )


def as_event(value: Any) -> bytes:
    """An event's bytes, compact. Raises EventError when it is larger than Lambda takes."""
    return parse_event(json.dumps(value, ensure_ascii=False, separators=(",", ":")), "the event")


def _reason(value: Any) -> str:
    """Why a case is skipped or expected to fail; `true` says only that it is."""
    return value if isinstance(value, str) else "no reason given" if value else ""
