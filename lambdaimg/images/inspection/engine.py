"""An image of the engine: read from what `docker save` would write, as it comes."""

import json
import tarfile
from typing import IO, Any, Final

from lambdaimg.engine.client import Engine
from lambdaimg.images.inspection import cache
from lambdaimg.images.inspection.facts import ImageFacts, Layer, configuration_of
from lambdaimg.model.errors import EngineError, UsageError

_BUFFER: Final = 64 * 1024  # tarfile copies what is left of it at each read
_MANIFEST: Final = "manifest.json"


def configuration_only(engine: Engine, name: str) -> ImageFacts:
    """What is known without reading a file, in milliseconds. Raises UsageError without such an image."""
    if engine.image(name) is None:
        raise UsageError(
            f"the engine has no image {name}", remedy="build or pull it, or give oci-archive: or registry:"
        )
    return ImageFacts(source="engine", name=name, configuration=configuration_of(engine.configuration(name)))


def read(engine: Engine, name: str) -> ImageFacts:
    """All facts of an image. Its layers are read once, and known from then on by their digests."""
    facts = configuration_only(engine, name)
    digests = facts.configuration.layers
    layers = [cache.load(digest) for digest in digests]
    if None in layers:
        with engine.save(name) as stream:
            layers = list(saved_layers(stream))
        if len(layers) != len(digests):
            raise EngineError(f"the engine saved {len(layers)} layers of {name}, which has {len(digests)}")
        for digest, layer in zip(digests, layers, strict=True):
            if layer is not None:
                cache.store(digest, layer)
    return ImageFacts(
        source="engine",
        name=name,
        configuration=facts.configuration,
        layers=tuple(layer for layer in layers if layer is not None),
    )


def saved_layers(stream: IO[bytes]) -> list[Layer]:
    """The layers, the lowest first, from an archive in which the list of them comes last."""
    found: dict[str, Layer] = {}
    links: dict[str, str] = {}
    manifest: list[dict[str, Any]] = []
    with tarfile.open(fileobj=stream, mode="r|", bufsize=_BUFFER) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if member.issym():
                links[member.name] = member.linkname
            elif content is not None and member.name == _MANIFEST:
                manifest = json.loads(content.read())
            elif content is not None and _is_layer(member.name):
                layer = _layer(content)
                found |= {member.name: layer} if layer else {}
            tar.members.clear()  # type: ignore[attr-defined]
    return [found[_linked(path, links)] for path in manifest[0]["Layers"]] if manifest else []


def _is_layer(name: str) -> bool:
    """`ID/layer.tar` of older engines, any blob of newer ones, whose archives are OCI layouts as well."""
    return name.endswith("/layer.tar") or name.startswith("blobs/")


def _layer(content: IO[bytes]) -> Layer | None:
    """A blob's files; None where the blob is a JSON document."""
    from lambdaimg.images.inspection.layer import read_layer  # not needed for what is known already
    from lambdaimg.images.inspection.packed import unpacked

    with unpacked(content) as (stream, packing):
        return None if packing == "json" else read_layer(stream)


def _linked(path: str, links: dict[str, str]) -> str:
    """A layer that occurs twice is saved once, and linked to as `../ID/layer.tar`."""
    return links[path].removeprefix("../") if path in links else path
