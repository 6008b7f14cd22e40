"""Finding the project file, reading it, and checking all of it at once."""

import json
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from voluptuous import Invalid

from lambdaimg.model import quotas
from lambdaimg.model.cases import Entry, tests_value
from lambdaimg.model.checks import IMAGE_NAME, Check, table, table_of, value_at
from lambdaimg.model.declare import field_of, settings_of
from lambdaimg.model.document import Document, refuse, shown
from lambdaimg.model.edge import restrictions
from lambdaimg.model.edge.settings import EdgeSettings
from lambdaimg.model.errors import ProjectError
from lambdaimg.model.project import Function, Layer, Project
from lambdaimg.model.settings import (
    BuildSettings,
    FunctionSettings,
    LayerSettings,
    ProjectSettings,
    layer_name,
)
from lambdaimg.model.suggest import did_you_mean
from lambdaimg.model.together import together

FILE_NAME: Final = "lambdaimg.toml"
PYPROJECT: Final = "pyproject.toml"
_PYPROJECT_TABLE: Final = ("tool", "lambdaimg")
_TEMPLATES_KEYS: Final = ("template", "base", "ric-version", "packages", "build-packages", "layers")


def find(start: Path) -> Path:
    """The nearest project file, walking up from `start`.

    Raises ProjectError when there is none, or when one folder has two.
    """
    for folder in (start, *start.parents):
        own, shared = folder / FILE_NAME, folder / PYPROJECT
        in_pyproject = shared.is_file() and _has_table(shared)
        if own.is_file() and in_pyproject:
            raise ProjectError(
                f"{folder} has both {FILE_NAME} and [tool.lambdaimg] in {PYPROJECT}",
                remedy="keep one of them",
            )
        if own.is_file() or in_pyproject:
            return own if own.is_file() else shared
    raise ProjectError(
        f"no {FILE_NAME} in {start} or above it",
        remedy="make one with `lambdaimg init --language python`, or name a folder with -C",
    )


def _has_table(file: Path) -> bool:
    try:
        return value_at(tomllib.loads(file.read_text("utf-8")), _PYPROJECT_TABLE) is not None
    except (OSError, ValueError):
        return False


def load(file: Path, *, languages: Collection[str]) -> Project:
    """The project that `file` describes. `languages` are the names that `language` may have.

    Raises ProjectError with every problem of the file, each with its line, key, value and what is allowed.
    """
    file = file.resolve()
    document = _read(file)
    project = _Reader(file, document, languages).project()
    refuse(f"{file.name} has", document.problems)
    return project


def _read(file: Path) -> Document:
    if file.name != PYPROJECT:
        return Document.toml(file, file.name)
    document = Document.toml(file, file.name, _PYPROJECT_TABLE)
    if not isinstance(document.data, dict):
        raise ProjectError(f"{file} has no [tool.lambdaimg] table", remedy=f"write one, or a {FILE_NAME}")
    return document


def _checks(settings: type) -> dict[str, Check]:
    return {key: setting.check for key, setting in settings_of(settings).items()}


def _function_name(value: Any) -> Any:
    if not re.fullmatch(quotas.FUNCTION_NAME, value):
        raise Invalid("must be 1 to 64 letters, digits, - and _")
    if not IMAGE_NAME.fullmatch(value.lower()):
        raise Invalid("can't be an image's name: begin and end it with a letter or digit, no more than two _ in a row")
    return value


_SCHEMA: Final = table(
    {
        "project": table(_checks(ProjectSettings)),
        "build": table(_checks(BuildSettings)),
        "defaults": table(_checks(FunctionSettings)),
        "functions": table_of(_function_name, table({**_checks(FunctionSettings), "tests": tests_value})),
        "layers": table_of(layer_name, table(_checks(LayerSettings))),
        "edge": table(_checks(EdgeSettings)),
    }
)


