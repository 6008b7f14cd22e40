"""The benchmarks' runner: turns, medians, ratios, goals, and what is shown of a contestant that can't."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.runner import Outcome, run
from benchmarks.scenario import FLOOR, LAMBDAIMG, Contestant, Failed, Goal, Scenario
from benchmarks.scenarios import ALL
from benchmarks.servers import processes, started


def scenario(goal: Goal | None = None, **measures: Callable[[], float]) -> Scenario:
    @contextmanager
    def contestants() -> Iterator[Sequence[Contestant]]:
        yield [Contestant(name=name, measure=measure) for name, measure in measures.items()]

    return Scenario(name="a thing", contestants=contestants, goal=goal)


def figures(*values: float) -> Callable[[], float]:
    """A contestant that gives these, one a round; the first is the one that isn't counted."""
    return iter(values).__next__


def broken() -> float:
    raise Failed("exit code 1: no such thing")


def compared(goal: Goal | None = None) -> Outcome:
    ours, floor = figures(9, 0.3, 0.1, 0.2), figures(9, 0.1, 0.05, 0.2)
    return run(scenario(goal, **{LAMBDAIMG: ours, FLOOR: floor}), 3)


def test_the_first_round_is_not_counted_and_medians_are_compared() -> None:
    outcome = compared()
    assert [each.values for each in outcome.figures] == [(0.3, 0.1, 0.2), (0.1, 0.05, 0.2)]
    assert outcome.figures[0].median == 0.2
    assert outcome.ratio(FLOOR) == 2.0


def test_a_scenario_that_does_not_warm_up_counts_its_first_round() -> None:
    outcome = run(replace(scenario(ours=figures(9)), warms_up=False), 1)
    assert [each.values for each in outcome.figures] == [(9,)]


@pytest.mark.parametrize(
    ("goal", "met"),
    [(Goal(at_most=2.0), True), (Goal(at_most=1.9), False), (Goal(at_most=9, beside="sam"), False), (None, None)],
)
def test_a_goal_is_met_missed_or_not_there(goal: Goal | None, met: bool | None) -> None:
    assert compared(goal).met is met


@pytest.mark.parametrize(("left", "met"), [(0.0, True), (1.0, False)])
def test_nothing_beside_nothing_meets_its_goal_and_has_no_ratio(left: float, met: bool) -> None:
    outcome = run(scenario(Goal(at_most=1, beside="nothing"), **{LAMBDAIMG: lambda: left, "nothing": lambda: 0.0}), 1)
    assert outcome.met is met
    assert outcome.ratio("nothing") is None


def test_no_two_scenarios_have_one_name() -> None:
    names = [each.name for each in ALL]
    assert sorted(set(names)) == sorted(names)


def test_processes_of_a_session_are_those_that_live(tmp_path: Path) -> None:
    with started(("sleep", "60"), tmp_path) as process:
        assert [each.name for each in processes(process.pid)] == [str(process.pid)]
    assert processes(process.pid) == []


def test_contestants_take_turns_and_none_always_comes_after_the_same_other() -> None:
    order: list[str] = []

    def seen(name: str) -> Callable[[], float]:
        return lambda: float(order.append(name) or 1)  # type: ignore[func-returns-value]

    run(scenario(a=seen("a"), b=seen("b")), 2)
    assert order == ["a", "b", "b", "a", "a", "b"]


def test_a_contestant_that_fails_is_shown_with_its_reason_and_not_asked_again() -> None:
    asked: list[int] = []

    def fails() -> float:
        asked.append(1)
        return broken()

    outcome = run(scenario(Goal(at_most=1, beside="sam"), **{LAMBDAIMG: lambda: 1.0, "sam": fails}), 3)
    assert len(asked) == 1
    assert outcome.met is False
    assert report.rows(outcome)[1][:3] == ("", "sam", "exit code 1: no such thing")


def test_a_scenario_that_cannot_be_prepared_is_shown_with_its_reason() -> None:
    @contextmanager
    def nothing() -> Iterator[Sequence[Contestant]]:
        broken()
        yield []

    outcome = run(Scenario(name="a thing", contestants=nothing, goal=Goal(at_most=1)), 1)
    assert "exit code 1: no such thing" in report.table([outcome])
    assert outcome.met is False


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (0.0412, "0.0412"), (0.7311, "0.731"), (1, "1.00"), (9.999, "10.0"), (12.43, "12.4"), (342.2, "342")],
)
def test_numbers_have_three_digits_that_count(value: float, shown: str) -> None:
    assert report.number(value) == shown


def test_the_table_is_written_between_its_marks_alone() -> None:
    text = report.markdown([compared(Goal(at_most=2.0))], {"processor": "one"}, "2026-01-31")
    assert "| a thing | lambdaimg | 0.200 s | 0.100 – 0.300 | - | ≤ 2 × floor | met |" in text
    assert "|  | floor | 0.100 s | 0.0500 – 0.200 | 2.00 |  |  |" in text
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    written = report.placed(page, text)
    assert written.startswith("before\n")
    assert written.endswith("\nafter\n")
    assert "old" not in written
    assert report.placed(written, text) == written
    with pytest.raises(ValueError, match="no place for the table"):
        report.placed("nothing", text)


def test_every_round_is_in_the_json() -> None:
    data = report.as_json([compared(Goal(at_most=2.0))], {"processor": "one"})["scenarios"][0]
    assert (data["ratio"], data["met"], data["goal"]) == (2.0, True, {"at_most": 2.0, "beside": "floor"})
    assert data["contestants"][0]["values"] == (0.3, 0.1, 0.2)
