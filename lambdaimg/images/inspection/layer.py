"""Reading one layer: a tar stream, from its beginning to its end, once, in little memory."""

import posixpath
import re
import tarfile
import tempfile
from collections.abc import Iterator
from io import BytesIO
from typing import IO, Final

from lambdaimg.images.inspection import elf, secret_search
from lambdaimg.images.inspection.facts import CAPABILITIES, Entry, Layer, Program, Secret
from lambdaimg.images.inspection.literals import CLIENTS, EMULATORS, LONGEST, literals_in
from lambdaimg.model.errors import UsageError

_CHUNK: Final = 1024 * 1024
_BUFFER: Final = 64 * 1024  # tarfile copies what is left of it at each read
_SCRIPT_LINE: Final = 256
"""Bytes of a script's first line that the kernel reads (execve(2))."""
_TEXTS: Final = re.compile(
    r"/(?:etc|usr/lib)/os-release|/etc/ld\.so\.conf(?:\.d/[^/]+\.conf)?|/etc/ld-musl-[^/]+\.path"
    r"|.*/aws-lambda-ric/package\.json|/usr/(?:local/)?include/node/node_version\.h"
)
_CAPABILITY_HEADER: Final = "SCHILY.xattr.security.capability"
_KINDS: Final = {
    **dict.fromkeys((tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE), "f"),
    tarfile.LNKTYPE: "f",
    tarfile.DIRTYPE: "d",
    tarfile.SYMTYPE: "l",
}


def read_layer(stream: IO[bytes]) -> Layer:
    """The facts of a layer, given as an uncompressed tar stream. Raises UsageError when it is not one."""
    reader = _Reader()
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_BUFFER) as tar:
            for member in tar:
                reader.read(tar, member)
                tar.members.clear()  # type: ignore[attr-defined]  # or it would keep all that it has seen
        while stream.read(_CHUNK):  # what pads the archive's end
            pass
    except (tarfile.TarError, EOFError) as error:
        raise UsageError(f"a layer of the image is not a whole tar archive: {error}") from None
    return reader.layer()


class _Reader:
    """Gathers a layer's facts, member by member."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._programs: dict[str, Program] = {}
        self._texts: dict[str, str] = {}
        self._clients: list[str] = []
        self._emulators: list[str] = []
        self._secrets: list[Secret] = []

    def layer(self) -> Layer:
        return Layer(
            entries=tuple(self._entries.values()),
            programs=self._programs,
            texts=self._texts,
            clients=tuple(self._clients),
            emulators=tuple(self._emulators),
            secrets=tuple(self._secrets),
        )

    def read(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = posixpath.normpath("/" + member.name)
        if path == "/":
            return
        if member.islnk():
            self._link(path, posixpath.normpath("/" + member.linkname))
            return
        kind = _KINDS.get(member.type, "o")
        mode = member.mode | (CAPABILITIES if _CAPABILITY_HEADER in member.pax_headers else 0)
        self._entries[path] = Entry(
            path, kind, mode, member.size if kind == "f" else 0, member.linkname if kind == "l" else ""
        )
        content = tar.extractfile(member) if kind == "f" and member.size and not member.issparse() else None
        if content is not None:
            self._content(path, member.size, content)

    def _link(self, path: str, target: str) -> None:
        """A hard link: the same file under another name, whose bytes count once."""
        same = self._entries.get(target)
        if same is not None:
            self._entries[path] = same._replace(path=path, size=0)
            if target in self._programs:
                self._programs[path] = self._programs[target]

    def _content(self, path: str, size: int, stream: IO[bytes]) -> None:
        if size <= secret_search.LARGEST:
            self._small(path, stream.read())
        else:
            self._large(path, stream)

    def _small(self, path: str, content: bytes) -> None:
        literals = literals_in(content)
        self._secrets += [Secret(path, line, kind) for line, kind in secret_search.search(content, literals)]
        self._mark(path, literals)
        if content.startswith(elf.MAGIC):
            self._program(path, elf.read(BytesIO(content)))
        elif content.startswith(b"#!"):
            line = content[2:_SCRIPT_LINE].split(b"\n", 1)[0]
            self._program(path, Program(interpreter=line.decode("utf-8", "replace").strip(" \t")))
        if _TEXTS.fullmatch(path):
            self._texts[path] = content.decode("utf-8", "replace")

    def _large(self, path: str, stream: IO[bytes]) -> None:
        """Looked at piece by piece; only a program's bytes are kept meanwhile, on disk."""
        literals: set[bytes] = set()
        with tempfile.TemporaryFile() as kept:
            is_program = False
            for number, piece in enumerate(_overlapping(stream)):
                is_program = is_program or (number == 0 and piece.startswith(elf.MAGIC))
                literals |= literals_in(piece)
                if is_program:
                    kept.write(piece if number == 0 else piece[LONGEST:])
            if is_program:
                self._program(path, elf.read(kept))
        self._mark(path, literals)

    def _mark(self, path: str, literals: set[bytes]) -> None:
        """The emulator speaks of the Runtime API too, and is no client."""
        if literals & EMULATORS:
            self._emulators.append(path)
        elif literals & CLIENTS:
            self._clients.append(path)

    def _program(self, path: str, program: Program | None) -> None:
        if program is not None:
            self._programs[path] = program


def _overlapping(stream: IO[bytes]) -> Iterator[bytes]:
    """A stream's pieces; each repeats the end of the one before, so that no literal is cut in two."""
    tail = b""
    while piece := stream.read(_CHUNK):
        yield tail + piece
        tail = piece[-LONGEST:]
