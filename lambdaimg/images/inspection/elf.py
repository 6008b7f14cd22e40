"""What an ELF file says of itself: its architecture, its dynamic linker, the shared libraries that it needs."""

from typing import IO, Final

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from lambdaimg.images.inspection.facts import Program

MAGIC: Final = b"\x7fELF"
_MACHINES: Final = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}
_NAMES: Final = {"DT_NEEDED": "needed", "DT_RPATH": "rpath", "DT_RUNPATH": "runpath"}
"""The tags that name libraries and folders, and the attributes in which pyelftools has their strings."""


def read(file: IO[bytes]) -> Program | None:
    """The facts of an ELF file, which must be seekable; None for one that is damaged."""
    try:
        return _read(ELFFile(file))
    except (ELFError, ValueError, KeyError, AttributeError, IndexError, UnicodeDecodeError):
        return None  # the library's own errors, and what it raises on files cut short


def _read(file: ELFFile) -> Program:
    interpreter = ""
    needed: list[str] = []
    search: list[str] = []
    for segment in file.iter_segments():
        if isinstance(segment, InterpSegment):
            interpreter = segment.get_interp_name()
        elif isinstance(segment, DynamicSegment):
            for tag in segment.iter_tags():
                kind = str(tag.entry.d_tag)
                if kind in _NAMES:
                    (needed if kind == "DT_NEEDED" else search).append(str(getattr(tag, _NAMES[kind])))
    machine = str(file["e_machine"])
    folders = ":".join(search).split(":") if search else ()
    return Program(_MACHINES.get(machine, machine), interpreter, tuple(needed), tuple(folders))
