"""Which dependencies a function's source declares, and in which files."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Final

from lambdaimg.catalog import languages
from lambdaimg.catalog.languages import Statement
from lambdaimg.model.errors import ProjectError
from lambdaimg.model.project import Function, Project


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """How they are installed (`kind`), the context's files that say so, and the files that are made for it.

    `generated` maps the name of a file, which stands beside the Dockerfile, to its text.
    """

    kind: str = "none"
    files: tuple[str, ...] = ()
    generated: Mapping[str, str] = field(default_factory=dict)
    compiled: bool = False
    """Whether the source is compiled before it is code of the language."""
    warning: str = ""


_OPTIONAL = (".yarnrc.yml", "pnpm-workspace.yaml")
"""Files that installation reads when they are there. Tokens belong in npm-config, so `.npmrc` is not one."""

_INCLUDE = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[ =]\s*([^\s/]+)", re.MULTILINE)


def detect(project: Project, function: Function) -> Dependencies:
    """The dependencies of a function, the most exact statement first: a lock file before a list of wishes.

    Raises ProjectError when a file that has to be read isn't what its name says.
    """
    source, language = project.root / function.source, languages.read(function.settings.language)
    compiled = any((source / file).is_file() for file in language.compiled)
    wishes = _WISHES.get(language.name)
    found = _stated(function, source, language.statements) or (wishes(function, source) if wishes else None)
    return replace(found or Dependencies(), compiled=compiled)


def _stated(function: Function, source: Path, statements: Iterable[Statement]) -> Dependencies | None:
    for statement in statements:
        found = [sorted(file.name for file in source.glob(pattern)) for pattern in statement.files]
        if all(found):
            kind = "yarn-berry" if statement.kind == "yarn" and not _is_yarn_1(source / "yarn.lock") else statement.kind
            return Dependencies(kind=kind, files=_in_context(function, source, [*chain(*found)]))
    return None


def _referenced(source: Path, file: str) -> list[str]:
    """The files beside a requirements file that it includes, and so on."""
    found: list[str] = []
    waiting = [file]
    while waiting:
        text = (source / waiting.pop()).read_text("utf-8", "replace")
        for name in _INCLUDE.findall(text):
            if name not in (file, *found) and (source / name).is_file():
                found.append(name)
                waiting.append(name)
    return found


def _is_yarn_1(lock: Path) -> bool:
    return "# yarn lockfile v1" in lock.read_text("utf-8", "replace")[:500]


def _in_context(function: Function, source: Path, files: Sequence[str]) -> tuple[str, ...]:
    included = _referenced(source, files[0]) if files[0] == "requirements.txt" else []
    there = [*files, *included, *(file for file in _OPTIONAL if (source / file).is_file())]
    return tuple(f"{function.source}/{file}" if function.source != "." else file for file in there)


def _pyproject(function: Function, source: Path) -> Dependencies | None:
    """The `dependencies` of a pyproject.toml, as a requirements file: the function itself is no distribution."""
    file = source / "pyproject.toml"
    if not file.is_file():
        return None
    try:
        listed = tomllib.loads(file.read_text("utf-8")).get("project", {}).get("dependencies", [])
    except (OSError, ValueError) as error:
        raise ProjectError(f"{function.source}/pyproject.toml: {error}", remedy="mend it, or remove it") from None
    if not listed:
        return None
    return Dependencies(
        kind="pyproject",
        generated={f"{function.name}.requirements.txt": "".join(f"{entry}\n" for entry in listed)},
    )


def _package_json(function: Function, source: Path) -> Dependencies | None:
    file = source / "package.json"
    if not file.is_file():
        return None
    try:
        package = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ProjectError(f"{function.source}/package.json: {error}", remedy="mend it, or remove it") from None
    wishes = ("dependencies", "devDependencies") if (source / "tsconfig.json").is_file() else ("dependencies",)
    if not isinstance(package, dict) or not any(package.get(key) for key in wishes):
        return None
    return Dependencies(
        kind="npm",
        files=_in_context(function, source, ("package.json",)),
        warning=f"{function.source}/package.json has no lock file: "
        "the next build may get other versions (npm install --package-lock-only makes one)",
    )


_WISHES: Final[Mapping[str, Callable[[Function, Path], Dependencies | None]]] = {
    "python": _pyproject,
    "nodejs": _package_json,
}
"""What is read where no lock file is: these two must be opened to know whether they state anything."""
