"""A blob's bytes, unpacked as they are read: what packs them is told by their beginning, as the engines do."""

import contextlib
import gzip
import io
import sys
from collections.abc import Iterator
from typing import IO, Any, Final, Literal, cast

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdFile
else:
    from backports.zstd import ZstdFile

Packing = Literal["gzip", "zstd", "json", "none"]

_MAGIC: Final[dict[bytes, Packing]] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"{": "json"}
_BUFFER: Final = 1024 * 1024


@contextlib.contextmanager
def unpacked(stream: IO[bytes]) -> Iterator[tuple[IO[bytes], Packing]]:
    """The unpacked stream, and how it was packed."""
    buffered = io.BufferedReader(cast("Any", stream), _BUFFER)
    beginning = buffered.peek(4)[:4]
    packing: Packing = next((name for magic, name in _MAGIC.items() if beginning.startswith(magic)), "none")
    if packing == "gzip":
        with gzip.GzipFile(fileobj=buffered) as file:
            yield cast("IO[bytes]", file), packing
    elif packing == "zstd":
        with ZstdFile(buffered) as file:
            yield cast("IO[bytes]", file), packing
    else:
        yield buffered, packing
