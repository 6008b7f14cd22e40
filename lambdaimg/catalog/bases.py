"""The base image catalog: one file of `base_images/` a base."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from lambdaimg import resources


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """How a base runs one language: what is there, and what its packages bring."""

    executable: str
    version: str = ""
    packages: tuple[str, ...] = ()
    build_packages: tuple[str, ...] = ()
    made: bool = False
    """The build makes the runtime itself, out of `build_packages` (Java's by jlink)."""
    ric: bool = False
    entrypoint: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How a base is made where no registry answers: from a distribution's packages, or on top of another base."""

    suite: str = ""
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    base: str = ""
    dockerfile: Path | None = None
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BaseImage:
    """An image to build onto. `name` is the catalog's; empty for a base that was looked at, not looked up."""

    name: str
    reference: str
    description: str
    distribution: str
    release: str
    libc: str
    package_manager: str
    architectures: tuple[str, ...]
    builder: str = ""
    """The base that builds for this one, where this one has no shell to build with."""
    digest: str = ""
    """Which image of that reference: what the registry said when it was asked, never typed."""
    deprecated: date | None = None
    """From when on AWS no longer keeps the runtime up."""
    runtimes: Mapping[str, Runtime] = field(default_factory=dict)
    bootstrap: Bootstrap | None = None


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in resources.base_images().glob("*.toml")))


@cache
def read(name: str) -> BaseImage:
    """The catalog's entry called `name`, which must be one of `names()`."""
    folder = resources.base_images()
    entry = tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))
    return BaseImage(
        name=name,
        **_fields(entry, leave=("runtimes", "bootstrap")),
        runtimes={language: Runtime(**_fields(table)) for language, table in entry.get("runtimes", {}).items()},
        bootstrap=_bootstrap(folder, entry["bootstrap"]) if "bootstrap" in entry else None,
    )


def _bootstrap(folder: Path, table: dict[str, Any]) -> Bootstrap:
    values = _fields(table, leave=("dockerfile",))
    return Bootstrap(**values, dockerfile=folder / table["dockerfile"] if "dockerfile" in table else None)


def _fields(table: Mapping[str, Any], leave: tuple[str, ...] = ()) -> dict[str, Any]:
    """A TOML table as keyword arguments; lists become tuples."""
    return {
        key.replace("-", "_"): tuple(value) if isinstance(value, list) else value
        for key, value in table.items()
        if key not in leave
    }


EMPTY: Final = "scratch"
"""The reference of no image at all; BuildKit knows it, the engine doesn't."""


def find(base: str) -> BaseImage | None:
    """The catalog's entry of that name, or with that image reference."""
    if base in names():
        return read(base)
    return next((entry for entry in map(read, names()) if entry.reference == base), None)


def of_distribution(distribution: str, release: str) -> BaseImage | None:
    """The plain base of a distribution's release: what its packages bring holds for every image made of it."""
    for entry in map(read, names()):
        is_plain = entry.bootstrap is not None and entry.bootstrap.suite
        if is_plain and (entry.distribution, entry.release) == (distribution, release):
            return entry
    return None
