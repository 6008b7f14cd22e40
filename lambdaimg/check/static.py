"""Looking at an image, wherever it lies, and asking the static rules."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from lambdaimg.engine.client import Engine
from lambdaimg.images.inspection.engine import configuration_only, read
from lambdaimg.images.inspection.facts import ImageFacts
from lambdaimg.images.rules.catalog import STATIC_RULES
from lambdaimg.images.rules.rule import Finding, Needs, StaticRule, Subject, Wanted
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
    return read(engine(), reference)


def quick_findings(
    engine: Engine, image: str, architecture: str, environment: Mapping[str, str]
) -> Iterator[tuple[StaticRule, Finding]]:
    """What the rules find in a function's image that need no file of it: in milliseconds, whatever its size."""
    wanted = Wanted(architecture=architecture, environment=environment)
    subject = Subject(image=configuration_only(engine, image), wanted=wanted, today=date.today())
    for rule in STATIC_RULES:
        if rule.needs is Needs.CONFIGURATION:
            yield from ((rule, finding) for finding in rule.find(subject) or ())
