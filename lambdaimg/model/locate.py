"""On which line of a TOML file a key stands."""

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from lambdaimg.model.checks import value_at


class Locator:
    """Finds lines by parsing beginnings of the file, so that TOML's own grammar decides, not a copy of it.

    The first beginning that parses and holds the key ends with the key's statement; the line after the longest
    shorter beginning that parses is where the statement starts.
    """

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)
        self._parse = lru_cache(maxsize=None)(self._parse_beginning)

    def line(self, path: Sequence[Any]) -> int:
        """The line (from 1) of the key at `path`; of its nearest ancestor when it is missing."""
        for length in range(len(path), 0, -1):
            found = self._statement(path[:length])
            if found:
                return found
        return 1

    def _statement(self, path: Sequence[Any]) -> int:
        first, last = 0, len(self._lines)
        if not self._holds(last, path):
            return 0
        while first < last:  # the smallest beginning that holds the key
            middle = (first + last) // 2
            if self._holds(middle, path):
                last = middle
            else:
                first = middle + 1
        start = last - 1
        while start > 0 and self._parse(start) is None:  # inside a statement of several lines
            start -= 1
        return self._skip_blank(start) + 1

    def _skip_blank(self, start: int) -> int:
        while start < len(self._lines) - 1 and self._lines[start].lstrip()[:1] in ("", "#"):
            start += 1
        return start

    def _holds(self, count: int, path: Sequence[Any]) -> bool:
        """Whether the first `count` lines hold the key; an unfinished statement counts as not yet there."""
        while count > 0 and (data := self._parse(count)) is None:
            count -= 1
        if count == 0:
            return False
        return value_at(data, path) is not None

    def _parse_beginning(self, count: int) -> dict[str, Any] | None:
        try:
            return tomllib.loads("".join(self._lines[:count]))
        except tomllib.TOMLDecodeError:
            return None
