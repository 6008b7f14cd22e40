"""Reports: valid, complete, and safe whatever a function says."""

import json
import random
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
from rich.console import Console

from lambdaimg.harness import github, reports
from lambdaimg.harness.live_report import LiveReport, shown
from lambdaimg.harness.results import Outcome, Result
from lambdaimg.harness.selection import Selection, Shard, in_order, last_failed, remember_failed
from lambdaimg.harness.snapshots import update, without_payloads
from lambdaimg.harness.verdict import Failure, judge
from lambdaimg.model import project_file
from lambdaimg.model.case_files import expectation
from lambdaimg.model.cases import Case, Step
from lambdaimg.model.invocation import Invocation, Report
from lambdaimg.model.matching import MISSING, Difference
from lambdaimg.model.project import Project

SCHEMA = Path(__file__).parents[1] / "data" / "junit-10.xsd"
NASTY = 'a <b> & "c" ]]> \x00\x1b[31m \ud800 ::error:: 50% é 🎉'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "lambdaimg.toml").write_text(
        '[project]\nname = "shop"\n[functions.hello]\nlanguage = "python"\n[functions.named]\nlanguage = "python"\n'
    )
    return project_file.load(tmp_path / "lambdaimg.toml", languages=("python",))


def case(name: str, function: str = "hello", **more: Any) -> Case:
    more.setdefault("steps", (Step(event=b"{}", expect=expectation({})),))
    return Case(function=function, name=name, file="tests/a,b.toml", line=7, **more)


def result(name: str, outcome: Outcome, function: str = "hello", **more: Any) -> Result:
    report = Report(request_id="r", duration_ms=1.25, memory_size=128, max_memory_used=20, init_ms=30.5)
    return Result(case=case(name, function), outcome=outcome, seconds=0.12345, reports=(report,), **more)


DIFFERENCE = Difference(path="payload.a", expected=1, got=MISSING)
RESULTS = [
    result("good", Outcome.PASSED),
    result(NASTY, Outcome.FAILED, failures=(Failure(what=NASTY, differences=(DIFFERENCE,)),), log=(NASTY,)),
    result("gone", Outcome.ERROR, "named", reason="the environment ended\nwith code 1"),
    result("later", Outcome.SKIPPED, reason=NASTY),
    result("known", Outcome.XFAILED, reason="a bug"),
    result("left", Outcome.NOT_RUN, reason="another case failed"),
]


def test_junit_is_valid_and_counts(project: Project) -> None:
    text = reports.junit(project, RESULTS, 1.23456)
    xmlschema.XMLSchema(str(SCHEMA)).validate(text)
    root = ElementTree.fromstring(text)
    assert root.attrib | {"tests": "6", "failures": "1", "errors": "1", "time": "1.235"} == root.attrib
    hello, named = root
    assert (hello.get("tests"), hello.get("failures"), hello.get("skipped")) == ("5", "1", "3")
    assert (named.get("name"), named.get("errors")) == ("named", "1")
    failure = hello.findall("testcase")[1].find("failure")
    assert failure is not None and failure.text
    assert "payload.a: expected 1, got nothing" in failure.text


def test_json_says_everything(project: Project) -> None:
    data = json.loads(reports.as_json(project, RESULTS, 1.5))
    assert [each["outcome"] for each in data["cases"]] == [each.outcome.value for each in RESULTS]
    assert data["functions"][0]["counts"] == {"passed": 1, "failed": 1, "skipped": 1, "xfailed": 1, "not run": 1}
    failed = data["cases"][1]
    assert (failed["file"], failed["line"], failed["duration_ms"], failed["memory_mb"]) == (
        "tests/a,b.toml",
        7,
        1.25,
        20,
    )
    assert failed["failures"][0]["differences"] == [{"path": "payload.a", "expected": "1", "got": "nothing"}]
    assert failed["log"]


def test_github_gets_one_command_a_failure(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.root.parent))
    lines = list(github.annotations(project, RESULTS))
    assert len(lines) == 2
    assert all("\n" not in line and "\r" not in line for line in lines)
    assert lines[1].startswith(f"::error file={project.root.name}/tests/a%2Cb.toml,line=7,title=named%3A%3Agone::")
    assert lines[1].endswith("the environment ended%0Awith code 1")
    assert "50%25" in lines[0]
    summary = github.step_summary(project, RESULTS, 1.5)
    assert "| hello | 5 | 1 |" in summary
    assert "- `named::gone`" in summary


def test_a_terminal_gets_no_control_characters_of_a_functions() -> None:
    console = Console(force_terminal=True, width=80, soft_wrap=True, highlight=False, record=True)
    live = LiveReport(console, ["hello"])
    with console.capture() as captured:
        for each in RESULTS:
            live.result(each)
    assert "\x1b[31m ::error" not in captured.get().replace("\x1b[0m", "")
    assert "\x00" not in captured.get()


