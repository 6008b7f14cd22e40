"""On which line of a TOML file a key stands."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

Path = tuple[Any, ...]


class Locator:
    """Finds lines by cutting the file into its statements, each the fewest lines that parse, so that TOML's own
    grammar decides, not a copy of it. A file's keys are found in one pass, when the first is asked for.
    """

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)

    def line(self, path: Sequence[Any]) -> int:
        """The line (from 1) of the key at `path`; of its nearest ancestor when it is missing."""
        for length in range(len(path), 0, -1):
            found = self._places.get(tuple(path[:length]))
            if found:
                return found
        return 1

    @cached_property
    def _places(self) -> Mapping[Path, int]:
        places: dict[Path, int] = {}
        counts: dict[Path, int] = {}  # of the tables in an array
        inside: Path = ()
        for line, header, data in self._statements():
            if header:
                inside = _absolute(data, counts)
            for path in (inside,) if header else _paths(inside, data):
                for length in range(1, len(path) + 1):
                    places.setdefault(path[:length], line)
        return places

    def _statements(self) -> Iterator[tuple[int, bool, dict[str, Any]]]:
        """Every statement: its line, whether it is a table's header, and what it says."""
        start = 0
        while start < len(self._lines):
            end = start + 1
            while (data := self._parsed(start, end)) is None and end < len(self._lines):
                end += 1
            if data:
                yield start + 1, self._lines[start].lstrip().startswith("["), data
            start = end

    def _parsed(self, start: int, end: int) -> dict[str, Any] | None:
        try:
            return tomllib.loads("".join(self._lines[start:end]))
        except tomllib.TOMLDecodeError:
            return None


def _absolute(header: dict[str, Any], counts: dict[Path, int]) -> Path:
    """The place of a table, told by its header alone; `[[x]]` counts its array's tables."""
    path: Path = ()
    data: Any = header
    while data:
        if isinstance(data, dict):
            ((key, data),) = data.items()
            path = (*path, key)
            if isinstance(data, dict) and path in counts:  # a table below the last one of an array
                path = (*path, counts[path] - 1)
        else:
            counts[path] = counts.get(path, 0) + 1
            path, data = (*path, counts[path] - 1), data[0]
    return path


def _paths(inside: Path, data: dict[str, Any]) -> Iterator[Path]:
    """The keys that a statement sets, from the outermost: `a.b = {c = 1}` sets a, a.b and a.b.c."""
    for key, value in data.items():
        yield (*inside, key)
        if isinstance(value, dict):
            yield from _paths((*inside, key), value)
