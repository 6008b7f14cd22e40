"""Building what cases need: one build of all functions, and when that fails, the knowledge of which ones failed."""

from collections.abc import Callable, Sequence

from lambdaimg.model.errors import BuildError
from lambdaimg.model.project import Function

Build = Callable[[Sequence[Function]], object]
"""Builds functions' images. Raises BuildError."""


def broken_builds(functions: Sequence[Function], build: Build) -> dict[str, BuildError]:
    """Builds all functions together; where that fails, each alone. Returns those that can't be built, and why."""
    try:
        build(functions)
    except BuildError as error:
        if len(functions) == 1:
            return {functions[0].name: error}
        return {name: why for function in functions for name, why in broken_builds([function], build).items()}
    return {}
