"""An image in an OCI archive: a tar file with an OCI image layout, as buildx, skopeo and newer engines write it."""

import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lambdaimg.images.inspection import oci
from lambdaimg.images.inspection.facts import ImageFacts, is_digest
from lambdaimg.model.errors import UsageError


def read(file: Path, architecture: str) -> ImageFacts:
    """All facts of the image in an archive. Raises UsageError when the file is none."""
    name = f"oci-archive:{file}"
    try:
        with tarfile.open(file) as tar:
            blobs = _Archive(tar)
            return oci.read("oci-archive", name, blobs.top(), blobs, architecture)
    except OSError as error:
        raise UsageError(f"can't read {file}: {error.strerror or error}") from None
    except (tarfile.TarError, KeyError, json.JSONDecodeError, EOFError):
        remedy = "make one with docker buildx build --output type=oci,dest=FILE, or skopeo copy"
        raise UsageError(f"{file} is not an OCI archive", remedy=remedy) from None


class _Archive:
    """The blobs of an OCI image layout (OCI image spec, "Image Layout")."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = {member.name.removeprefix("./"): member for member in tar}

    def top(self) -> tuple[str, bytes]:
        """What the layout's list leads to; several images are an index of their own."""
        listed = self._read("index.json")
        first, *more = json.loads(listed)["manifests"]
        if more:
            return oci.INDEXES[0], listed
        content = self._read(_path(first["digest"]))
        return oci.media_type_of(content, first.get("mediaType", "")), content

    def manifest(self, digest: str) -> tuple[str, bytes]:
        content = self._read(_path(digest))
        return oci.media_type_of(content, oci.MANIFESTS[0]), content

    @contextmanager
    def blob(self, digest: str) -> Iterator[IO[bytes]]:
        stream = self._tar.extractfile(self._members[_path(digest)])
        if stream is None:
            raise KeyError(digest)
        with stream:
            yield stream

    def _read(self, path: str) -> bytes:
        stream = self._tar.extractfile(self._members[path])
        return stream.read() if stream else b""


def _path(digest: str) -> str:
    if not is_digest(digest):
        raise KeyError(digest)
    return f"blobs/{digest.replace(':', '/', 1)}"
