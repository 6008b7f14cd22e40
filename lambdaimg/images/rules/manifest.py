"""Rules on what Lambda pulls: manifest, media types, size, layers."""

from collections.abc import Iterator

from lambdaimg.images.inspection import oci
from lambdaimg.images.rules import documents
from lambdaimg.images.rules.rule import Finding, Needs, StaticRule, Subject

_MIB = 1024 * 1024
_LARGEST = 10 * 1024 * _MIB
_HIDDEN = 10 * _MIB
_MANIFEST_BYTES = 25_400
_MANY_LAYERS = 100
_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
_LAYERS = ("application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip")


def _size(subject: Subject) -> Iterator[Finding]:
    size = subject.image.size
    if size > _LARGEST:
        yield Finding("size", f"{size // _MIB} MB in all layers; Lambda takes {_LARGEST // _MIB}")


def _hidden(subject: Subject) -> Iterator[Finding]:
    hidden = subject.tree.hidden
    if sum(hidden.values()) >= _HIDDEN:
        for path, size in sorted(hidden.items(), key=lambda item: -item[1])[:10]:
            yield Finding(path, f"{size / _MIB:.1f} MB that a later layer hides")


def _index(subject: Subject) -> Iterator[Finding]:
    manifest = subject.image.manifest
    if manifest and manifest.index:
        kinds = ["an attestation" if member.attestation else member.platform for member in manifest.members]
        yield Finding(manifest.index, f"the name leads to an index of {', '.join(kinds)}")


def _media_types(subject: Subject) -> Iterator[Finding]:
    manifest = subject.image.manifest
    if manifest is None:
        return
    if manifest.media_type not in oci.MANIFESTS:
        yield Finding("manifest", f"has the media type {manifest.media_type or 'of nothing'}")
    if manifest.config not in _CONFIGS:
        yield Finding("config", f"has the media type {manifest.config or 'of nothing'}")


def _layer_types(subject: Subject) -> Iterator[Finding]:
    for layer in subject.image.manifest.layers if subject.image.manifest else ():
        if layer.media_type not in _LAYERS:
            yield Finding(layer.digest, f"has the media type {layer.media_type}")


def _manifest_size(subject: Subject) -> Iterator[Finding]:
    manifest = subject.image.manifest
    if manifest and manifest.size > _MANIFEST_BYTES:
        yield Finding("manifest", f"has {manifest.size} bytes")


def _layer_count(subject: Subject) -> Iterator[Finding]:
    count = len(subject.configuration.layers)
    if count > _MANY_LAYERS:
        yield Finding("layers", f"{count} layers")


RULES: tuple[StaticRule, ...] = (
    StaticRule(
        id="LI001",
        title="The image has at most 10 GB, uncompressed",
        severity="fail",
        needs=Needs.FILES,
        why="Lambda refuses larger images. All layers count, with the files that later layers hide.",
        document=documents.QUOTAS,
        remedy="Leave the largest folders out, or build in one stage and copy what is needed into another.",
        find=_size,
    ),
    StaticRule(
        id="LI002",
        title="No layer hides much of what an earlier one brought",
        severity="warn",
        needs=Needs.FILES,
        why="A file that a later layer deletes or replaces is still stored, pulled and counted (10 MB or more here).",
        document=documents.IMAGES,
        remedy="Delete in the RUN step that makes the files, or copy only what is needed from an earlier stage.",
        find=_hidden,
    ),
    StaticRule(
        id="LI003",
        title="The name leads to one image, not to an index",
        severity="fail",
        needs=Needs.MANIFEST,
        why="Lambda takes one architecture an image, and refuses an index: one of several platforms, and the one that "
        "BuildKit makes to hold attestations.",
        document=documents.IMAGES,
        remedy="Build for one platform, with --provenance=false --sbom=false.",
        find=_index,
    ),
    StaticRule(
        id="LI004",
        title="Manifest and configuration have media types that Lambda knows",
        severity="fail",
        needs=Needs.MANIFEST,
        why="Lambda takes Docker's image manifest V2 schema 2 and OCI's image manifest v1, and no others.",
        document=documents.IMAGES,
        remedy="Push with docker or buildx (--output type=registry,oci-mediatypes=true), or convert with skopeo copy.",
        find=_media_types,
    ),
    StaticRule(
        id="LI005",
        title="The layers are packed with gzip",
        severity="fail",
        needs=Needs.MANIFEST,
        why="Lambda is known to take layers packed with gzip. It was seen to reject others "
        "(UnsupportedImageLayerDetected), and documents neither zstd nor layers that are not packed.",
        document=documents.REJECTIONS,
        remedy="Build with --output type=registry,compression=gzip,force-compression=true.",
        find=_layer_types,
    ),
    StaticRule(
        id="LI006",
        title="The manifest has at most 25,400 bytes",
        severity="warn",
        needs=Needs.MANIFEST,
        why="AWS advises to stay below, for the time that a function takes to become active.",
        document=documents.IMAGES,
        remedy="Join RUN and COPY steps, and leave annotations out.",
        find=_manifest_size,
    ),
    StaticRule(
        id="LI007",
        title="The image has at most 100 layers",
        severity="warn",
        needs=Needs.CONFIGURATION,
        why="Engines stop at 127 layers, and the manifest grows with each past what AWS advises.",
        document=documents.IMAGES,
        remedy="Join RUN and COPY steps, or copy the result of one stage into another.",
        find=_layer_count,
    ),
)
