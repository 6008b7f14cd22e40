"""Images made by hand: blobs, manifests and indexes as the OCI image spec has them, for an archive or a registry."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import requests

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
GZIP: Final = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def tar(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


@dataclass
class Layout:
    """The parts of one image. `top` is the manifest or index that its name leads to."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: list[tuple[str, bytes]] = field(default_factory=list)

    def blob(self, media_type: str, content: bytes) -> dict[str, Any]:
        self.blobs[digest(content)] = content
        return {"mediaType": media_type, "digest": digest(content), "size": len(content)}

    def manifest(self, media_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
        content = json.dumps({"schemaVersion": 2, "mediaType": media_type, **data}).encode()
        self.manifests.append((media_type, content))
        return {"mediaType": media_type, "digest": digest(content), "size": len(content)}

    def image(
        self,
        layer: bytes,
        *,
        pack: Callable[[bytes], bytes] = gzip.compress,
        layer_type: str = GZIP,
        config_type: str = CONFIG,
        os: str = "linux",
        annotations: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        config = {"architecture": "amd64", "os": os, "config": {}, "rootfs": {"diff_ids": [digest(layer)]}}
        data = {
            "config": self.blob(config_type, json.dumps(config).encode()),
            "layers": [self.blob(layer_type, pack(layer))],
            "annotations": dict(annotations or {}),
        }
        return self.manifest(MANIFEST, data)

    def write(self, file: Path) -> str:
        """Writes an archive, whose name leads to the manifest that was made last; returns its reference."""
        media_type, top = self.manifests[-1]
        listed = [{"mediaType": media_type, "digest": digest(top), "size": len(top)}]
        files = {
            "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
            "index.json": json.dumps({"manifests": listed}).encode(),
        }
        blobs = {**self.blobs, **{digest(content): content for _, content in self.manifests}}
        files |= {f"blobs/{name.replace(':', '/')}": content for name, content in blobs.items()}
        file.write_bytes(tar(files))
        return f"oci-archive:{file}"

    def push(self, registry: str, name: str) -> str:
        """Puts all parts into a registry; the tag leads to the manifest that was made last. Returns the reference."""
        for identity, content in self.blobs.items():
            started = requests.post(f"http://{registry}/v2/{name}/blobs/uploads/", timeout=30)
            url = started.headers["Location"]
            put = requests.put(url, params={"digest": identity}, data=content, timeout=30)
            assert put.status_code == 201, put.text
        for media_type, content in self.manifests:
            last = content is self.manifests[-1][1]
            url = f"http://{registry}/v2/{name}/manifests/{'latest' if last else digest(content)}"
            put = requests.put(url, data=content, headers={"Content-Type": media_type}, timeout=30)
            assert put.status_code == 201, put.text
        return f"registry:{registry}/{name}:latest"
