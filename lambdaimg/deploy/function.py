"""The function itself: code, configuration and tags; and the version that the alias points to."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lambdaimg.deploy.artifact import running
from lambdaimg.deploy.change import Change, Deployment, differences
from lambdaimg.deploy.configuration import Fields, configuration, filled, sent
from lambdaimg.model.errors import AwsRefused, RemoteError

MISSING: Final = ("ResourceNotFoundException",)
_PATIENCE: Final = 120.0
"""Seconds that a new role may take to be known to Lambda (some ten are usual), and a change of others to end."""
_PAUSE: Final = 2.0


def find(to: Deployment, version: str = "") -> Any:
    """GetFunction's answer for `$LATEST`, or for a version; None when there is no such function."""
    more = {"Qualifier": version} if version else {}
    return to.aws.find("lambda", "get_function", MISSING, FunctionName=to.name, **more)


def wanted(to: Deployment) -> Fields:
    """The whole configuration. Only an image has an ImageConfig."""
    fields = {**configuration(to.function), "Role": to.role, **to.artifact.configuration()}
    if to.artifact.package_type == "Zip":
        del fields["ImageConfig"]
    return fields


@dataclass(frozen=True, kw_only=True)
class Code:
    """The function as `$LATEST`."""

    to: Deployment

    def changes(self) -> list[Change]:
        found = find(self.to)
        if found is None:
            return [Change(what="function", after=f"{self.to.name} from {self.to.artifact}")]
        return [*self._code(found), *self._architecture(found), *self._configuration(found), *self._tags(found)]

    def _code(self, found: Any) -> list[Change]:
        configuration, artifact = found["Configuration"], self.to.artifact
        if configuration.get("PackageType", "Zip") != artifact.package_type:
            raise RemoteError(
                f"{self.to.name} is not of the package type {artifact.package_type}, which can't be changed",
                remedy="delete that function, or rename this one",
            )
        if configuration.get("State") == "Failed":
            reason = configuration.get("StateReasonCode", "")
            return [Change(what="code", before=f"failed {reason}".strip(), after=str(artifact))]
        if not artifact.is_in(found):
            return [Change(what="code", before=running(found), after=str(artifact))]
        return []

    def _architecture(self, found: Any) -> list[Change]:
        before = found["Configuration"].get("Architectures", ["x86_64"])
        after = self.to.function.architecture
        return [] if before == [after] else [Change(what="architecture", before=", ".join(before), after=after)]

    def _configuration(self, found: Any) -> list[Change]:
        return list(differences(self.to.function, wanted(self.to), found["Configuration"]))

    def _tags(self, found: Any) -> list[Change]:
        """Tags that the project file doesn't have are left: others may have set them."""
        before, after = found.get("Tags") or {}, self.to.function.settings.tags
        return [
            Change(what=f"tag {key}", before=before.get(key, ""), after=value)
            for key, value in sorted(after.items())
            if before.get(key) != value
        ]

    def apply(self) -> None:
        found = find(self.to)
        if found is None:
            self._create()
            return
        self._settled()
        if self._code(found) or self._architecture(found):
            architectures = [self.to.function.architecture]
            self._change("update_function_code", **self.to.artifact.code(), Architectures=architectures)
        if self._configuration(found):
            self._change("update_function_configuration", **sent(wanted(self.to)))
        if tags := self._tags(found):
            listed = {change.what.removeprefix("tag "): change.after for change in tags}
            arn = self.to.aws.place.function(self.to.name)
            self.to.aws.call("lambda", "tag_resource", Resource=arn, Tags=listed)

    def _create(self) -> None:
        tags = dict(self.to.function.settings.tags)
        fields = {
            "FunctionName": self.to.name,
            "PackageType": self.to.artifact.package_type,
            "Code": self.to.artifact.code(),
            "Architectures": [self.to.function.architecture],
            **filled(sent(wanted(self.to))),
            **({"Tags": tags} if tags else {}),
        }
        patiently(lambda: self.to.aws.call("lambda", "create_function", **fields), _role_is_new)
        self._settled()

    def _change(self, operation: str, **fields: Any) -> None:
        call = lambda: self.to.aws.call("lambda", operation, FunctionName=self.to.name, **fields)  # noqa: E731
        patiently(call, lambda refused: refused.code == "ResourceConflictException" or _role_is_new(refused))
        self._settled()

    def _settled(self) -> None:
        """Waits until the function can be changed. Raises RemoteError with Lambda's reason when a change failed."""
        for waiter in ("function_active_v2", "function_updated_v2"):
            self.to.aws.wait("lambda", waiter, FunctionName=self.to.name)


def _role_is_new(refused: AwsRefused) -> bool:
    """IAM tells Lambda of a new role some seconds later."""
    return refused.code == "InvalidParameterValueException" and "cannot be assumed" in refused.what


def patiently(call: Callable[[], Any], passing: Callable[[AwsRefused], bool]) -> Any:
    """A call that is made again while it is refused for a reason that passes. Raises AwsRefused when it does not."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return call()
        except AwsRefused as refused:
            if not passing(refused) or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE)


@dataclass(frozen=True, kw_only=True)
class Version:
    """A published version of what is wanted, and the alias on it."""

    to: Deployment

    def changes(self) -> list[Change]:
        before = self.current()
        if before and self._is_wanted(before):
            return []
        return [Change(what=f"alias {self.to.alias}", before=before and f"version {before}", after="a new version")]

    def apply(self) -> None:
        latest = find(self.to)["Configuration"]["CodeSha256"]
        found = self.to.aws.call("lambda", "publish_version", FunctionName=self.to.name, CodeSha256=latest)
        version = str(found["Version"])
        self.to.aws.wait("lambda", "published_version_active", FunctionName=self.to.name, Qualifier=version)
        self.point_to(version)

    def current(self) -> str:
        """The version that the alias points to; empty when there is no alias."""
        found = self.to.aws.find("lambda", "get_alias", MISSING, FunctionName=self.to.name, Name=self.to.alias)
        return str(found["FunctionVersion"]) if found else ""

    def point_to(self, version: str) -> None:
        operation = "update_alias" if self.current() else "create_alias"
        fields = {"FunctionName": self.to.name, "Name": self.to.alias, "FunctionVersion": version}
        self.to.aws.call("lambda", operation, **fields)

    def _is_wanted(self, version: str) -> bool:
        """Whether a version is what is wanted: an interrupted run may have left `$LATEST` ahead of it."""
        latest, found = find(self.to), find(self.to, version)
        return (
            latest is not None
            and found is not None
            and self.to.artifact.is_in(latest)
            and found["Configuration"]["CodeSha256"] == latest["Configuration"]["CodeSha256"]
            and not list(differences(self.to.function, wanted(self.to), found["Configuration"]))
        )
