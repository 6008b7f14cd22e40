"""An image as the OCI image spec lays it out: from a name to its manifest, its configuration and its layers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import IO, Any, Final, Protocol

from lambdaimg.images.inspection import cache
from lambdaimg.images.inspection.facts import (
    ARCHITECTURES,
    Configuration,
    Descriptor,
    ImageFacts,
    Layer,
    Manifest,
    Source,
    configuration_of,
)
from lambdaimg.model.errors import UsageError

INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ATTESTATION: Final = "vnd.docker.reference.type"
"""The annotation by which BuildKit marks what is no image ("Image Attestation Storage")."""


class Blobs(Protocol):
    """Where the parts of an image lie, by digest."""

    def manifest(self, digest: str) -> tuple[str, bytes]:
        """The media type and the bytes of a manifest or an index."""

    def blob(self, digest: str) -> AbstractContextManager[IO[bytes]]:
        """A blob as a stream."""


def read(source: Source, name: str, top: tuple[str, bytes], blobs: Blobs, architecture: str) -> ImageFacts:
    """All facts of the image whose manifest or index is `top`; of an index, the member of that architecture.

    Raises UsageError for an index without an image.
    """
    media_type, content = top
    index = ""
    members: tuple[Descriptor, ...] = ()
    if media_type in INDEXES:
        index, members = media_type, descriptors(json.loads(content)["manifests"])
        media_type, content = blobs.manifest(_member(name, members, architecture).digest)
    data = json.loads(content)
    configuration = _configuration(data["config"], blobs)
    layers = descriptors(data["layers"])
    manifest = Manifest(
        media_type=media_type,
        size=len(content),
        config=data["config"].get("mediaType", ""),
        layers=layers,
        index=index,
        members=members,
    )
    return ImageFacts(
        source=source,
        name=name,
        configuration=configuration,
        manifest=manifest,
        layers=tuple(_layers(layers, configuration, blobs)),
    )


def media_type_of(content: bytes, told: str) -> str:
    """A manifest's own media type; OCI leaves the field out of older ones, and `told` says it."""
    data = json.loads(content)
    return str(data.get("mediaType") or told)


def _member(name: str, members: tuple[Descriptor, ...], architecture: str) -> Descriptor:
    images = [member for member in members if not member.attestation]
    if not images:
        raise UsageError(f"{name} is an index without an image")
    return next((member for member in images if member.platform == architecture), images[0])


def _configuration(descriptor: Mapping[str, Any], blobs: Blobs) -> Configuration:
    with blobs.blob(descriptor["digest"]) as stream:
        return configuration_of(json.loads(stream.read()))


def _layers(layers: tuple[Descriptor, ...], configuration: Configuration, blobs: Blobs) -> Iterator[Layer]:
    """Each layer, from the cache where it has been read before: here or in the engine, for the digest is the same."""
    unpacked_digests = configuration.layers if len(configuration.layers) == len(layers) else [""] * len(layers)
    for descriptor, digest in zip(layers, unpacked_digests, strict=True):
        layer = cache.load(digest)
        if layer is None:
            from lambdaimg.images.inspection.layer import read_layer
            from lambdaimg.images.inspection.packed import unpacked

            with blobs.blob(descriptor.digest) as packed, unpacked(packed) as (stream, _):
                layer = read_layer(stream)
            cache.store(digest, layer)
        yield layer


def descriptors(data: list[Mapping[str, Any]]) -> tuple[Descriptor, ...]:
    return tuple(
        Descriptor(
            media_type=each.get("mediaType", ""),
            digest=each["digest"],
            size=each.get("size", 0),
            platform=_platform(each.get("platform") or {}),
            attestation=_ATTESTATION in (each.get("annotations") or {}),
        )
        for each in data
    )


def _platform(platform: Mapping[str, str]) -> str:
    name = platform.get("architecture", "")
    return ARCHITECTURES.get(name, name)
