"""Writing rendered files: whole or not at all, only where they change, and never over a file of the user's own."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lambdaimg.model.errors import UsageError
from lambdaimg.model.files import write_whole

RECORD: Final = ".rendered.json"
"""Beside rendered files: the SHA-256 of each as it was written, by which an edited one is known."""


def write_private(folder: Path, files: Mapping[str, str]) -> None:
    """Writes files that are lambdaimg's alone, into a folder that git ignores.

    Raises UsageError when the folder can't be written.
    """
    _write_all(folder, {".gitignore": "*\n", **files})


def write_rendered(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Writes files that the user may keep and edit; returns the paths that changed.

    Raises UsageError, naming all of them and writing none, when files are there that lambdaimg did not write, or
    that were edited since.
    """
    record = _read_record(folder)
    foreign = [name for name in files if _is_foreign(folder / name, record.get(name), files[name])]
    if foreign:
        raise UsageError(
            f"not written: {', '.join(str(folder / name) for name in foreign)} "
            f"{'is' if len(foreign) == 1 else 'are'} not as `render` left {'it' if len(foreign) == 1 else 'them'}",
            remedy="move them away, or render into another folder with -o",
        )
    changed = _write_all(folder, files)
    _write_all(folder, {RECORD: json.dumps({**record, **{n: _digest(t) for n, t in files.items()}}, indent=2) + "\n"})
    return changed


def _read_record(folder: Path) -> dict[str, str]:
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _is_foreign(file: Path, written: str | None, text: str) -> bool:
    """Whether a file is there whose content neither `render` wrote nor would write now."""
    if not file.exists():
        return False
    try:
        found = _digest(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return True
    return found not in (written, _digest(text))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write_all(folder: Path, files: Mapping[str, str]) -> list[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [folder / name for name, text in files.items() if _write(folder / name, text)]
    except OSError as error:
        raise UsageError(f"can't write {error.filename or folder}: {error.strerror}") from None


def _write(file: Path, text: str) -> bool:
    """Replaces a file in one step; a file that is already right is left alone, its time too."""
    if file.is_file() and file.read_bytes() == text.encode():
        return False
    write_whole(file, text.encode())
    return True
