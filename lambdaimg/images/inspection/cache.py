"""What was found in a layer, kept by the layer's digest: a layer never changes, so it is read once."""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from lambdaimg.images.inspection.facts import Entry, Layer, Program, Secret, is_digest
from lambdaimg.model.files import write_whole


def load(digest: str) -> Layer | None:
    """What is known of a layer; None when it has not been read by this version of lambdaimg."""
    if not is_digest(digest):
        return None
    try:
        return _decoded(json.loads(_file(digest).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def store(digest: str, layer: Layer) -> None:
    """Keeps what was found. A cache that can't be written is no reason to fail: the layer is read again."""
    if is_digest(digest):
        with contextlib.suppress(OSError):
            file = _file(digest)
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, json.dumps(_encoded(layer), separators=(",", ":")).encode())


def _file(digest: str) -> Path:
    return user_cache_path("lambdaimg") / "layers" / _reader() / f"{digest.replace(':', '-')}.json"


@cache
def _reader() -> str:
    """Tells what was read by the same code from what was not: a digest of the code."""
    own = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        own.update(file.read_bytes())
    return own.hexdigest()[:16]


def _encoded(layer: Layer) -> dict[str, Any]:
    return {
        "entries": layer.entries,
        "programs": layer.programs,
        "texts": layer.texts,
        "clients": layer.clients,
        "emulators": layer.emulators,
        "secrets": layer.secrets,
    }


def _decoded(data: Mapping[str, Any]) -> Layer:
    return Layer(
        entries=tuple(map(Entry._make, data["entries"])),
        programs={path: _program(*fields) for path, fields in data["programs"].items()},
        texts=data["texts"],
        clients=tuple(data["clients"]),
        emulators=tuple(data["emulators"]),
        secrets=tuple(map(Secret._make, data["secrets"])),
    )


def _program(machine: str, interpreter: str, needed: list[str], search: list[str]) -> Program:
    return Program(machine, interpreter, tuple(needed), tuple(search))
