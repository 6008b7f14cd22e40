"""Rules on age: until when runtimes and distributions are kept up."""

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from lambdaimg.images.rules import documents
from lambdaimg.images.rules.rule import Finding, Needs, StaticRule, Subject

_PYTHON = re.compile(r"/(?:usr/bin|usr/local/bin|var/lang/bin)/python(\d\.\d+)")
_DOTNET = re.compile(r"/.*/Microsoft\.NETCore\.App/(\d+)\.\d+\.\d+")
_NODE_ABI: Final = {"libnode.so.83": "14", "libnode.so.93": "16", "libnode.so.108": "18", "libnode.so.115": "20"}
"""Debian's Node.js is a library, whose name carries the ABI's number (nodejs.org, "abi_version_registry")."""
_NODE_HEADER = re.compile(r"#define NODE_MAJOR_VERSION (\d+)")
_VARIABLES: Final = {"NODE_VERSION": ("nodejs", 1), "PYTHON_VERSION": ("python", 2), "RUBY_VERSION": ("ruby", 2)}
"""What the languages' own images set, and how many of its numbers name a runtime."""


@cache
def _lifetimes() -> dict[str, dict[str, dict[str, date]]]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def _ends(kind: str, name: str) -> dict[str, date]:
    """The last day of each version of a runtime or a distribution, as far as it is known."""
    return _lifetimes()[kind].get(name, {})


def runtimes(subject: Subject) -> set[tuple[str, str]]:
    """The languages' runtimes that are in the image: language, version as Lambda names it."""
    found = set()
    for name, (language, numbers) in _VARIABLES.items():
        if version := subject.configuration.environment.get(name):
            found.add((language, ".".join(version.split(".")[:numbers])))
    for path in subject.tree.entries:
        name = path.rpartition("/")[2]
        if python := _PYTHON.fullmatch(path):
            found.add(("python", python[1]))
        elif dotnet := _DOTNET.fullmatch(path):
            found.add(("dotnet", dotnet[1]))
        elif name in _NODE_ABI:
            found.add(("nodejs", _NODE_ABI[name]))
    headers = (_NODE_HEADER.search(text) for _, text in subject.tree.texts())
    return found | {("nodejs", header[1]) for header in headers if header}


def _deprecated(subject: Subject) -> Iterator[Finding]:
    for language, version in sorted(runtimes(subject)):
        end = _ends("runtimes", language).get(version)
        if end and end < subject.today:
            yield Finding(f"{language} {version}", f"deprecated since {end}")


def _past_its_end(subject: Subject) -> Iterator[Finding]:
    said = dict(line.partition("=")[::2] for line in subject.tree.text("/etc/os-release").splitlines())
    name, version = (said.get(key, "").strip("\"'") for key in ("ID", "VERSION_ID"))
    if name == "alpine":
        version = ".".join(version.split(".")[:2])
    end = _ends("distributions", name).get(version)
    if end and end < subject.today:
        yield Finding(f"{name} {version}", f"without updates since {end}")


RULES: tuple[StaticRule, ...] = (
    StaticRule(
        id="LI060",
        title="The language's runtime is not deprecated",
        severity="warn",
        needs=Needs.FILES,
        why="Lambda announces the deprecation of its runtimes, but not to functions that are images: their versions "
        "get no more fixes, and nobody says so.",
        document=documents.RUNTIMES,
        remedy="Build onto a base with a newer version of the language.",
        find=_deprecated,
    ),
    StaticRule(
        id="LI061",
        title="The distribution is not past its end",
        severity="warn",
        needs=Needs.FILES,
        why="It gets no more security updates.",
        document="the distribution's own page on its releases",
        remedy="Build onto a base with a newer release.",
        find=_past_its_end,
    ),
)
