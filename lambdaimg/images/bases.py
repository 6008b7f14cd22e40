"""The base of each function, present in the engine: found, pulled, or made from its recipe."""

from collections.abc import Callable

from lambdaimg.catalog import bases as catalog
from lambdaimg.catalog.bases import BaseImage
from lambdaimg.engine.client import Engine
from lambdaimg.images import bootstrap
from lambdaimg.images.probe import probe
from lambdaimg.model.errors import BuildError, EngineError, RemoteError
from lambdaimg.model.suggest import did_you_mean

Say = Callable[[str], None]


def provide(engine: Engine, base: str, architecture: str, mirror: str, say: Say) -> BaseImage:
    """The base called `base` (a catalog name or an image reference), in the engine and known.

    Pulled where it is missing, from `mirror` if there is one; made from its recipe where it can't be pulled.
    Raises BuildError when neither works.
    """
    entry = catalog.find(base)
    reference = entry.reference if entry else base
    if not _is_there(engine, reference):
        try:
            pull(engine, reference, architecture, mirror, say, digest=entry.digest if entry else "")
        except EngineError as error:
            if entry is None or entry.bootstrap is None:
                raise _not_had(base, error) from None
            say(f"{reference} can't be pulled ({_short(error)}): making it from packages")
            bootstrap.make(engine, entry, architecture, say)
    return entry or probe(engine, reference)


def _is_there(engine: Engine, reference: str) -> bool:
    """Whether the engine has an image, so that no registry needs to be asked."""
    return reference == catalog.EMPTY or engine.image(reference) is not None


def pull(engine: Engine, reference: str, architecture: str, mirror: str, say: Say, *, digest: str = "") -> None:
    """Pulls an image, by way of the mirror if there is one, and by its digest; it has its own name afterwards."""
    source = f"{mirror}/{_on_a_mirror(reference)}" if mirror else reference
    if digest:
        source = f"{source.rpartition(':')[0]}@{digest}"
    say(f"pulling {source}")
    engine.pull(source, architecture)
    if source != reference:
        engine.tag(source, reference)


def pull_named(engine: Engine, image: str, architecture: str, say: Say) -> None:
    """Pulls the image that a project names as a function's. Raises RemoteError with the registry's answer."""
    try:
        pull(engine, image, architecture, "", say)
    except EngineError as error:
        what = f"the image {image} is not here and can't be pulled: {_short(error)}"
        raise RemoteError(what, remedy="build it, or log in to its registry: docker login") from None


def _on_a_mirror(reference: str) -> str:
    """A reference without its registry; an official image's name is short for `library/NAME`."""
    first, slash, rest = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return rest
    return reference if slash else f"library/{reference}"


def _not_had(base: str, error: EngineError) -> BuildError:
    suggestion = did_you_mean(base, catalog.names())
    return BuildError(
        f"the base {base} is not here and can't be pulled: {_short(error)}",
        remedy=suggestion or "`lambdaimg base list` shows the bases that need no registry",
    )


def _short(error: EngineError) -> str:
    return error.what.removeprefix("the engine refused: ").rpartition(": ")[2]
