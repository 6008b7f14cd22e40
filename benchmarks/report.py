"""Outcomes as a table for a terminal and for Markdown, and as JSON. No goal, no figure: a dash."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.runner import Figures, Outcome
from benchmarks.scenario import FLOOR, LAMBDAIMG

TITLES: Final = ("scenario", "contestant", "median", "spread", "lambdaimg ×", "goal", "")
BEGIN: Final = "<!-- written by `make bench` from here -->"
END: Final = "<!-- to here -->"

Row = tuple[str, ...]


def rows(outcome: Outcome) -> list[Row]:
    """A row for each contestant: the scenario's name and verdict stand in the first."""
    scenario = outcome.scenario
    verdict = {None: "", True: "met", False: "MISSED"}[outcome.met]
    head = (scenario.name, str(scenario.goal or "-"), verdict)
    if outcome.error:
        return [(head[0], "-", outcome.error, "-", "-", *head[1:])]
    heads = [head, *[("", "", "")] * (len(outcome.figures) - 1)]
    return [
        (name, each.contestant, *_figures(each, scenario.unit), _ratio(outcome, each), goal, met)
        for (name, goal, met), each in zip(heads, outcome.figures, strict=True)
    ]


def _figures(figures: Figures, unit: str) -> tuple[str, str]:
    if figures.error:
        return figures.error, "-"
    low, high = number(min(figures.values)), number(max(figures.values))
    return f"{number(figures.median)} {unit}", f"{low} – {high}"


def _ratio(outcome: Outcome, figures: Figures) -> str:
    ratio = None if figures.contestant == LAMBDAIMG else outcome.ratio(figures.contestant)
    return "-" if ratio is None else f"{ratio:.2f}"


def number(value: float) -> str:
    """Three digits that count: `0.0412`, `0.731`, `12.4`, `342`."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:#.3g}".rstrip(".")


def table(outcomes: Sequence[Outcome]) -> str:
    """The rows in columns, for a terminal."""
    lines = [TITLES, *(row for outcome in outcomes for row in rows(outcome))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(TITLES))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def markdown(outcomes: Sequence[Outcome], machine: Mapping[str, str], day: str) -> str:
    """The table and the machine, for the documentation."""
    lines = [TITLES, ("---",) * len(TITLES), *(row for outcome in outcomes for row in rows(outcome))]
    about = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    cells = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return f"Measured on {day} on this machine:\n\n{about}\n\n{cells}\n"


def placed(page: str, text: str) -> str:
    """A page with the text between its two marks. Raises ValueError when it has no marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for the table: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"


def as_json(outcomes: Sequence[Outcome], machine: Mapping[str, str]) -> dict[str, Any]:
    """All figures, each round's too."""
    return {"machine": dict(machine), "scenarios": [_scenario(outcome) for outcome in outcomes]}


def _scenario(outcome: Outcome) -> dict[str, Any]:
    goal = outcome.scenario.goal
    return {
        "name": outcome.scenario.name,
        "unit": outcome.scenario.unit,
        "error": outcome.error,
        "goal": {"at_most": goal.at_most, "beside": goal.beside} if goal else None,
        "ratio": outcome.ratio(goal.beside if goal else FLOOR),
        "met": outcome.met,
        "contestants": [
            {"name": each.contestant, "values": each.values, "error": each.error} for each in outcome.figures
        ],
    }
