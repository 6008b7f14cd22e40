"""The scenarios, a module for each part of lambdaimg; a new module's list is added to `ALL`."""

from typing import Final

from benchmarks.scenario import Scenario
from benchmarks.scenarios import build, cases, check, cold, edge, invoke, startup, warm

ALL: Final[tuple[Scenario, ...]] = (
    *startup.SCENARIOS,
    *build.SCENARIOS,
    *check.SCENARIOS,
    *invoke.SCENARIOS,
    *warm.SCENARIOS,
    *cold.SCENARIOS,
    *cases.SCENARIOS,
    *edge.SCENARIOS,
)
"""In the order in which they are run and shown."""
