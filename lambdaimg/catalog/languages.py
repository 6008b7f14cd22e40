"""The languages: a folder of `templates/` each, with a `language.toml`, a Dockerfile template and a starter."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lambdaimg import resources
from lambdaimg.catalog.bases import BaseImage, Runtime


@dataclass(frozen=True, kw_only=True)
class Ric:
    """A runtime interface client, pinned. `build_packages` are the compilers that its installation needs.

    Without a version it is the function's own dependency, which its build file names.
    """

    package: str
    version: str = ""
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
class Builder:
    """Where functions are compiled, whatever their base: a base of the catalog, with OS packages."""

    base: str
    packages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Files that state what a function depends on or how it is built: with all of them there, it is of that kind."""

    kind: str
    files: tuple[str, ...]
    """Names or patterns in the function's source."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How a runtime is found in an image that no catalog knows, and how many of its version's numbers tell releases."""

    program: str
    parts: int


@dataclass(frozen=True, kw_only=True)
class Starter:
    """What `init` makes a new project of: files, and the words of its project file."""

    name: str
    language: str
    folder: Path
    base: str
    settings: str
    """Lines of the project file."""


@dataclass(frozen=True, kw_only=True)
class Zip:
    """How a function becomes a zip for Lambda's own runtime.

    `runtime` is Lambda's name for it, with `{version}` for the base's. What is installed at `dependencies` in the image
    lies at `place` in the zip. `arguments` are build arguments that resolve dependencies for that runtime's platform.
    """

    runtime: str
    dependencies: str = ""
    place: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language: the handler that its users usually write, and its RIC's pins, the oldest runtimes' first."""

    name: str
    title: str
    handler: str
    default_base: str
    source_extensions: tuple[str, ...]
    mounted_source: bool
    """Whether the source runs as it is, so that a folder mounted over the code answers an edit without a build."""
    entrypoint: tuple[str, ...]
    """The RIC as a process; `{executable}` stands for the runtime's."""
    executable: str
    """Where the compiled function is, in a language that needs no runtime of the base; empty in others."""
    needs_libc: bool
    """Whether compiled functions need a C library of the base."""
    secrets: tuple[str, ...]
    """The build secrets that configure its package manager."""
    ignore: tuple[str, ...]
    """What a build on the developer's machine leaves in the source folder."""
    starters: tuple[Starter, ...]
    """The language's own first, which has its name."""
    compiled: tuple[str, ...]
    """Files beside source that is compiled first, in a language that may do without (TypeScript in Node.js)."""
    statements: tuple[Statement, ...]
    """The most exact first: a lock file before a list of wishes."""
    ric_package: str
    pins: tuple[_Pin, ...]
    tier_1: tuple[str, ...]
    """The bases on which a function in it is built, invoked and measured by this project's own checks."""
    builder: Builder | None = None
    probe: Probe | None = None
    zip: Zip | None = None
    """None where a zip can't be made of what its Dockerfile makes."""

    def ric(self, runtime: str, package_manager: str, version: str = "") -> Ric:
        """The RIC for a runtime version; `version` goes over the catalog's pin."""
        pin = next((pin for pin in self.pins if not pin.below or _number(runtime) < _number(pin.below)), None)
        if pin is None:
            return Ric(package=self.ric_package, version=version)
        return Ric(
            package=self.ric_package,
            version=version or pin.version,
            build_packages=pin.build_packages.get(package_manager, ()),
            warning=pin.warning,
        )

    def runtime(self, base: BaseImage) -> Runtime | None:
        """How a base runs this language; None where it can't, as far as is known."""
        if self.executable and (base.libc != "none" or not self.needs_libc):
            return Runtime(executable=self.executable)
        return base.runtimes.get(self.name)

    def tier(self, base: BaseImage) -> int | None:
        """1 where this project's own checks build and invoke it on a base, 2 where it is rendered and linted only."""
        if self.runtime(base) is None:
            return None
        return 1 if base.name in self.tier_1 else 2


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(file.parent.name for file in resources.templates().glob("*/language.toml")))


@cache
def read(name: str) -> Language:
    """The language called `name`, which must be one of `names()`."""
    data = tomllib.loads((resources.templates() / name / "language.toml").read_text("utf-8"))
    ric = data["ric"]
    pins = [_pin(older, older["below"]) for older in ric.get("older", ())]
    if "version" in ric:
        pins.append(_pin(ric, ""))
    return Language(
        name=name,
        title=data["title"],
        handler=data["handler"],
        default_base=data["default-base"],
        source_extensions=tuple(data["source-extensions"]),
        mounted_source=data.get("mounted-source", False),
        entrypoint=tuple(data["entrypoint"]),
        executable=data.get("executable", ""),
        needs_libc=data.get("needs-libc", False),
        secrets=tuple(data.get("secrets", ())),
        ignore=tuple(data.get("ignore", ())),
        starters=tuple(_starter(name, data, other) for other in ("", *data.get("starters", ()))),
        compiled=tuple(data.get("compiled", ())),
        statements=tuple(
            Statement(kind=kind, files=tuple(files)) for kind, files in data.get("statements", {}).items()
        ),
        ric_package=ric["package"],
        pins=tuple(pins),
        tier_1=tuple(data.get("tier-1", ())),
        builder=_builder(data["builder"]) if "builder" in data else None,
        probe=Probe(**data["probe"]) if "probe" in data else None,
        zip=Zip(**data["zip"]) if "zip" in data else None,
    )


@cache
def starters() -> Mapping[str, Starter]:
    """What a new project can be: a language, or something that is one with other files, such as TypeScript."""
    return {starter.name: starter for language in map(read, names()) for starter in language.starters}


def of_tier(tier: int, base: BaseImage) -> list[str]:
    """The languages of one tier on a base, each with the version of the runtime that the base has for it."""
    known = [language for language in map(read, names()) if language.tier(base) == tier]
    versions = {name: runtime.version for name, runtime in base.runtimes.items()}
    return [f"{language.name} {versions.get(language.name, '')}".strip() for language in known]


def _starter(language: str, data: Mapping[str, Any], other: str) -> Starter:
    """The language's own, or (`other`) one that differs in files, base or settings."""
    table = {**data, **data["starters"][other]} if other else data
    return Starter(
        name=other or language,
        language=language,
        folder=resources.templates() / language / (f"starter-{other}" if other else "starter"),
        base=table["default-base"],
        settings=table.get("settings", "memory = 128\n"),
    )


def _builder(table: Mapping[str, Any]) -> Builder:
    return Builder(base=table["base"], packages=tuple(table["packages"]))


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
