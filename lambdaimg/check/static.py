"""Looking at an image, wherever it lies."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from lambdaimg.engine.client import Engine
from lambdaimg.images.inspection.facts import ImageFacts
from lambdaimg.model.settings import host_architecture

ARCHIVE: Final = "oci-archive:"
REGISTRY: Final = "registry:"


def inspect(reference: str, engine: Callable[[], Engine], architecture: str) -> ImageFacts:
    """The facts of an image: `oci-archive:FILE`, `registry:REF`, or one of the engine, which is asked for it alone.

    `architecture` chooses among an index's images; empty stands for this machine's. Raises UsageError when there is
    no such image, RemoteError when the registry refuses.
    """
    if reference.startswith(ARCHIVE):
        from lambdaimg.images.inspection import archive

        return archive.read(Path(reference.removeprefix(ARCHIVE)), architecture or host_architecture())
    if reference.startswith(REGISTRY):
        from lambdaimg.images.inspection import registry

        return registry.read(reference.removeprefix(REGISTRY), architecture or host_architecture())
    from lambdaimg.images.inspection.engine import read

    return read(engine(), reference)
