"""The option that says which image of a registry a function is."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from lambdaimg.model.errors import UsageError

if TYPE_CHECKING:
    from lambdaimg.model.project import Function


def image_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--image",
        "images",
        multiple=True,
        metavar="[FN=]REF",
        help="A function's image in its registry, as `push` prints it, or an edge function's zip in S3, as `package` "
        "does; FN= may be left out for one function.",
    )(command)


def images_of(functions: "Sequence[Function]", given: Sequence[str]) -> dict[str, str]:
    """The references by function. Raises UsageError where one names no function."""
    return dict(_pair(functions, each) for each in given)


def _pair(functions: "Sequence[Function]", given: str) -> tuple[str, str]:
    name, equals, reference = given.partition("=")
    if not equals and len(functions) == 1:
        return functions[0].name, given
    if not equals or name not in {function.name for function in functions}:
        names = ", ".join(function.name for function in functions)
        raise UsageError(f"--image {given} names no function", remedy=f"--image FN=REF, FN one of {names}")
    return name, reference
