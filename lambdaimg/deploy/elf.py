"""Whether a compiled file runs on Lambda's own runtimes: Amazon Linux 2023, which has glibc 2.34."""

import io
import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from lambdaimg.deploy.aws import INSTALL
from lambdaimg.model.errors import UsageError

_GLIBC: Final = (2, 34)
_MACHINES: Final = {"x86_64": "EM_X86_64", "arm64": "EM_AARCH64"}
_THERE: Final = re.compile(
    r"ld-linux-(?:x86-64|aarch64)\.so\.[12]"
    r"|lib(?:c|m|dl|pthread|rt|util|resolv)\.so\.\d"
    r"|lib(?:gcc_s\.so\.1|stdc\+\+\.so\.6|z\.so\.1)"
)
"""Libraries of Amazon Linux 2023's minimal image, as every runtime has them: glibc, libgcc, libstdc++, zlib."""


def problems(name: str, content: bytes, architecture: str, beside: Collection[str]) -> Iterator[str]:
    """Why a file can't run there; nothing for a file that is no ELF file. `beside` are the names of the zip's files.

    Raises UsageError without the library that reads ELF files.
    """
    if not content.startswith(b"\x7fELF"):
        return
    file = _elf_file(content)
    if file["e_machine"] != _MACHINES[architecture]:
        yield f"{name} is for another architecture than {architecture}"
        return
    newest = max(_glibc_versions(file), default=(0,))
    if newest > _GLIBC:
        yield f"{name} needs glibc {_text(newest)}; Lambda's runtime has {_text(_GLIBC)}"
    for library in _needed(file):
        if library not in beside and not _THERE.fullmatch(library):
            yield f"{name} needs {library}, which neither the zip nor Lambda's runtime has"


def _elf_file(content: bytes) -> Any:
    try:
        from elftools.elf.elffile import ELFFile
    except ImportError:
        raise UsageError("packages are checked with pyelftools, which is not installed", remedy=INSTALL) from None
    return ELFFile(io.BytesIO(content))


def _glibc_versions(file: Any) -> Iterator[tuple[int, ...]]:
    """The versions of glibc's symbols that the file asks for."""
    section = file.get_section_by_name(".gnu.version_r")
    for _, wanted in section.iter_versions() if section else ():
        for version in wanted:
            if found := re.fullmatch(r"GLIBC_(\d+(?:\.\d+)+)", version.name):
                yield tuple(map(int, found[1].split(".")))


def _needed(file: Any) -> list[str]:
    section = file.get_section_by_name(".dynamic")
    return [tag.needed for tag in section.iter_tags("DT_NEEDED")] if section else []


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
