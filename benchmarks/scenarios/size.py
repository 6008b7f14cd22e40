"""How large things are: lambdaimg itself when it is installed, and what it adds to a base image."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import environments
from benchmarks.sam import SAM
from benchmarks.scenario import LAMBDAIMG, Contestant, Goal, Scenario
from benchmarks.workspace import Workspace, workspace
from lambdaimg.images.secrets import ca_bundle

_FOLDER: Final = Path(__file__).parents[1] / "dockerfiles"
_MOST: Final = "25"
_ONE_STAGE: Final = "a Dockerfile of one stage"
_DOCUMENTED: Final = "the Dockerfile that AWS documents"


@contextmanager
def _installed() -> Iterator[Sequence[Contestant]]:
    with environments.core() as core:
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: core.megabytes),
            Contestant(name=SAM, measure=lambda: environments.sam().megabytes),
        ]


@contextmanager
def _distributions() -> Iterator[Sequence[Contestant]]:
    with environments.core() as core:
        yield [
            Contestant(name=LAMBDAIMG, measure=core.distributions),
            Contestant(name=SAM, measure=lambda: environments.sam().distributions()),
            Contestant(name=_MOST, measure=lambda: float(_MOST)),
        ]


@contextmanager
def _images(base: str, reference: str, language: str) -> Iterator[Sequence[Contestant]]:
    with workspace(512, base=base, language=language) as made:
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: _ours(made, reference)),
            Contestant(name=_ONE_STAGE, measure=lambda: _theirs(made, reference, f"{language}.one-stage")),
            Contestant(name=_DOCUMENTED, measure=lambda: _theirs(made, reference, f"{language}.documented")),
        ]


def _ours(made: Workspace, reference: str) -> float:
    made.lambdaimg("build")
    return _over(made, made.image, reference)


def _theirs(made: Workspace, reference: str, dockerfile: str) -> float:
    """Of a Dockerfile of `dockerfiles/`, built from the function's own folder."""
    certificates, image = ca_bundle(), f"{made.name}/{dockerfile}:latest"
    secret = [f"--secret=id=ca,src={certificates.file}"] if certificates else []
    label = f"--label=lambdaimg.project={made.name}"
    named = (f"--file={_FOLDER / dockerfile}", f"--build-arg=BASE={reference}", f"--tag={image}", label)
    made.docker("buildx", "build", "--load", *named, *secret, str(made.root / "hello"))
    return _over(made, image, reference)


def _over(made: Workspace, image: str, base: str) -> float:
    """Megabytes that an image has more than its base."""
    size, of_base = (int(made.docker("image", "inspect", "--format={{.Size}}", each)) for each in (image, base))
    return (size - of_base) / 1_000_000


def _size(language: str, base: str, reference: str) -> Scenario:
    return Scenario(
        name=f"image over {reference}, {language}",
        contestants=partial(_images, base, reference, language),
        goal=Goal(at_most=1.0, beside=_ONE_STAGE),
        unit="MB",
        repeat=1,
        quick=0,
    )


SCENARIOS: Final = (
    Scenario(
        name="installed size",
        contestants=_installed,
        goal=Goal(at_most=0.2, beside=SAM),
        unit="MB",
        repeat=1,
        quick=0,
    ),
    Scenario(
        name="distributions installed",
        contestants=_distributions,
        goal=Goal(at_most=1.0, beside=_MOST),
        unit="",
        repeat=1,
        quick=0,
    ),
    _size("python", "debian-trixie", "debian:trixie-slim"),
    _size("python", "python-3.13-slim", "python:3.13-slim"),
    _size("nodejs", "node-24-slim", "node:24-slim"),
)
