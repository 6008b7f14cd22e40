"""The files of an image as a container sees them: the layers laid over each other."""

import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lambdaimg.images.inspection.facts import Entry, Layer, Program

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_LINKS: Final = 40
"""Symbolic links that the kernel follows in one path (path_resolution(7))."""


class Tree:
    """All paths of an image, with what the upper layers hide left out (OCI image spec, "Image Layer Filesystem")."""

    def __init__(self, layers: "Sequence[Layer]") -> None:
        self.entries: dict[str, Entry] = {}
        self.hidden: dict[str, int] = {}
        """Bytes of files that a later layer deletes or replaces, by path."""
        self.clients: set[str] = set()
        """The files that speak of the Runtime API."""
        self.emulators: set[str] = set()
        self._children: dict[str, set[str]] = {}
        self._programs: dict[str, Program] = {}
        self._texts: dict[str, str] = {}
        for layer in layers:
            self._lay(layer)

    def _lay(self, layer: "Layer") -> None:
        marks = [entry for entry in layer.entries if _WHITEOUT in entry.path]
        for entry in marks:  # what a layer removes goes before what it adds
            folder, name = posixpath.split(entry.path)
            if name == _OPAQUE:
                for child in list(self._children.get(folder, ())):
                    self._remove(posixpath.join(folder, child))
            elif name.startswith(_WHITEOUT):
                self._remove(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
        removed = {entry.path for entry in marks if posixpath.basename(entry.path).startswith(_WHITEOUT)}
        for entry in layer.entries:
            if entry.path not in removed:
                self._add(entry)
        self._programs |= layer.programs
        self._texts |= layer.texts
        self.clients.update(layer.clients)
        self.emulators.update(layer.emulators)

    def _add(self, entry: "Entry") -> None:
        old = self.entries.get(entry.path)
        if old is not None and not (old.kind == entry.kind == "d"):
            self._remove(entry.path)
        self.entries[entry.path] = entry
        folder, _, name = entry.path.rpartition("/")
        self._children.setdefault(folder or "/", set()).add(name)

    def _remove(self, path: str) -> None:
        for child in self._children.pop(path, ()):
            self._remove(posixpath.join(path, child))
        old = self.entries.pop(path, None)
        if old is not None and old.kind == "f":
            self.hidden[path] = self.hidden.get(path, 0) + old.size
        folder, name = posixpath.split(path)
        self._children.get(folder, set()).discard(name)
        self._programs.pop(path, None)
        self._texts.pop(path, None)
        self.clients.discard(path)
        self.emulators.discard(path)

    def resolve(self, path: str, folder: str = "/") -> str:
        """Where a path leads once all symbolic links are followed; empty where it leads nowhere."""
        resolved, parts, links = "/", posixpath.join(folder, path).split("/")[::-1], 0
        while parts:
            part = parts.pop()
            if part in ("", "."):
                continue
            if part == "..":
                resolved = posixpath.dirname(resolved)
                continue
            entry = self.entries.get(posixpath.join(resolved, part))
            if entry is None or links > _LINKS:
                return ""
            if entry.kind == "l":
                links += 1
                parts += entry.target.split("/")[::-1]
                resolved = "/" if entry.target.startswith("/") else resolved
            else:
                resolved = entry.path
        return resolved

    def find(self, path: str, folder: str = "/") -> "Entry | None":
        """The entry that a path leads to; None where it leads nowhere. The root itself is no entry."""
        return self.entries.get(self.resolve(path, folder))

    def program(self, path: str) -> "Program | None":
        return self._programs.get(path)

    def programs(self) -> "Iterator[tuple[str, Program]]":
        return iter(self._programs.items())

    def text(self, path: str) -> str:
        """The content of one of the small files that are kept; empty where there is none."""
        return self._texts.get(self.resolve(path), "")

    def texts(self) -> Iterator[tuple[str, str]]:
        return iter(self._texts.items())

    def names(self, folder: str) -> "Sequence[str]":
        return sorted(self._children.get(self.resolve(folder), ()))

    def under(self, folders: "Sequence[str]") -> "Iterator[Entry]":
        """Every entry in these folders, at any depth."""
        beginnings = tuple(folder.rstrip("/") + "/" for folder in folders)
        return (entry for entry in self.entries.values() if entry.path.startswith(beginnings))

    def largest(self, count: int) -> list[tuple[str, int]]:
        """The folders that hold the most bytes, those below them included.

        A folder most of whose bytes are in one folder below gives way to that one.
        """
        sizes = self._sizes()
        ranked: list[tuple[str, int]] = []
        for path, size in sizes.most_common():
            if len(ranked) == count:
                break
            if not self._is_shown_deeper(path, size, sizes):
                ranked.append((path, size))
        return ranked

    def _sizes(self) -> Counter[str]:
        own: dict[str, int] = {}
        for entry in self.entries.values():
            folder = entry.path.rpartition("/")[0]
            own[folder] = own.get(folder, 0) + entry.size
        sizes: Counter[str] = Counter()
        for folder, size in own.items():
            while folder:
                sizes[folder] += size
                folder = folder.rpartition("/")[0]
        return sizes

    def _is_shown_deeper(self, path: str, size: int, sizes: Counter[str]) -> bool:
        """Whether most of a folder's bytes are in one of the folders below it."""
        below = (sizes[posixpath.join(path, child)] for child in self._children.get(path, ()))
        return max(below, default=0) > size // 2
