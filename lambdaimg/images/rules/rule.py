"""What a rule of check is: data, and a pure function over the facts of one image."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from functools import cached_property
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from lambdaimg.images.inspection.facts import Configuration, ImageFacts, Source
from lambdaimg.images.inspection.tree import Tree

Severity = Literal["fail", "warn"]


class Needs(Enum):
    """What a rule looks at, which decides where it can look."""

    CONFIGURATION = "the image's configuration"
    FILES = "the image's files"
    MANIFEST = "the image's manifest"
    RUN = "a run in the sandbox"


SOURCES: Final[Mapping[Needs, tuple[Source, ...]]] = {
    Needs.CONFIGURATION: ("engine", "oci-archive", "registry"),
    Needs.FILES: ("engine", "oci-archive", "registry"),
    Needs.MANIFEST: ("oci-archive", "registry"),
    Needs.RUN: ("engine",),
}


class Finding(NamedTuple):
    """One thing that a rule found: where (a path, a key, a digest; the same in each check), and what in words."""

    where: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the function wants of its image. Empty values are the image's own to say."""

    architecture: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = ""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What the static rules look at: an image, the function that it is for, and the day."""

    image: ImageFacts
    wanted: Wanted
    today: date

    @cached_property
    def configuration(self) -> Configuration:
        """The image's, with what the function puts in its place (Lambda's ImageConfig)."""
        own, wanted = self.image.configuration, self.wanted
        return replace(
            own,
            entrypoint=wanted.entrypoint or own.entrypoint,
            command=wanted.command or own.command,
            working_directory=wanted.working_directory or own.working_directory,
        )

    @property
    def tree(self) -> Tree:
        return self.image.tree

    @cached_property
    def process(self) -> tuple[str, ...]:
        """The entrypoint and the command, as one argument list."""
        return (*self.configuration.entrypoint, *self.configuration.command)

    @property
    def architecture(self) -> str:
        """The architecture that the image says it has."""
        return self.image.configuration.architecture


Looked = TypeVar("Looked")
"""What a rule looks at: a Subject, or a trial of the image."""


@dataclass(frozen=True, kw_only=True)
class Rule(Generic[Looked]):
    """What must hold of an image, and why.

    `document` names AWS's document, or the other source. `find` gives a finding for each place where the rule does
    not hold, and None where that can't be seen; it may be called only where `needs` can be met.
    """

    id: str
    title: str
    severity: Severity
    needs: Needs
    why: str
    document: str
    remedy: str
    find: Callable[[Looked], Iterable[Finding] | None]


StaticRule = Rule[Subject]
