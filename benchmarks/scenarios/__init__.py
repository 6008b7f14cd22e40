"""The scenarios, a module for each part of lambdaimg; a new module's list is added to `ALL`."""

from typing import Final

from benchmarks.scenario import Scenario
from benchmarks.scenarios import (
    build,
    cases,
    check,
    cold,
    edge,
    edit,
    first_build,
    invoke,
    joint_build,
    leftovers,
    serve,
    size,
    startup,
    warm,
)

ALL: Final[tuple[Scenario, ...]] = (
    *startup.SCENARIOS,
    *size.SCENARIOS,
    *first_build.SCENARIOS,
    *joint_build.SCENARIOS,
    *build.SCENARIOS,
    *check.SCENARIOS,
    *invoke.SCENARIOS,
    *edit.SCENARIOS,
    *warm.SCENARIOS,
    *cold.SCENARIOS,
    *serve.SCENARIOS,
    *cases.SCENARIOS,
    *edge.SCENARIOS,
    *leftovers.SCENARIOS,
)
"""In the order in which they are run and shown."""
