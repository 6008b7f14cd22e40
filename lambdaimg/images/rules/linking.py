"""Which shared libraries a program needs, and which of them the dynamic linker would not find (ld.so(8))."""

import posixpath
from collections.abc import Iterator, Sequence

from lambdaimg.images.inspection.facts import Program
from lambdaimg.images.inspection.tree import Tree

_FOLDERS = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")
_MULTIARCH = ("/lib/{}-linux-gnu", "/usr/lib/{}-linux-gnu", "/usr/local/lib/{}-linux-gnu")
_TRIPLETS = {"x86_64": "x86_64", "arm64": "aarch64"}


def missing_libraries(tree: Tree, path: str, search: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each library that is missing, with the file that needs it: of the program at `path` and of its libraries.

    `search` are the folders of LD_LIBRARY_PATH.
    """
    folders = list(filter(None, search))
    seen: set[str] = set()
    todo = [path]
    while todo:
        user = todo.pop()
        program = tree.program(user)
        if program is None:
            continue
        folders += _own_folders(user, program)  # they hold for the libraries' own libraries too (DT_RPATH)
        for name in (name for name in program.needed if name not in seen):
            seen.add(name)
            found = _find(tree, name, [*folders, *_usual_folders(tree, program.machine)])
            if found:
                todo.append(found)
            else:
                yield name, user


def _own_folders(user: str, program: Program) -> list[str]:
    here = posixpath.dirname(user)
    return [folder.replace("${ORIGIN}", here).replace("$ORIGIN", here) for folder in program.search]


def _usual_folders(tree: Tree, machine: str) -> list[str]:
    triplet = _TRIPLETS.get(machine, machine)
    return [*_configured(tree), *(folder.format(triplet) for folder in _MULTIARCH), *_FOLDERS]


def _find(tree: Tree, name: str, folders: Sequence[str]) -> str:
    """Where a library is; empty where it is not."""
    if "/" in name:
        return tree.resolve(name)
    return next(filter(None, (tree.resolve(posixpath.join(folder, name)) for folder in folders)), "")


def _configured(tree: Tree) -> Iterator[str]:
    """The folders that the linker's own files name; `include` lines are met by reading all of those."""
    for path, text in tree.texts():
        if path.startswith(("/etc/ld.so.conf", "/etc/ld-musl-")):
            for line in text.replace(":", "\n").splitlines():
                if line.startswith("/"):
                    yield line.strip()
