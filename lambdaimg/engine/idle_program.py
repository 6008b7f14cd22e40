"""A program that does nothing until it is killed, for a container that is there only to have a volume mounted.

No program is in every image, so this one is brought along: an ELF file of 180 bytes that sleeps in the kernel.
"""

import io
import struct
import tarfile
from typing import Final

NAME: Final = ".lambdaimg-idle"
PATH: Final = f"/{NAME}"

_BASE: Final = 0x400000
_HEADERS: Final = 64 + 56
"""Bytes of an ELF header and of one program header (System V ABI, "ELF-64")."""

_CODE: Final = {
    # pause() for ever: mov $34, %eax; syscall; jmp to the start
    "x86_64": bytes.fromhex("b822000000 0f05 ebf7"),
    # ppoll(NULL, 0, NULL, NULL) for ever, for arm64 has no pause(): x0 to x3 = 0; x8 = 73; svc; b to the start
    "arm64": bytes.fromhex("e0031faa e1031faa e2031faa e3031faa 280980d2 010000d4 faffff17"),
}
_MACHINES: Final = {"x86_64": 62, "arm64": 183}


def program(architecture: str) -> bytes:
    """The executable for the kernel's architecture, whatever the image's."""
    code = _CODE[architecture]
    size = _HEADERS + len(code)
    identification = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        *(identification, 2, _MACHINES[architecture], 1, _BASE + _HEADERS),
        *(64, 0, 0, 64, 56, 1, 0, 0, 0),
    )
    readable_and_executable = 5
    segment = struct.pack("<IIQQQQQQ", 1, readable_and_executable, 0, _BASE, _BASE, size, size, 0x1000)
    return header + segment + code


def archive(architecture: str) -> bytes:
    """A tar archive of it, to be unpacked at a container's root."""
    content = program(architecture)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        entry = tarfile.TarInfo(NAME)
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
