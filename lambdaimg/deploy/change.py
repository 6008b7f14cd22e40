"""What a deployment would make or change: the lines of its plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from lambdaimg.deploy.artifact import Artifact
from lambdaimg.deploy.aws import Aws
from lambdaimg.deploy.configuration import Fields, configuration
from lambdaimg.model.project import Function, Project
from lambdaimg.model.settings import FunctionSettings


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One function on its way: where to, and as what."""

    aws: Aws
    project: Project
    function: Function
    artifact: Artifact

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def alias(self) -> str:
        return self.function.settings.alias

    @property
    def role(self) -> str:
        """The execution role's ARN."""
        return self.aws.place.role_of(self.project, self.function)

    @property
    def alias_arn(self) -> str:
        return self.aws.place.function(f"{self.name}:{self.alias}")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that is made (`before` is empty), changed, or removed (`after` is empty)."""

    what: str
    before: str = ""
    after: str

    def __str__(self) -> str:
        if not self.after:
            return f"- {self.what}: {self.before}"
        return f"~ {self.what}: {self.before} → {self.after}" if self.before else f"+ {self.what}: {self.after}"


class Step(Protocol):
    """A part of a deployment: what it would change, found out anew each time, and doing it."""

    def changes(self) -> list[Change]: ...

    def apply(self) -> None: ...


KEYS: Final = {
    "Description": "description",
    "MemorySize": "memory",
    "Timeout": "timeout",
    "EphemeralStorage": "ephemeral-storage",
    "Environment": "environment",
    "KMSKeyArn": "kms-key",
    "TracingConfig": "tracing",
    "LoggingConfig": "logging",
    "VpcConfig": "vpc",
    "DeadLetterConfig": "async.dead-letter",
    "FileSystemConfigs": "file-system",
    "ImageConfig": "entrypoint, command, working-directory",
    "Role": "role",
    "Runtime": "language, base",
    "Handler": "handler",
    "Layers": "layers",
}
"""The project file's words for Lambda's."""


def differences(function: Function, wanted: Fields, found: Mapping[str, Any]) -> Iterator[Change]:
    """What differs between the wanted configuration and the one that Lambda has.

    What Lambda doesn't mention is as for a function whose file says nothing.
    """
    usual = configuration(replace(function, settings=FunctionSettings()))
    found = {
        **found,
        "ImageConfig": (found.get("ImageConfigResponse") or {}).get("ImageConfig"),
        "Layers": [layer["Arn"] for layer in found.get("Layers") or ()],
    }
    for name, value in wanted.items():
        current = _current(value, found.get(name), usual.get(name, ""))
        if current != value:
            yield _change(name, current, value)


def _current(wanted: Any, found: Any, usual: Any) -> Any:
    """What Lambda has, in the shape of what is wanted: without the keys that it adds, ids in their order."""
    if isinstance(wanted, dict):
        known = {key: value for key, value in (found or {}).items() if value is not None}
        return {key: _in_order(key, known.get(key, usual.get(key, ""))) for key in wanted}
    return usual if found is None else found


def _in_order(key: str, value: Any) -> Any:
    return sorted(value) if key in ("SubnetIds", "SecurityGroupIds") else value


def _change(name: str, before: Any, after: Any) -> Change:
    if name == "Environment":
        return _variables(before["Variables"], after["Variables"])
    return Change(what=KEYS[name], before=_text(before) or "none", after=_text(after) or "none")


def _variables(before: Mapping[str, str], after: Mapping[str, str]) -> Change:
    """The names alone: a plan is kept in logs, and a value may be a secret."""
    names = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    return Change(what="environment", before="other values", after=", ".join(names))


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(text for item in value.values() if (text := _text(item)))
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "" if value is False else str(value)
