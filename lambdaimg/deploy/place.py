"""Where functions are deployed: a Region of an account, and the ARNs of what stands there."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from lambdaimg.model.arns import is_local
from lambdaimg.model.deployment import AsyncSettings
from lambdaimg.model.environment import log_group_name
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Function, Project


@dataclass(frozen=True, kw_only=True)
class Place:
    """A Region, an account's number, and the part of AWS that the Region belongs to, as ARNs name it."""

    region: str
    account: str
    partition: str

    @classmethod
    def of(cls, region: str, account: str) -> "Place":
        prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
        partition = next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")
        return cls(region=region, account=account, partition=partition)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def function(self, name: str) -> str:
        return self.arn("lambda", f"function:{name}")

    def repository(self, project: Project) -> str:
        return self.arn("ecr", f"repository/{project.name}")

    def role(self, name: str) -> str:
        """A role's ARN: IAM is the same in all Regions."""
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def role_of(self, project: Project, function: Function) -> str:
        """The execution role's ARN: the project file's, or that of the role which `deploy` makes."""
        return function.settings.role or self.role(role_name(project, function))

    def destination(self, named: str) -> str:
        """A destination's ARN: `function:NAME` is a function of this place."""
        return self.function(named.removeprefix("function:")) if named.startswith("function:") else named

    def edge_log_group(self, function: Function) -> str:
        """Where an edge function's replicas write: the Region nearest the viewer, whichever that is."""
        return f"arn:{self.partition}:logs:*:{self.account}:log-group:/aws/lambda/us-east-1.{function.name}"

    def log_group(self, function: Function) -> str:
        return self.arn("logs", f"log-group:{log_group_name(function)}")


def role_name(project: Project, function: Function) -> str:
    """The name of a role that is made for a function; IAM's are the same in all Regions, and 64 characters long."""
    name = f"{project.name}-{function.name}-{project.region}"
    return name if len(name) <= 64 else f"{name[:51]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def layer_name(project: Project, layer: str) -> str:
    """A layer's name in Lambda, which takes no dots."""
    return f"{project.name.replace('.', '-')}-{layer}"


def destinations(settings: AsyncSettings | None) -> list[str]:
    """All of AWS's that asynchronous invocations are sent on to, as the project file names it."""
    found = (settings.on_success, settings.on_failure, settings.dead_letter) if settings else ()
    return sorted({named for named in found if named and not is_local(named)})


def account_of(function: Function, given: str) -> str:
    """The account of a deployment: the given one, or the only one that the function's settings name.

    Raises UsageError when none is given and the settings name none, or several.
    """
    settings = function.settings
    named = (
        {given}
        if given
        else _accounts([settings.role, settings.kms_key])
        or _accounts([*settings.triggers, *destinations(settings.async_)])
    )
    if len(named) != 1:
        raise UsageError(
            f"{function.name}: which account? The project file doesn't say", remedy="name it: --account 123456789012"
        )
    return named.pop()


def _accounts(arns: Iterable[str]) -> set[str]:
    parts = (arn.split(":") for arn in arns if arn.startswith("arn:"))
    return {part[4] for part in parts if part[4]}
