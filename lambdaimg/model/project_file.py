"""Finding the project file, reading it, and checking all of it at once."""

import json
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from voluptuous import Invalid, MultipleInvalid, Optional, Schema

from lambdaimg.model import quotas
from lambdaimg.model.checks import IMAGE_NAME, NameInvalid, value_at
from lambdaimg.model.declare import field_of, settings_of
from lambdaimg.model.errors import Problem, ProjectError
from lambdaimg.model.locate import Locator
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
_UNKNOWN: Final = "extra keys not allowed"  # voluptuous's words


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
    text, data, prefix = _read(file)
    reader = _Reader(file, text, data, prefix, languages)
    project = reader.project()
    if reader.problems:
        count = len(reader.problems)
        problems = [problem for _, problem in sorted(reader.problems, key=itemgetter(0))]
        raise ProjectError(f"{file.name} has {count} problem{'s' if count > 1 else ''}:", problems=problems)
    return project


def _read(file: Path) -> tuple[str, dict[str, Any], tuple[str, ...]]:
    try:
        text = file.read_text("utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise ProjectError(f"can't read {file}: {error.strerror}", remedy="name a project file with --config") from None
    except UnicodeDecodeError as error:
        raise ProjectError(f"{file} is not UTF-8 (byte {error.start})", remedy="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{file.name}:{line[1]}" if line else file.name
        raise ProjectError(f"{where}: not TOML: {error}", remedy="mend that line") from None
    if file.name != PYPROJECT:
        return text, data, ()
    table = value_at(data, _PYPROJECT_TABLE)
    if not isinstance(table, dict):
        raise ProjectError(f"{file} has no [tool.lambdaimg] table", remedy=f"write one, or a {FILE_NAME}")
    return text, table, _PYPROJECT_TABLE


def _table_schema(table: type) -> dict[Any, Any]:
    return {
        Optional(key): _table_schema(setting.table) if setting.table else setting.check
        for key, setting in settings_of(table).items()
    }


def _function_name(value: Any) -> Any:
    if not re.fullmatch(quotas.FUNCTION_NAME, value):
        raise Invalid("must be 1 to 64 letters, digits, - and _")
    if not IMAGE_NAME.fullmatch(value.lower()):
        raise Invalid("can't be an image's name: begin and end it with a letter or digit, no more than two _ in a row")
    return value


_FUNCTION = _table_schema(FunctionSettings)
_SCHEMA: Final = {
    Optional("project"): _table_schema(ProjectSettings),
    Optional("build"): _table_schema(BuildSettings),
    Optional("defaults"): _FUNCTION,
    Optional("functions"): {str: _FUNCTION},
    Optional("layers"): {str: _table_schema(LayerSettings)},
}


class _Reader:
    """One reading of one file; problems are gathered, so that all are reported."""

    def __init__(
        self, file: Path, text: str, data: dict[str, Any], prefix: tuple[str, ...], languages: Collection[str]
    ) -> None:
        self._file = file
        self._data = data
        self._prefix = prefix
        self._languages = languages
        self._locator = Locator(text)
        self.problems: list[tuple[int, Problem]] = []  # with their lines

    def project(self) -> Project:
        self._check_schema()
        general = ProjectSettings(**self._values("project", ProjectSettings))
        functions = tuple(self._function(name) for name in self._table("functions"))
        layers = {name: self._layer(name) for name in self._table("layers")}
        self._check_layers(functions, layers)
        self._check_names(functions)
        return Project(
            file=self._file,
            name=general.name or name_from(self._file.parent.name),
            region=general.region,
            registry_mirror=general.registry_mirror,
            build=BuildSettings(**self._values("build", BuildSettings)),
            functions=functions,
            layers=layers,
        )

    def _check_schema(self) -> None:
        try:
            Schema(_SCHEMA)(self._data)
        except MultipleInvalid as invalid:
            for error in invalid.errors:
                self._report(error)

    def _report(self, error: Invalid) -> None:
        path = [getattr(key, "schema", key) for key in error.path]
        value = value_at(self._data, path)
        if error.msg != _UNKNOWN:
            what = _plain(error.msg)
            self._problem(path, what if isinstance(error, NameInvalid) else f"{what}, not {_shown(value)}")
            return
        known = [key.schema for key in _known_keys(path[:-1])]
        self._problem(
            path,
            f"unknown key {path[-1]!r}",
            did_you_mean(str(path[-1]), known) or f"allowed here: {', '.join(known)}",
        )

    def _problem(self, path: Sequence[Any], what: str, remedy: str = "") -> None:
        line = self._locator.line([*self._prefix, *path])
        key = ".".join(str(part) for part in path)
        self.problems.append((line, Problem(where=f"{self._file.name}:{line}: {key}", what=what, remedy=remedy)))

    def _table(self, *path: str) -> dict[str, Any]:
        found = value_at(self._data, path)
        return found if isinstance(found, dict) else {}

    def _values(self, table: str, settings: type) -> dict[str, Any]:
        return self._checked(self._table(table), settings)

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
        try:
            _function_name(name)
        except Invalid as error:
            self._problem(("functions", name), f"the function's name {error.msg}")
        merged = _merged(self._table("defaults"), self._table("functions", name))
        function = Function(
            name=name,
            settings=FunctionSettings(**self._checked(merged, FunctionSettings)),
            origins={key: self._origin(name, key) for key in settings_of(FunctionSettings)},
        )
        self._check_function(function)
        return function

    def _layer(self, name: str) -> Layer:
        try:
            layer_name(name)
        except Invalid as error:
            self._problem(("layers", name), f"the layer's name {error.msg}")
        settings = LayerSettings(**self._checked(self._table("layers", name), LayerSettings))
        return Layer(name=name, source=settings.source or f"layers/{name}")

    def _check_layers(self, functions: Sequence[Function], layers: Mapping[str, Layer]) -> None:
        for function in functions:
            for name in function.settings.layers:
                if name not in layers:
                    self._problem(
                        self._where_set(function, "layers"),
                        f"there is no layer {name!r}",
                        did_you_mean(name, layers) or f"write a table [layers.{name}]",
                    )

    def _origin(self, name: str, key: str) -> str:
        for path in (("functions", name, key), ("defaults", key)):
            if value_at(self._data, path) is not None:
                return f"{self._file.name}:{self._locator.line([*self._prefix, *path])}"
        return "default"

    def _check_function(self, function: Function) -> None:
        settings, path = function.settings, ("functions", function.name)
        if not settings.language and not settings.dockerfile:
            self._problem(path, "has no language", f"one of {', '.join(self._languages)}, or a dockerfile of your own")
        if settings.language and settings.language not in self._languages:
            self._problem(
                self._where_set(function, "language"),
                f"must be one of {', '.join(self._languages)}, not {_shown(settings.language)}",
                did_you_mean(settings.language, self._languages),
            )
        if settings.dockerfile:
            self._refuse_beside_dockerfile(function)
        self._check_together(function)
        size = len(json.dumps(dict(settings.environment), separators=(",", ":"), ensure_ascii=False).encode())
        if size > quotas.ENVIRONMENT_BYTES:
            self._problem(
                self._where_set(function, "environment"),
                f"all variables together are {size} bytes as compact JSON; Lambda allows {quotas.ENVIRONMENT_BYTES}",
            )

    def _check_together(self, function: Function) -> None:
        """Settings that Lambda takes only together, or not together."""
        for key, what in together(function.settings):
            self._problem(self._where_set(function, key), what)

    def _refuse_beside_dockerfile(self, function: Function) -> None:
        for key in ("template", "base", "ric-version", "packages", "build-packages", "layers"):
            if value_at(self._data, ("functions", function.name, key)):
                self._problem(
                    ("functions", function.name, key),
                    "has no effect beside dockerfile, which is used as it is",
                    "remove one of the two",
                )

    def _where_set(self, function: Function, key: str) -> tuple[str, ...]:
        own = ("functions", function.name, key)
        return own if value_at(self._data, own) is not None else ("defaults", key)

    def _check_names(self, functions: Sequence[Function]) -> None:
        if not functions and not self.problems:
            self._problem((), "no function", "write a table [functions.NAME]")
        seen: dict[str, str] = {}
        for function in functions:
            other = seen.setdefault(function.name.lower(), function.name)
            if other != function.name:
                self._problem(
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


def _known_keys(path: Sequence[Any]) -> list[Any]:
    """The keys that the schema knows at `path`."""
    table: Any = _SCHEMA
    for key in path:
        table = table.get(Optional(key), table.get(str)) if isinstance(table, dict) else None
    return list(table) if isinstance(table, dict) else []


def name_from(folder: str) -> str:
    """A project name made of a folder's name."""
    return re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-") or "project"


def _plain(message: str) -> str:
    """voluptuous's words for a wrong type, in TOML's."""
    return {"expected a dictionary": "must be a table"}.get(message, message)


def _shown(value: Any) -> str:
    """A value as it stands in the file, cut where it is long."""
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= 60 else shown[:57] + "..."
