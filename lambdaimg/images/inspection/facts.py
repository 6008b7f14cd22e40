"""The facts of an image, as the rules of check read them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

from lambdaimg.images.inspection.tree import Tree

Source = Literal["engine", "oci-archive", "registry"]

ARCHITECTURES: Final = {"amd64": "x86_64", "arm64": "arm64"}
"""Lambda's names of the architectures by an image configuration's."""


class Program(NamedTuple):
    """What a file says of itself that the kernel can start: an ELF file or a script.

    `machine` is Lambda's name of the architecture, pyelftools' for others, and empty for a script. `interpreter` is
    the dynamic linker, or the words after `#!`. `needed` are the names of shared libraries, `search` the folders
    that the file itself names for them.
    """

    machine: str = ""
    interpreter: str = ""
    needed: tuple[str, ...] = ()
    search: tuple[str, ...] = ()


CAPABILITIES: Final = 0o10000
"""A bit of an entry's mode, above those of the file system: the file has capabilities of its own."""


class Entry(NamedTuple):
    """One path of a layer. `kind` is f (file), d (directory), l (symbolic link) or o (other); sizes are bytes."""

    path: str
    kind: str
    mode: int
    size: int
    target: str = ""


class Secret(NamedTuple):
    """A secret in a file: which file, on which line (from 1), and what kind of secret. Never the secret itself."""

    path: str
    line: int
    kind: str


@dataclass(frozen=True, kw_only=True)
class Layer:
    """All that one layer holds, by absolute path. `texts` are the few small files that a rule has to read."""

    entries: tuple[Entry, ...]
    programs: Mapping[str, Program] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    clients: tuple[str, ...] = ()
    """The files that speak of the Runtime API."""
    emulators: tuple[str, ...] = ()
    """The files that are AWS's Runtime Interface Emulator."""
    secrets: tuple[Secret, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """What a manifest or an index says of a blob (OCI image spec, "Content Descriptors")."""

    media_type: str
    digest: str
    size: int
    platform: str = ""
    attestation: bool = False


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What the image's name leads to. `members` are those of an index, and empty for a plain image."""

    media_type: str
    size: int
    config: str
    layers: tuple[Descriptor, ...]
    index: str = ""
    members: tuple[Descriptor, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """An image's configuration (OCI image spec, "Image Configuration"). The architecture has Lambda's name."""

    architecture: str
    os: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    working_directory: str = "/"
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    health_check: bool = False
    history: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    """The digests of the uncompressed layers, the lowest first."""


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """An image. `manifest` is None in the engine, which keeps none; `layers` is None where no file was read."""

    source: Source
    name: str
    configuration: Configuration
    manifest: Manifest | None = None
    layers: tuple[Layer, ...] | None = None

    @property
    def size(self) -> int:
        """Bytes of all files in all layers."""
        return sum(entry.size for layer in self.layers or () for entry in layer.entries)

    @cached_property
    def tree(self) -> Tree:
        """The files as a container sees them."""
        return Tree(self.layers or ())


def configuration_of(data: Mapping[str, Any]) -> Configuration:
    """The configuration in a JSON object of the OCI image spec."""
    config = data.get("config") or {}
    check = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    return Configuration(
        architecture=ARCHITECTURES.get(data.get("architecture", ""), data.get("architecture", "")),
        os=data.get("os", ""),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        environment=dict(entry.partition("=")[::2] for entry in config.get("Env") or ()),
        user=config.get("User") or "",
        working_directory=config.get("WorkingDir") or "/",
        volumes=tuple(sorted(config.get("Volumes") or ())),
        ports=tuple(sorted(config.get("ExposedPorts") or ())),
        health_check=check[0] != "NONE",
        history=tuple(step.get("created_by") or "" for step in data.get("history") or ()),
        layers=tuple((data.get("rootfs") or {}).get("diff_ids") or ()),
    )


_DIGEST: Final = re.compile(r"[a-z0-9+._-]+:[a-f0-9]{32,}")


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None
