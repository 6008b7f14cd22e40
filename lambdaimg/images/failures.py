"""What to do about a failed build, where the builder's own words don't say it."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from lambdaimg.catalog.bases import BaseImage
from lambdaimg.engine.container import PLATFORMS
from lambdaimg.model.errors import BuildError

if TYPE_CHECKING:
    from lambdaimg.engine.client import Engine

_ASKS_THE_REGISTRY: Final = "load metadata for"
_REMEDIES: Final = {
    "exec format error": "it is a step of another architecture: let this machine emulate that (the packages "
    "qemu-user-static and binfmt-support), or build where it is at home (--builder)",
    "layer does not exist": "the engine has lost a layer that its build cache counts on: build with --no-cache once",
}
"""By what is in the output."""


def explained(
    error: BuildError, connect: "Callable[[], Engine]", wanted: Iterable[tuple[BaseImage, str]]
) -> BuildError:
    """A failed build, with what to do where that is known; a base that is here for another architecture alone is named.

    `wanted` are the build's bases, each with the architecture that it is wanted for.
    """
    if _ASKS_THE_REGISTRY in error.what:
        return _not_for_it(error, connect(), wanted)
    remedies = (remedy for words, remedy in _REMEDIES.items() if any(words in line for line in error.output))
    return BuildError(error.what, output=error.output, remedy=next(remedies, error.remedy))


def _not_for_it(error: BuildError, engine: "Engine", wanted: Iterable[tuple[BaseImage, str]]) -> BuildError:
    for base, architecture in wanted:
        image = engine.image(base.reference)
        if image is not None and image.architecture != architecture:
            return BuildError(
                f"{base.reference} is here for {image.architecture} alone, and can't be had for {architecture}",
                output=error.output,
                remedy=f'set architecture = "{image.architecture}", or have a registry that gives it: '
                f"docker pull --platform {PLATFORMS[architecture]} {base.reference}",
            )
    return error
