"""Making a base image where no registry answers: out of a distribution's packages, or on top of another base."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from lambdaimg.catalog import bases as catalog
from lambdaimg.catalog.bases import BaseImage, Bootstrap
from lambdaimg.engine import buildx, programs
from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import PLATFORMS
from lambdaimg.images.secrets import Secret, ca_bundle
from lambdaimg.model.errors import BuildError, UsageError

Say = Callable[[str], None]

STAND_IN: Final = "lambdaimg.stand-in"
"""The label of an image that was made here under the name of one that a registry has."""

_APT: Final = Path("/etc/apt")
_ARCHITECTURES: Final = {"x86_64": "amd64", "arm64": "arm64"}


def make(engine: Engine, base: BaseImage, architecture: str, say: Say) -> None:
    """Makes the image of a catalog entry from its recipe, under its own reference.

    Raises UsageError when it has no recipe, BuildError when the recipe fails, ProgramMissing without mmdebstrap.
    """
    recipe = base.bootstrap
    if recipe is None:
        raise UsageError(f"{base.name} can't be made from packages", remedy=f"pull it: docker pull {base.reference}")
    if recipe.dockerfile is not None:
        _on_another_base(engine, base, recipe, recipe.dockerfile, architecture, say)
    else:
        _from_packages(engine, base, recipe, architecture, say)


def _from_packages(engine: Engine, base: BaseImage, recipe: Bootstrap, architecture: str, say: Say) -> None:
    say(f"making {base.reference} from the packages of {base.description}")
    with programs.producing(_mmdebstrap(recipe, architecture)) as producing:
        labels = f'LABEL {STAND_IN}="true" org.opencontainers.image.title="{base.reference}"'
        engine.import_root(producing.stream, base.reference, ['CMD ["bash"]', labels])
    if producing.code != 0:
        engine.remove_image(base.reference)
        raise BuildError(f"{base.reference} could not be made from packages", output=producing.last_lines)


def _mmdebstrap(recipe: Bootstrap, architecture: str) -> list[str]:
    mirror = debian_mirror()
    return [
        *("mmdebstrap", "--quiet", "--variant=minbase", f"--architectures={_ARCHITECTURES[architecture]}"),
        f"--include={','.join(recipe.packages)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.exclude),
        *(f"--dpkgopt=path-include={pattern}" for pattern in recipe.include),
        *(recipe.suite, "-"),
        *([mirror] if mirror else []),  # its own default otherwise
    ]


def debian_mirror(apt: Path = _APT) -> str:
    """The Debian mirror that this machine's own apt uses; empty on another distribution."""
    for uri in _uris(apt):
        if re.search(r"/debian/?$", uri):
            return uri
    return ""


def _uris(apt: Path) -> Iterator[str]:
    """Each address in apt's sources, in both of their formats."""
    for file in (apt / "sources.list", *sorted(apt.glob("sources.list.d/*"))):
        if file.is_file() and file.suffix in (".list", ".sources"):
            text = file.read_text("utf-8", "replace")
            yield from re.findall(r"^\s*(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(\S+)", text, re.MULTILINE)


def _on_another_base(
    engine: Engine, base: BaseImage, recipe: Bootstrap, dockerfile: Path, architecture: str, say: Say
) -> None:
    below = catalog.read(recipe.base)
    if engine.image(below.reference) is None:
        make(engine, below, architecture, say)
    say(f"making a stand-in for {base.reference} on {below.reference}")
    ca = ca_bundle()
    target = {
        "context": ".",
        "dockerfile": dockerfile.name,
        "args": {**recipe.args, "BASE": below.reference},
        "tags": [base.reference],
        "platforms": [PLATFORMS[architecture]],
        "output": ["type=docker"],
        "attest": ["type=provenance,disabled=true", "type=sbom,disabled=true"],
        "secret": [Secret(id="ca", source=ca).option] if ca else [],
    }
    buildx.bake({"target": {"base": target}}, dockerfile.parent, buildx.Options(), lambda _: None)
