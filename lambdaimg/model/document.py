"""A file that a user wrote, as data: read once, and everything that is wrong with it reported with its line and key."""

import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from voluptuous import Invalid, MultipleInvalid

from lambdaimg.model.checks import Check, NameInvalid, value_at
from lambdaimg.model.errors import Problem, ProjectError
from lambdaimg.model.locate import Locator


class Document:
    """A file's data, or one table of it (`prefix` leads there); problems are gathered, so that all are reported.

    `shown` is the file's name in messages.
    """

    def __init__(self, shown: str, data: Any, locator: Locator | None, prefix: Sequence[str] = ()) -> None:
        self.shown = shown
        self.data = value_at(data, prefix)
        self._locator = locator
        self._prefix = prefix
        self._found: list[tuple[int, Problem]] = []  # with their lines

    @classmethod
    def toml(cls, file: Path, shown: str, prefix: Sequence[str] = ()) -> "Document":
        """Reads a TOML file. Raises ProjectError when it can't be read, or is none."""
        text = _text(file, shown)
        try:
            return cls(shown, tomllib.loads(text), Locator(text), prefix)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            where = f"{shown}:{line[1]}" if line else shown
            raise ProjectError(f"{where}: not TOML: {error}", remedy="mend that line") from None

    @classmethod
    def json(cls, file: Path, shown: str) -> "Document":
        """Reads a JSON file, whose keys have no lines. Raises ProjectError when it can't be read, or is none."""
        try:
            return cls(shown, json.loads(_text(file, shown)), None)
        except json.JSONDecodeError as error:
            where = f"{shown}:{error.lineno}"
            raise ProjectError(f"{where}: not JSON: {error.msg}", remedy="mend that line") from None

    @property
    def problems(self) -> list[Problem]:
        """All that was found, in the file's order."""
        return [problem for _, problem in sorted(self._found, key=itemgetter(0))]

    def check(self, check: Check) -> None:
        """Runs a check on all of the data; what it refuses becomes problems."""
        try:
            check(self.data)
        except MultipleInvalid as invalid:
            for error in invalid.errors:
                self._report(error)
        except Invalid as error:
            self._report(error)

    def _report(self, error: Invalid) -> None:
        if isinstance(error, NameInvalid):
            self.problem(error.path, error.msg, error.remedy)
        else:
            self.problem(error.path, f"{error.msg}, not {shown(value_at(self.data, error.path))}")

    def problem(self, path: Sequence[Any], what: str, remedy: str = "") -> None:
        key = ".".join(str(part) for part in path)
        line = self.line(path)
        where = f"{self.shown}:{line}: {key}" if self._locator else f"{self.shown}: {key}".removesuffix(": ")
        self._found.append((line, Problem(where=where, what=what, remedy=remedy)))

    def line(self, path: Sequence[Any]) -> int:
        """The line (from 1) of a key, or of what it would stand in; 1 in a file without lines of its own."""
        return self._locator.line([*self._prefix, *path]) if self._locator else 1

    def table(self, *path: str) -> dict[str, Any]:
        """The table at `path`; empty where there is none."""
        found = value_at(self.data, path)
        return found if isinstance(found, dict) else {}


def refuse(what: str, problems: Iterable[Problem]) -> None:
    """Raises ProjectError when there are problems. `what` has them."""
    found = list(problems)
    if found:
        raise ProjectError(f"{what} {len(found)} problem{'s' if len(found) > 1 else ''}:", problems=found)


def shown(value: Any) -> str:
    """A value as it stands in the file, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _text(file: Path, shown: str) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise ProjectError(f"can't read {shown}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ProjectError(f"{shown} is not UTF-8 (byte {error.start})", remedy="save it as UTF-8") from None
