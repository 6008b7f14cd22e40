"""What a function is deployed as: an image by its digest, or a zip with its layers."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from lambdaimg.deploy.aws import Aws
from lambdaimg.deploy.bucket import upload
from lambdaimg.deploy.configuration import Fields
from lambdaimg.deploy.package import Package
from lambdaimg.deploy.place import layer_name
from lambdaimg.model import quotas
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Function, Project


class Artifact(Protocol):
    """A function's code, as Lambda's API takes it."""

    @property
    def package_type(self) -> str:
        """`Image` or `Zip`; a function stays what it was made as."""

    def is_in(self, found: Any) -> bool:
        """Whether a function (GetFunction's answer) has this code."""

    def code(self) -> Fields:
        """The fields of the code."""

    def configuration(self) -> Fields:
        """The fields of the configuration that follow from it."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image in ECR: a reference by digest, by tag in a plan whose image is not pushed yet."""

    reference: str
    package_type: str = "Image"

    def __str__(self) -> str:
        return self.reference

    def is_in(self, found: Any) -> bool:
        return running(found) == self.reference

    def code(self) -> Fields:
        return {"ImageUri": self.reference}

    def configuration(self) -> Fields:
        return {}


def running(found: Any) -> str:
    """What a function runs: an image by its digest, for a tag was resolved once and may mean another now; or a zip."""
    code, configuration = found["Code"], found["Configuration"]
    uri = str(code.get("ImageUri", ""))
    if not uri:
        return f"zip {configuration['CodeSha256']}"
    return uri if "@" in uri else str(code.get("ResolvedImageUri", uri))


@dataclass(frozen=True, kw_only=True)
class Zip:
    """A zip, sent with the request or taken from S3; `layers` are ARNs of versions."""

    file: Path
    runtime: str
    handler: str
    layers: tuple[str, ...] = ()
    place: Fields = field(default_factory=dict)
    """`S3Bucket` and `S3Key`; empty where the zip is sent itself."""
    package_type: str = "Zip"

    def __str__(self) -> str:
        return f"zip {self._digest()}"

    def is_in(self, found: Any) -> bool:
        return bool(found["Configuration"].get("CodeSha256") == self._digest())

    def code(self) -> Fields:
        return self.place or {"ZipFile": self.file.read_bytes()}

    def configuration(self) -> Fields:
        return {"Runtime": self.runtime, "Handler": self.handler, "Layers": list(self.layers)}

    def _digest(self) -> str:
        return digest_of(self.file)


def digest_of(file: Path) -> str:
    """A zip's CodeSha256, as Lambda tells it."""
    return base64.b64encode(hashlib.sha256(file.read_bytes()).digest()).decode()


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Makes what a zip needs in AWS, its layers' versions and the zip in S3; with `make` off it only looks."""

    aws: Aws
    project: Project
    packages: Sequence[Package]
    bucket: str
    make: bool

    def zip(self, function: Function) -> Zip:
        """A function's zip. Raises UsageError for one that is too large to be sent without S3, and AwsRefused."""
        package = self._package(function.name)
        if not self.bucket and package.size >= quotas.ZIP_BYTES:
            raise UsageError(
                f"{package.file.name} has {package.size} bytes, too many to be sent to Lambda itself",
                remedy="name a bucket to send it through: --s3 BUCKET",
            )
        return Zip(
            file=package.file,
            runtime=package.runtime,
            handler=package.handler,
            layers=tuple(self._layer(name) for name in function.settings.layers),
            place=self._place(package) if self.bucket and self.make else {},
        )

    def _package(self, name: str) -> Package:
        return next(package for package in self.packages if package.name == name)

    def _place(self, package: Package) -> Fields:
        address = upload(self.aws, self.project, package, self.bucket, lambda _: None)
        bucket, _, key = address.removeprefix("s3://").partition("/")
        return {"S3Bucket": bucket, "S3Key": key}

    def _layer(self, name: str) -> str:
        """The version of a layer with the zip's content; the newest one, or a new one."""
        package, layer = self._package(f"layer-{name}"), layer_name(self.project, name)
        listed = self.aws.find("lambda", "list_layer_versions", _MISSING, LayerName=layer) or {}
        for version in (listed.get("LayerVersions") or [])[:1]:
            arn = str(version["LayerVersionArn"])
            found = self.aws.call("lambda", "get_layer_version", LayerName=layer, VersionNumber=version["Version"])
            if found["Content"]["CodeSha256"] == digest_of(package.file):
                return arn
        if not self.make:
            return f"a new version of {layer}"
        content = self._place(package) if self.bucket else {"ZipFile": package.file.read_bytes()}
        made = self.aws.call("lambda", "publish_layer_version", LayerName=layer, Content=content)
        return str(made["LayerVersionArn"])


_MISSING: Final = ("ResourceNotFoundException",)