def test_a_function_gives_github_no_commands(project: Project) -> None:
    command = "::add-mask::x"
    said = result(
        "a", Outcome.FAILED, failures=(Failure(what=f"E: \n{command}"),), log=(command,), reason=f"\n{command}"
    )
    console = Console(width=80, soft_wrap=True, highlight=False)
    with console.capture() as captured:
        LiveReport(console, ["hello"]).result(said)
    lines = [line.strip() for line in [*captured.get().splitlines(), *github.annotations(project, [said])]]
    assert [line for line in lines if line.startswith("::")] == [lines[-1]]


def test_of_long_values_the_part_that_differs_is_shown() -> None:
    long = "x" * 1_000
    expected, got = shown(Difference(path="p", expected=f"{long}a", got=f"{long}b"))
    assert expected.endswith('xa"') and got.endswith('xb"')
    assert len(expected) < 100
    assert shown(Difference(path="p", expected=1, got=MISSING)) == ("1", "nothing")


def test_shards_are_stable_and_cover_everything() -> None:
    cases = [case(f"case {number}") for number in range(200)]
    parts = [[each.name for each in cases if Shard(index=index, count=4).holds(each)] for index in (1, 2, 3, 4)]
    assert sorted(name for part in parts for name in part) == sorted(each.name for each in cases)
    assert all(len(part) > 25 for part in parts)
    again = [*cases[:100], case("new")]
    random.Random(1).shuffle(again)
    assert {each.name for each in again if Shard(index=1, count=4).holds(each)} - {"new"} == set(parts[0]) & {
        each.name for each in cases[:100]
    }


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (Selection(), ["greets", "other"]),
        (Selection(text="GREETS"), ["greets"]),
        (Selection(text="hello::o"), ["other"]),
        (Selection(tags=frozenset({"smoke", "x"})), ["greets"]),
        (Selection(text="other", tags=frozenset({"smoke"})), []),
    ],
)
def test_a_selection(selection: Selection, names: list[str]) -> None:
    cases = [case("greets", tags=("smoke",)), case("other")]
    assert [each.name for each in cases if selection.holds(each)] == names


def test_what_failed_is_remembered_until_it_passes(project: Project) -> None:
    assert last_failed(project) == frozenset()
    remember_failed(project, [result("a", Outcome.FAILED), result("b", Outcome.ERROR), result("c", Outcome.PASSED)])
    assert last_failed(project) == {"hello::a", "hello::b"}
    remember_failed(project, [result("a", Outcome.PASSED), result("b", Outcome.NOT_RUN)])
    assert last_failed(project) == {"hello::b"}
    (project.root / ".lambdaimg" / "last-failed.json").write_text("{")
    assert last_failed(project) == frozenset()


def test_results_are_in_the_cases_order() -> None:
    cases = [case("a"), case("b"), case("c")]
    found = in_order([result("c", Outcome.PASSED), result("a", Outcome.FAILED)], cases)
    assert [(each.case.name, each.outcome) for each in found] == [
        ("a", Outcome.FAILED),
        ("b", Outcome.NOT_RUN),
        ("c", Outcome.PASSED),
    ]


def test_snapshots_are_written_where_they_differ(tmp_path: Path) -> None:
    def snapshot(name: str, text: str | None) -> Case:
        file = tmp_path / f"{name}.expected.json"
        expect = expectation({"payload": json.loads(text), "match": "exact"} if text else {})
        if text:
            file.write_text(text)
        return case(name, steps=(Step(event=b"{}", expect=expect),), snapshot=file)

    cases = [snapshot("same", '{"a":   1}'), snapshot("other", '{"a": 2, "id": {"$any": true}}'), snapshot("new", None),
             snapshot("failed", "1")]  # fmt: skip
    (step,) = without_payloads(cases)[3].steps
    got = Invocation(payload=b'{"a": 1}', function_error=False, log=(), report=None)
    assert judge(step.expect, got, cold=False) == []
    payloads = {"other": b'{"a": 1, "id": 9}'}
    outcomes = {"failed": Outcome.FAILED}
    results = [
        Result(
            case=each,
            outcome=outcomes.get(each.name, Outcome.PASSED),
            payload=payloads.get(each.name, b'{"a": 1}'),
        )
        for each in cases
    ]
    assert [file.name for file in update(cases, results)] == ["other.expected.json", "new.expected.json"]
    assert (tmp_path / "same.expected.json").read_text() == '{"a":   1}'
    assert json.loads((tmp_path / "other.expected.json").read_text()) == {"a": 1, "id": {"$any": True}}
    assert json.loads((tmp_path / "new.expected.json").read_text()) == {"a": 1}
    assert (tmp_path / "failed.expected.json").read_text() == "1"
