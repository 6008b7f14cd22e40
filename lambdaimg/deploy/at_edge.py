"""What an edge function needs besides an ordinary one: its deployer's rights, and a zip that is small enough.

Source: CloudFront Developer Guide, "Set up IAM permissions and roles for Lambda@Edge".
"""

from collections.abc import Iterable, Iterator
from typing import Final

from lambdaimg.deploy.package import Package
from lambdaimg.deploy.place import Place
from lambdaimg.deploy.policies import Document, Statement, allow, document
from lambdaimg.model.edge.restrictions import REGION, ZIP_BYTES
from lambdaimg.model.edge.settings import EdgeSettings
from lambdaimg.model.errors import ImageUnfit, UsageError
from lambdaimg.model.project import Function, Project

_REPLICATING: Final = ("lambda:DisableReplication*", "lambda:EnableReplication*", "lambda:GetFunction")
"""The asterisks are part of the actions' names."""
_SERVICE_ROLES: Final = {
    "replicator.lambda.amazonaws.com": "AWSServiceRoleForLambdaReplicator",
    "logger.cloudfront.amazonaws.com": "AWSServiceRoleForCloudFrontLogger",
}


def deployer(place: Place, edge: EdgeSettings, function: Function) -> Document:
    """For who associates a function's versions with the distribution, besides `policies.deployer`."""
    versions = f"arn:{place.partition}:lambda:{REGION}:{place.account}:function:{function.name}:*"
    distribution = f"arn:{place.partition}:cloudfront::{place.account}:distribution/{edge.distribution}"
    changing = ("cloudfront:GetDistribution", "cloudfront:GetDistributionConfig", "cloudfront:UpdateDistribution")
    return document([allow(_REPLICATING, versions), *_service_roles(place), allow(changing, distribution)])


def _service_roles(place: Place) -> Iterator[Statement]:
    """CloudFront makes these roles at the first association of the account."""
    for service, role in _SERVICE_ROLES.items():
        own = {"StringEquals": {"iam:AWSServiceName": service}}
        yield allow("iam:CreateServiceLinkedRole", place.role(f"aws-service-role/{service}/{role}"), Condition=own)


def refuse_images(project: Project, functions: Iterable[Function]) -> None:
    """Raises UsageError for edge functions: they are zips."""
    if names := ", ".join(function.name for function in functions if project.is_at_edge(function)):
        raise UsageError(f"at the edge, a function is a zip, never an image: {names}", remedy="add --zip")


def check_size(project: Project, packages: Iterable[Package]) -> None:
    """Raises ImageUnfit for an edge function's zip that is too large."""
    at_edge = set(project.edge.function_names) if project.edge else set()
    for package in packages:
        if package.name in at_edge and package.size > ZIP_BYTES:
            raise ImageUnfit(
                f"{package.file.name} has {package.size} bytes; at the edge, a zip has at most {ZIP_BYTES} (edge-zip)",
                remedy="leave out what the function does not need",
            )
