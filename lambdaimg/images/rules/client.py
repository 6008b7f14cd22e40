"""Rules on the runtime interface client, and on the emulator, which has no place in a deployed image."""

import json
import posixpath
import re
from collections.abc import Iterator

from lambdaimg.catalog import languages
from lambdaimg.images.rules import documents
from lambdaimg.images.rules.process import program_of
from lambdaimg.images.rules.rule import Finding, Needs, StaticRule, Subject

_AWS_ENTRYPOINT = "/lambda-entrypoint.sh"
"""The entrypoint of AWS's base images, which bring the emulator and start it outside Lambda alone."""
_ENDINGS = (".dist-info", ".gemspec", ".jar")
_VERSIONED = re.compile(
    r"(?P<package>awslambdaric|aws_lambda_ric|aws-lambda-java-runtime-interface-client)-(?P<version>\d[\w.]*?)"
    r"\.(?:dist-info|gemspec|jar)"
)
_NODE_PACKAGE = "/aws-lambda-ric/package.json"
_WITHOUT_EXECUTABLE = ("aws-lambda-ric", "4.0.0")


def clients(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """Package, version and path of each runtime interface client that says them."""
    for path in subject.tree.entries:
        if path.endswith(_ENDINGS) and (found := _VERSIONED.fullmatch(posixpath.basename(path))):
            yield found["package"], found["version"], path
    for path, text in subject.tree.texts():
        if path.endswith(_NODE_PACKAGE) and (version := _version(text)):
            yield "aws-lambda-ric", version, path


def _version(text: str) -> str:
    try:
        return str(json.loads(text).get("version", ""))
    except ValueError:
        return ""


def _present(subject: Subject) -> Iterator[Finding]:
    speaking = (path for path in subject.tree.clients if path != _AWS_ENTRYPOINT and not path.endswith(".md"))
    if not any(clients(subject)) and not any(speaking):
        yield Finding("runtime interface client", "no file of the image speaks of AWS_LAMBDA_RUNTIME_API")


def _current(subject: Subject) -> Iterator[Finding]:
    for package, version, path in clients(subject):
        known = _installed_by_lambdaimg(package)
        if (package, version) == _WITHOUT_EXECUTABLE:
            yield Finding(path, f"{package} {version} was published without its program")
        elif known and _major(version) < min(map(_major, known)):
            yield Finding(path, f"{package} {version} is old: lambdaimg installs {', '.join(known)}")


def _installed_by_lambdaimg(package: str) -> list[str]:
    """The versions of a client that the catalog pins; a Java package's name has its group before it."""
    found = map(languages.read, languages.names())
    own = [pin for each in found if each.ric_package.rpartition(":")[2] == package for pin in each.pins]
    return sorted({pin.version for pin in own if pin.version})


def _major(version: str) -> int:
    return int(re.match(r"\d+", version)[0])  # type: ignore[index]  # both patterns begin with a digit


def _emulators(subject: Subject) -> Iterator[Finding]:
    if _AWS_ENTRYPOINT not in subject.tree.entries:
        for path in sorted(subject.tree.emulators):
            yield Finding(path, f"{subject.tree.entries[path].size / 1024 / 1024:.0f} MB")


def _starts_emulator(subject: Subject) -> Iterator[Finding]:
    path = program_of(subject)
    if path and subject.tree.resolve(path) in subject.tree.emulators:
        yield Finding(path, "is the emulator")


RULES: tuple[StaticRule, ...] = (
    StaticRule(
        id="LI020",
        title="A runtime interface client is in the image",
        severity="fail",
        needs=Needs.FILES,
        why="Something in the image must ask the Runtime API for events, at the address in AWS_LAMBDA_RUNTIME_API; "
        "otherwise the function ends in its init phase.",
        document=documents.RUNTIME_API,
        remedy="Install the language's client (awslambdaric, aws-lambda-ric, …), or build with lambdaimg.",
        find=_present,
    ),
    StaticRule(
        id="LI021",
        title="The runtime interface client is current",
        severity="warn",
        needs=Needs.FILES,
        why="Older clients miss what Lambda has learnt since, and newer versions of their language.",
        document=documents.RUNTIMES,
        remedy="Install the version that lambdaimg does, or a newer one.",
        find=_current,
    ),
    StaticRule(
        id="LI022",
        title="The emulator is not in the image",
        severity="warn",
        needs=Needs.FILES,
        why="The Runtime Interface Emulator is for local runs; in Lambda it is of no use. (AWS's own images have it.)",
        document=documents.EMULATOR,
        remedy="Leave it out, and run the image with `lambdaimg run`, which mounts it.",
        find=_emulators,
    ),
    StaticRule(
        id="LI023",
        title="The emulator is not the entrypoint",
        severity="fail",
        needs=Needs.FILES,
        why="In Lambda the function would wait behind an emulator that nobody calls.",
        document=documents.EMULATOR,
        remedy="Start the runtime interface client; start the emulator only where AWS_LAMBDA_RUNTIME_API is not set.",
        find=_starts_emulator,
    ),
)
