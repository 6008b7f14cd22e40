"""Runs a scenario: its contestants in turns, so that whatever else the machine does falls on all of them alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.scenario import LAMBDAIMG, Contestant, Failed, Scenario


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one contestant's rounds gave, in the scenario's unit; `error` is set where it could not do it."""

    contestant: str
    values: tuple[float, ...] = ()
    error: str = ""

    @property
    def median(self) -> float:
        return median(self.values)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A scenario and the figures of its contestants; `error` is set where it could not be prepared."""

    scenario: Scenario
    figures: tuple[Figures, ...] = ()
    error: str = ""

    def ratio(self, beside: str) -> float | None:
        """lambdaimg's median in that of another; None where either has none, or the other's is 0."""
        medians = self._medians
        if LAMBDAIMG not in medians or not medians.get(beside):
            return None
        return medians[LAMBDAIMG] / medians[beside]

    @property
    def _medians(self) -> dict[str, float]:
        return {each.contestant: each.median for each in self.figures if not each.error}

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none. What could not be measured is not met."""
        goal, medians = self.scenario.goal, self._medians
        if goal is None:
            return None
        if LAMBDAIMG not in medians or goal.beside not in medians:
            return False
        return medians[LAMBDAIMG] <= goal.at_most * medians[goal.beside]


def run(scenario: Scenario, rounds: int) -> Outcome:
    """Prepares a scenario, and measures all of its contestants in each round. A round to warm up is not counted."""
    try:
        with scenario.contestants() as contestants:
            return Outcome(scenario=scenario, figures=_in_turns(contestants, rounds, int(scenario.warms_up)))
    except Failed as failed:
        return Outcome(scenario=scenario, error=str(failed))


def _in_turns(contestants: Sequence[Contestant], rounds: int, uncounted: int) -> tuple[Figures, ...]:
    values: dict[str, list[float]] = {each.name: [] for each in contestants}
    errors: dict[str, str] = {}
    for turn in range(uncounted + rounds):
        first = turn % len(contestants)  # nobody always comes after the same other
        for contestant in [*contestants[first:], *contestants[:first]]:
            if contestant.name in errors:
                continue
            try:
                values[contestant.name].append(contestant.measure())
            except Failed as failed:
                errors[contestant.name] = str(failed)
    return tuple(
        Figures(contestant=name, values=tuple(found[uncounted:]), error=errors.get(name, ""))
        for name, found in values.items()
    )
