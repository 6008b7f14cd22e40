"""Rules on the image's configuration: what Lambda ignores, overrides or refuses."""

import json
from collections.abc import Iterator

from lambdaimg.images.rules import documents
from lambdaimg.images.rules.rule import Finding, Needs, StaticRule, Subject
from lambdaimg.model import quotas
from lambdaimg.model.settings import ARCHITECTURES

_AWS_OWN = {"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime"}
"""Variables that AWS's base images set, to the values that Lambda gives them."""


def _os(subject: Subject) -> Iterator[Finding]:
    if subject.configuration.os != "linux":
        yield Finding("os", f"is {subject.configuration.os or 'not said'}")


def _architecture(subject: Subject) -> Iterator[Finding]:
    found, wanted = subject.architecture, subject.wanted.architecture
    if found not in ARCHITECTURES:
        yield Finding("architecture", f"is {found or 'not said'}; Lambda has x86_64 and arm64")
    elif wanted and found != wanted:
        yield Finding("architecture", f"the image is for {found}, the function for {wanted}")


def _user(subject: Subject) -> Iterator[Finding]:
    if subject.configuration.user:
        yield Finding("USER", f"is {subject.configuration.user}")


def _volumes(subject: Subject) -> Iterator[Finding]:
    return (Finding("VOLUME", volume) for volume in subject.configuration.volumes)


def _ports(subject: Subject) -> Iterator[Finding]:
    return (Finding("EXPOSE", port) for port in subject.configuration.ports)


def _health_check(subject: Subject) -> Iterator[Finding]:
    if subject.configuration.health_check:
        yield Finding("HEALTHCHECK", "is set")


def _reserved(subject: Subject) -> Iterator[Finding]:
    for name, value in subject.configuration.environment.items():
        if name in quotas.RESERVED_ENVIRONMENT and _AWS_OWN.get(name) != value:
            yield Finding(f"ENV {name}", "is set by Lambda itself")


def _environment_size(subject: Subject) -> Iterator[Finding]:
    together = {**subject.configuration.environment, **subject.wanted.environment}
    size = len(json.dumps(together, separators=(",", ":"), ensure_ascii=False).encode())
    if size > quotas.ENVIRONMENT_BYTES:
        yield Finding("ENV", f"the image's and the function's variables are {size} bytes as JSON")


RULES: tuple[StaticRule, ...] = (
    StaticRule(
        id="LI008",
        title="The image is for Linux",
        severity="fail",
        needs=Needs.CONFIGURATION,
        why="Lambda runs Linux images alone.",
        document=documents.IMAGES,
        remedy="Build with --platform linux/amd64 or linux/arm64.",
        find=_os,
    ),
    StaticRule(
        id="LI009",
        title="The image has the function's architecture",
        severity="fail",
        needs=Needs.CONFIGURATION,
        why="A function has one architecture, x86_64 or arm64, and its image must be for it.",
        document=documents.IMAGES,
        remedy="Build with --platform linux/amd64 (x86_64) or linux/arm64, or change the function's architecture.",
        find=_architecture,
    ),
    StaticRule(
        id="LI030",
        title="USER is not set",
        severity="warn",
        needs=Needs.CONFIGURATION,
        why="Lambda ignores it, and runs the function as a user of its own with few rights: what belongs to another "
        "user alone can't be read.",
        document=documents.IMAGES,
        remedy="Remove USER, and let anybody read the files (chmod -R a+rX).",
        find=_user,
    ),
    StaticRule(
        id="LI031",
        title="VOLUME is not set",
        severity="warn",
        needs=Needs.CONFIGURATION,
        why="Lambda mounts no volumes: the folder is as read-only as all others.",
        document=documents.IMAGES,
        remedy="Remove VOLUME, and write to /tmp.",
        find=_volumes,
    ),
    StaticRule(
        id="LI032",
        title="EXPOSE is not set",
        severity="warn",
        needs=Needs.CONFIGURATION,
        why="Nobody can connect to an execution environment: the function asks the Runtime API for its events.",
        document=documents.RUNTIME_API,
        remedy="Remove EXPOSE; a web server needs an adapter that asks for events and passes them on.",
        find=_ports,
    ),
    StaticRule(
        id="LI033",
        title="HEALTHCHECK is not set",
        severity="warn",
        needs=Needs.CONFIGURATION,
        why="Lambda does not run it.",
        document=documents.LIFECYCLE,
        remedy="Remove HEALTHCHECK.",
        find=_health_check,
    ),
    StaticRule(
        id="LI034",
        title="ENV sets no variable that Lambda reserves",
        severity="warn",
        needs=Needs.CONFIGURATION,
        why="Lambda sets these variables itself, and what the image says is lost.",
        document=documents.ENVIRONMENT,
        remedy="Remove them from ENV, or choose other names.",
        find=_reserved,
    ),
    StaticRule(
        id="LI035",
        title="The environment has at most 4 KB",
        severity="warn",
        needs=Needs.CONFIGURATION,
        why="Lambda takes 4 KB of variables in a function's configuration. Those of the image are not counted, but "
        "can't be changed or moved there either once all are more than that.",
        document=documents.QUOTAS,
        remedy="Put long values into a file of the image, or into a parameter store.",
        find=_environment_size,
    ),
)
