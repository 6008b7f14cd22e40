"""What an image that no catalog knows is made of: looked at once, by a shell script run inside it."""

import re
from typing import Final

from lambdaimg.catalog import bases as catalog
from lambdaimg.catalog import languages
from lambdaimg.catalog.bases import BaseImage, Runtime
from lambdaimg.catalog.languages import Probe
from lambdaimg.engine import labels
from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import ContainerSpec, Limits
from lambdaimg.model.errors import BuildError, EngineError

_SCRIPT: Final = r"""
cat /etc/os-release 2>/dev/null
for manager in apt-get apk microdnf dnf; do command -v $manager >/dev/null && echo "MANAGER=$manager"; done
ls /lib/ld-musl-* >/dev/null 2>&1 && echo LIBC=musl
for program in @PROGRAMS@; do
  found=$(command -v $program) && echo "$program=$(readlink -f "$found") $($program --version)"
done
true
"""
_MANAGERS: Final = {"apt-get": "apt", "apk": "apk", "microdnf": "microdnf", "dnf": "dnf"}


def probe(engine: Engine, reference: str) -> BaseImage:
    """The facts of an image: its distribution, package manager, and the language runtimes it brings.

    What its distribution's packages would bring is taken from the catalog's entry of that distribution.
    Raises BuildError when the image has no shell to look around with.
    """
    said = _facts(_output(engine, reference))
    distribution, release = said.get("ID", ""), said.get("VERSION_ID", "")
    plain = catalog.of_distribution(distribution, release)
    image = engine.image(reference)
    return BaseImage(
        name="",
        reference=reference,
        description=said.get("PRETTY_NAME", ""),
        distribution=distribution,
        release=release,
        libc=said.get("LIBC", "glibc"),
        package_manager=_MANAGERS.get(said.get("MANAGER", ""), "none"),
        architectures=(image.architecture,) if image else (),
        runtimes={**(plain.runtimes if plain else {}), **_own_runtimes(said)},
    )


def _output(engine: Engine, reference: str) -> str:
    spec = ContainerSpec(
        image=reference,
        entrypoint=("/bin/sh",),
        command=("-c", _SCRIPT.replace("@PROGRAMS@", " ".join(probe.program for probe in _probes().values()))),
        labels={labels.ROLE: "probe", labels.OWNER: str(labels.this_process())},
        network="none",
        limits=Limits(user="65534:65534"),
    )
    container = engine.create(spec)
    try:
        output = engine.output(container)
        engine.start(container)
        return b"".join(piece for piece, _ in output).decode("utf-8", "replace")
    except EngineError as error:
        raise BuildError(
            f"can't look into the base {reference}: {error.what}", remedy="use a Dockerfile of your own (`dockerfile`)"
        ) from None
    finally:
        engine.remove(container)


def _facts(output: str) -> dict[str, str]:
    """KEY=VALUE lines, values with or without quotes; the first of a key counts."""
    found: dict[str, str] = {}
    for line in output.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            found.setdefault(key, value.strip("\"'"))
    return found


def _probes() -> dict[str, Probe]:
    """What to look for, by language."""
    known = map(languages.read, languages.names())
    return {language.name: language.probe for language in known if language.probe}


def _own_runtimes(said: dict[str, str]) -> dict[str, Runtime]:
    runtimes = {}
    for language, probe in _probes().items():
        match = re.match(r"(\S+) \D*(\d+(?:\.\d+)*)", said.get(probe.program, ""))
        if match:
            version = ".".join(match[2].split(".")[: probe.parts])
            runtimes[language] = Runtime(version=version, executable=match[1])
    return runtimes