class _Reader:
    """One reading of one project file."""

    def __init__(self, file: Path, document: Document, languages: Collection[str]) -> None:
        self._file = file
        self._document = document
        self._languages = languages

    def project(self) -> Project:
        self._document.check(_SCHEMA)
        general = ProjectSettings(**self._values("project", ProjectSettings))
        functions = tuple(self._function(name) for name in self._document.table("functions"))
        layers = {name: self._layer(name) for name in self._document.table("layers")}
        edge = EdgeSettings(**self._values("edge", EdgeSettings)) if "edge" in self._document.data else None
        self._check_layers(functions, layers)
        if edge:
            self._check_edge(edge, {function.name: function for function in functions}, general.region)
        self._check_names(functions)
        return Project(
            file=self._file,
            name=general.name or name_from(self._file.parent.name),
            region=general.region,
            registry_mirror=general.registry_mirror,
            build=BuildSettings(**self._values("build", BuildSettings)),
            functions=functions,
            layers=layers,
            edge=edge,
        )

    def _values(self, name: str, settings: type) -> dict[str, Any]:
        return self._checked(self._document.table(name), settings)

    def _checked(self, found: Mapping[str, Any], settings: type) -> dict[str, Any]:
        """The valid values of a table, as fields. What is wrong was reported by the schema and is left out."""
        values = {}
        for key, setting in settings_of(settings).items():
            if key in found:
                try:
                    values[field_of(key)] = setting.check(found[key])
                except Invalid:
                    continue
        return values

    def _function(self, name: str) -> Function:
        merged = _merged(self._document.table("defaults"), self._document.table("functions", name))
        function = Function(
            name=name,
            settings=FunctionSettings(**self._checked(merged, FunctionSettings)),
            origins={key: self._origin(name, key) for key in settings_of(FunctionSettings)},
            tests=self._tests(name),
        )
        self._check_function(function)
        return function

    def _layer(self, name: str) -> Layer:
        settings = LayerSettings(**self._checked(self._document.table("layers", name), LayerSettings))
        return Layer(name=name, source=settings.source or f"layers/{name}")

    def _check_layers(self, functions: Sequence[Function], layers: Mapping[str, Layer]) -> None:
        for function in functions:
            for name in function.settings.layers:
                if name not in layers:
                    self._document.problem(
                        self._where_set(function, "layers"),
                        f"there is no layer {name!r}",
                        did_you_mean(name, layers) or f"write a table [layers.{name}]",
                    )

    def _origin(self, name: str, key: str) -> str:
        for path in (("functions", name, key), ("defaults", key)):
            if value_at(self._document.data, path) is not None:
                return f"{self._file.name}:{self._document.line(path)}"
        return "default"

    def _tests(self, name: str) -> tuple[Entry, ...]:
        path = ("functions", name, "tests")
        found = value_at(self._document.data, path)
        listed = found if isinstance(found, list) else [found] if isinstance(found, str) else []
        return tuple(
            Entry(written=each, file=self._file.name, line=self._document.line((*path, index)))
            for index, each in enumerate(listed)
        )

    def _check_function(self, function: Function) -> None:
        settings, path = function.settings, ("functions", function.name)
        if not (settings.language or settings.dockerfile or settings.image):
            languages = ", ".join(self._languages)
            self._document.problem(path, "has no language", f"one of {languages}, or a dockerfile or image of your own")
        if settings.language and settings.language not in self._languages:
            self._document.problem(
                self._where_set(function, "language"),
                f"must be one of {', '.join(self._languages)}, not {shown(settings.language)}",
                did_you_mean(settings.language, self._languages),
            )
        if settings.image:
            self._refuse_beside(function, "image", ("dockerfile", "source", "handler", *_TEMPLATES_KEYS))
        elif settings.dockerfile:
            self._refuse_beside(function, "dockerfile", _TEMPLATES_KEYS)
        self._check_together(function)
        size = len(json.dumps(dict(settings.environment), separators=(",", ":"), ensure_ascii=False).encode())
        if size > quotas.ENVIRONMENT_BYTES:
            self._document.problem(
                self._where_set(function, "environment"),
                f"all variables together are {size} bytes as compact JSON; Lambda allows {quotas.ENVIRONMENT_BYTES}",
            )

    def _check_together(self, function: Function) -> None:
        """Settings that Lambda takes only together, or not together."""
        for key, what in together(function.settings):
            self._document.problem(self._where_set(function, key), what)

    def _check_edge(self, edge: EdgeSettings, functions: Mapping[str, Function], region: str) -> None:
        """What Lambda@Edge does not take."""
        if region != restrictions.REGION:
            what = f"must be {restrictions.REGION}, where edge functions are deployed (edge-region), not {region}"
            self._document.problem(("project", "region"), what)
        if value_at(self._document.data, ("edge", "origin")) is None:
            self._document.problem(("edge", "origin"), "is missing", "name a URL, or a folder to be served as a bucket")
        for path, what, remedy in restrictions.of_distribution(edge, functions):
            self._document.problem(("edge", *path), what, remedy)
        for function in (functions[name] for name in edge.function_names if name in functions):
            for key, what in restrictions.violations(function):
                self._document.problem(self._where_set(function, key), what)

    def _refuse_beside(self, function: Function, stronger: str, weaker: tuple[str, ...]) -> None:
        for key in weaker:
            if value_at(self._document.data, ("functions", function.name, key)):
                self._document.problem(
                    ("functions", function.name, key),
                    f"has no effect beside {stronger}, which is used as it is",
                    "remove one of the two",
                )

    def _where_set(self, function: Function, key: str) -> tuple[str, ...]:
        own = ("functions", function.name, key)
        return own if value_at(self._document.data, own) is not None else ("defaults", key)

    def _check_names(self, functions: Sequence[Function]) -> None:
        if not functions and not self._document.problems:
            self._document.problem((), "no function", "write a table [functions.NAME]")
        seen: dict[str, str] = {}
        for function in functions:
            other = seen.setdefault(function.name.lower(), function.name)
            if other != function.name:
                self._document.problem(
                    ("functions", function.name),
                    f"makes the same image as {other!r}: an image's name has no capitals",
                    "rename one of them",
                )


def _merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The function's own keys over `[defaults]`; a table's keys one by one."""
    tables = {
        key: {**shared[key], **own[key]}
        for key in shared.keys() & own.keys()
        if isinstance(shared[key], dict) and isinstance(own[key], dict)
    }
    return {**shared, **own, **tables}


def name_from(folder: str) -> str:
    """A project name made of a folder's name."""
    return re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-") or "project"
