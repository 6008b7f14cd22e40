"""Rules on secrets: in the files of any layer, in the environment, in the history of the build."""

import posixpath
import re
from collections.abc import Iterator

from lambdaimg.images.inspection import secret_search
from lambdaimg.images.inspection.literals import literals_in
from lambdaimg.images.rules import documents
from lambdaimg.images.rules.rule import Finding, Needs, StaticRule, Subject

_PACKAGES = re.compile(r"/(?:node_modules|site-packages|dist-packages|gems|usr/lib|usr/share|var/lang|dependencies)/")
_TESTS = re.compile(r"/(?:tests?|testing|testdata|spec|fixtures|examples?|docs?)/")
"""Published packages bring keys for their own tests, which are no secrets."""
_FILES = re.compile(
    r".*/\.env(?:\.(?!example|sample|template|dist)[\w.-]+)?"
    r"|.*/\.aws/credentials|.*/\.(?:netrc|pgpass|pypirc|git-credentials)|.*/id_(?:rsa|dsa|ecdsa|ed25519)"
    r"|.*/\.docker/config\.json|.*/\.kube/config|.*/[\w.-]*\.tfstate"
)
_NAMES = re.compile(r"(?i).*(?:password|passwd|secret|token|api_?key|private_?key|access_?key|credentials?)s?")
_NO_SECRET = re.compile(r"(?:[/$].*|arn:.*|\d{1,7}|true|false|none|null|)", re.IGNORECASE)
"""Values that only lead to a secret: a path, a reference, an ARN, a switch."""
_ARGUMENTS = re.compile(r"\|\d+ (.*?)/bin/sh -c", re.DOTALL)
_ASSIGNMENT = re.compile(r"(\w+)=(\S+)")


def _in_files(subject: Subject) -> Iterator[Finding]:
    for layer in subject.image.layers or ():
        for secret in layer.secrets:
            if not (_PACKAGES.search(secret.path) and _TESTS.search(secret.path)):
                yield Finding(secret.path, f"line {secret.line}: {secret.kind}{_deleted(subject, secret.path)}")


def _file_names(subject: Subject) -> Iterator[Finding]:
    for layer in subject.image.layers or ():
        for entry in layer.entries:
            if entry.kind == "f" and entry.size and _FILES.fullmatch(entry.path):
                yield Finding(entry.path, f"{entry.size} bytes{_deleted(subject, entry.path)}")


def _deleted(subject: Subject, path: str) -> str:
    return "" if path in subject.tree.entries else ", deleted by a later layer, which anybody can take off"


def _in_environment(subject: Subject) -> Iterator[Finding]:
    for name, value in subject.configuration.environment.items():
        if kind := _kind(name, value):
            yield Finding(f"ENV {name}", kind)


def _kind(name: str, value: str) -> str:
    """What kind of secret a variable is, as its value or else its name tells; empty for none."""
    found = _secrets(f"{name}={value}")
    if found:
        return found[0]
    looks_so = _NAMES.fullmatch(name) and not _NO_SECRET.fullmatch(value)
    return f"{posixpath.basename(name)} is not empty" if looks_so else ""


def _secrets(text: str) -> list[str]:
    content = text.encode()
    return [kind for _, kind in secret_search.search(content, literals_in(content))]


def _in_history(subject: Subject) -> Iterator[Finding]:
    for step in subject.configuration.history:
        arguments = _ARGUMENTS.search(step)
        said = arguments[1] if arguments else step.removeprefix("ARG ") if step.startswith("ARG ") else ""
        for name, value in _ASSIGNMENT.findall(said):
            if kind := _kind(name, value):
                yield Finding(f"ARG {name}", kind)
        if not said:
            yield from (Finding(step.split(" ", 1)[0], kind) for kind in _secrets(step))


RULES: tuple[StaticRule, ...] = (
    StaticRule(
        id="LI050",
        title="No secret is in a file of any layer",
        severity="fail",
        needs=Needs.FILES,
        why="Whoever can pull the image has it, also from a layer whose file a later one deletes.",
        document=documents.PRACTICES,
        remedy="Revoke it, and give it at run time (a secrets store, the environment) or to the build as a secret "
        "(RUN --mount=type=secret).",
        find=_in_files,
    ),
    StaticRule(
        id="LI051",
        title="No file is there that usually holds secrets",
        severity="warn",
        needs=Needs.FILES,
        why="Settings of one machine and credentials are copied along easily, and stay in their layer for ever.",
        document=documents.PRACTICES,
        remedy="Name them in .dockerignore.",
        find=_file_names,
    ),
    StaticRule(
        id="LI052",
        title="No secret is in ENV",
        severity="fail",
        needs=Needs.CONFIGURATION,
        why="Whoever can pull the image can read its environment.",
        document=documents.PRACTICES,
        remedy="Set it in the function's configuration, or read it from a secrets store.",
        find=_in_environment,
    ),
    StaticRule(
        id="LI053",
        title="No secret is in the history of the build",
        severity="fail",
        needs=Needs.CONFIGURATION,
        why="Build arguments and commands are written into the image's history.",
        document='Docker documentation, "Build variables"',
        remedy="Revoke it, and give it to the build as a secret (RUN --mount=type=secret).",
        find=_in_history,
    ),
)
