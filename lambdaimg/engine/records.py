"""What the engine tells of its images, containers, networks and volumes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lambdaimg.engine.cgroup import ControlGroup


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image of the engine. Sizes are bytes; `architecture` is Lambda's name for it, or the engine's own."""

    id: str
    size: int
    architecture: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Login:
    """A user of a registry."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Started:
    """A container that runs. `at` is the engine's time of its start, in seconds since 1970.

    `address` is on its network, empty without one. `process` is the id of its main process, and of this machine where
    there is a `group`; that is None where the engine is on another machine.
    """

    at: float
    address: str
    process: int
    group: ControlGroup | None


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A program that runs in a container beside its main process, and what it prints, as `Engine.output` has it."""

    id: str
    output: Iterator[tuple[bytes, bytes]]


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened to a container: `oom`, a process was killed for want of memory; `die`, its end, with its code."""

    container: str
    kind: str
    code: int


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container in a listing."""

    id: str
    name: str
    running: bool
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A volume or a network in a listing."""

    name: str
    labels: Mapping[str, str]
