"""Zips whose bytes depend on their files alone: sorted, with one time and one of two modes for all."""

import io
import posixpath
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The oldest that a zip can say."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file of a zip, or a symbolic link, whose content is its target."""

    content: bytes
    executable: bool = False
    link: bool = False


Entries = Mapping[str, Entry]
"""By path in the zip."""


def zipped(entries: Entries) -> bytes:
    """The zip of some files. Anybody may read them, as Lambda's user must."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, entry in sorted(entries.items()):
            kind = stat.S_IFLNK if entry.link else stat.S_IFREG
            info = zipfile.ZipInfo(path, _TIME)
            info.create_system = 3  # Unix, whose modes follow
            info.external_attr = (kind | (0o755 if entry.executable or entry.link else 0o644)) << 16
            archive.writestr(info, entry.content, zipfile.ZIP_DEFLATED, 9)
    return stream.getvalue()


def from_folder(folder: Path) -> dict[str, Entry]:
    """The files below a folder."""
    return {
        file.relative_to(folder).as_posix(): Entry(
            content=file.read_bytes(), executable=bool(file.stat().st_mode & stat.S_IXUSR)
        )
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not _is_cache(file.relative_to(folder).as_posix())
    }


def from_tar(tar: Path, placed: Callable[[str], str | None]) -> dict[str, Entry]:
    """The files of a tar archive, where `placed` puts them; None leaves one out. A later one replaces an earlier."""
    entries: dict[str, Entry] = {}
    with tarfile.open(tar) as archive:
        for member in archive:
            path = placed(member.name.removeprefix("./"))
            if path is None or _is_cache(path) or not (member.isfile() or member.issym() or member.islnk()):
                continue
            entries[path] = _entry(archive, member)
    return entries


def _entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    if member.issym():
        return Entry(content=member.linkname.encode(), link=True)
    stream = archive.extractfile(member)  # of a hard link, the file's
    return Entry(content=stream.read() if stream else b"", executable=bool(member.mode & stat.S_IXUSR))


def leaves(path: str, entry: Entry) -> bool:
    """Whether a symbolic link leads out of the zip."""
    target = entry.content.decode("utf-8", "replace")
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return entry.link and (target.startswith("/") or joined.startswith(".."))


def _is_cache(path: str) -> bool:
    """Bytecode that Python would write anew: not the same in each build."""
    return "__pycache__" in path.split("/")
