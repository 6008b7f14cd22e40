"""`python -m benchmarks [--quick] [WORD…]`: the scenarios (those whose names hold a word), measured and shown.

A whole run that is not quick also writes the table of docs/benchmarks.md. Exits with 1 when a goal is missed.
"""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import machine, report
from benchmarks.runner import Outcome, run
from benchmarks.scenario import Scenario
from benchmarks.scenarios import ALL

_RESULTS: Final = Path(__file__).parent / "results"
_PAGE: Final = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main() -> int:
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # what was started is ended
    options = _options()
    chosen = _chosen(options)
    now, facts = datetime.now(UTC), machine.facts()
    outcomes = [_measured(scenario, quick=options.quick) for scenario in chosen]
    for name, value in facts.items():
        print(f"{name:12} {value}")
    print(f"\n{report.table(outcomes)}")
    _write_results(outcomes, facts, now)
    if len(chosen) == len(ALL) and not options.quick:
        text = report.markdown(outcomes, facts, f"{now:%Y-%m-%d}")
        _PAGE.write_text(report.placed(_PAGE.read_text("utf-8"), text), "utf-8")
    return 1 if any(outcome.met is False for outcome in outcomes) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only scenarios whose name holds it")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[Scenario]:
    """Those with a word that was given in their names, or all; a quick run of all leaves out what takes long."""
    named = [each for each in ALL if not options.words or any(word in each.name for word in options.words)]
    return [each for each in named if each.quick or options.words or not options.quick]


def _measured(scenario: Scenario, *, quick: bool) -> Outcome:
    print(f"measuring: {scenario.name}", file=sys.stderr, flush=True)
    return run(scenario, max(1, scenario.quick) if quick else scenario.repeat)


def _write_results(outcomes: Sequence[Outcome], facts: dict[str, str], now: datetime) -> None:
    _RESULTS.mkdir(exist_ok=True)
    file = _RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    file.write_text(json.dumps(report.as_json(outcomes, facts), indent=2) + "\n", "utf-8")
    print(f"\nall rounds: {file}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
