"""Which image a base's reference means: asked of the registry, and written into the catalog."""

import re

from lambdaimg import resources
from lambdaimg.catalog.bases import BaseImage
from lambdaimg.engine.client import Engine
from lambdaimg.model.errors import EngineError, RemoteError, UsageError
from lambdaimg.model.files import write_whole


def pin(engine: Engine, base: BaseImage) -> str:
    """The digest (`sha256:…`) that the registry has for a base, which the catalog has too afterwards.

    Raises RemoteError when the registry can't be asked, UsageError when the catalog can't be written.
    """
    try:
        digest = engine.digest(base.reference)
    except EngineError as error:
        raise RemoteError(f"{base.name}: the registry was not asked: {error.what}", remedy="try again later") from None
    file = resources.base_images() / f"{base.name}.toml"
    text = re.sub(r"^digest = .*\n", "", file.read_text("utf-8"), flags=re.MULTILINE)
    text = re.sub(r"^(reference = .*\n)", rf'\1digest = "{digest}"\n', text, count=1, flags=re.MULTILINE)
    try:
        write_whole(file, text.encode())
    except OSError as error:
        raise UsageError(f"can't write {file}: {error.strerror}", remedy="pin in a checkout") from None
    return digest
