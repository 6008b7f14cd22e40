"""The languages: a folder of `templates/` each, with a `language.toml`, a Dockerfile template and a starter."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lambdaimg import resources


@dataclass(frozen=True, kw_only=True)
class Ric:
    """A runtime interface client, pinned. `build_packages` are the compilers that its installation needs."""

    package: str
    version: str
    build_packages: tuple[str, ...] = ()
    warning: str = ""


@dataclass(frozen=True, kw_only=True)
class _Pin:
    """A RIC version, for runtimes older than `below` (empty: for all), with OS packages by package manager."""

    below: str
    version: str
    build_packages: Mapping[str, tuple[str, ...]]
    warning: str = ""


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language: the handler that its users usually write, and its RIC's pins, the oldest runtimes' first."""

    name: str
    title: str
    handler: str
    default_base: str
    source_extensions: tuple[str, ...]
    entrypoint: tuple[str, ...]
    """The RIC as a process; `{executable}` stands for the runtime's."""
    secrets: tuple[str, ...]
    """The build secrets that configure its package manager."""
    ric_package: str
    pins: tuple[_Pin, ...]

    def ric(self, runtime: str, package_manager: str, version: str = "") -> Ric:
        """The RIC for a runtime version; `version` goes over the catalog's pin."""
        pin = next(pin for pin in self.pins if not pin.below or _number(runtime) < _number(pin.below))
        return Ric(
            package=self.ric_package,
            version=version or pin.version,
            build_packages=pin.build_packages.get(package_manager, ()),
            warning=pin.warning,
        )

    @property
    def starter(self) -> Path:
        return resources.templates() / self.name / "starter"


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(file.parent.name for file in resources.templates().glob("*/language.toml")))


@cache
def read(name: str) -> Language:
    """The language called `name`, which must be one of `names()`."""
    data = tomllib.loads((resources.templates() / name / "language.toml").read_text("utf-8"))
    ric = data["ric"]
    return Language(
        name=name,
        title=data["title"],
        handler=data["handler"],
        default_base=data["default-base"],
        source_extensions=tuple(data["source-extensions"]),
        entrypoint=tuple(data["entrypoint"]),
        secrets=tuple(data["secrets"]),
        ric_package=ric["package"],
        pins=(*(_pin(older, older["below"]) for older in ric.get("older", ())), _pin(ric, "")),
    )


def _pin(table: Mapping[str, Any], below: str) -> _Pin:
    return _Pin(
        below=below,
        version=table["version"],
        build_packages={manager: tuple(listed) for manager, listed in table.get("build-packages", {}).items()},
        warning=table.get("warning", ""),
    )


def _number(version: str) -> tuple[int, ...]:
    """`3.13` → (3, 13), for comparison."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())
