"""ECR: the project's repository, its login, and what is already there."""

import base64
import json
import re
from typing import Final
from urllib.parse import urlsplit

from lambdaimg.deploy import policies
from lambdaimg.deploy.aws import Aws
from lambdaimg.engine.records import Login
from lambdaimg.model.errors import UsageError

_DAYS: Final = 14
_LIFECYCLE: Final = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "images that no tag points to",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": _DAYS,
            },
            "action": {"type": "expire"},
        }
    ]
}
"""Tagged images stay: a function whose image is gone fails."""


def check_reference(reference: str, region: str) -> None:
    """Raises UsageError for an image that a function of a Region can't be made of, or that may become another one."""
    if not re.search(r"@sha256:[0-9a-f]{64}$", reference):
        raise UsageError(
            f"{reference} does not name its digest", remedy="give REPOSITORY@sha256:…, as `push` prints it"
        )
    found = re.match(r"\d{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com", reference)
    if found and found[1] != region:
        raise UsageError(
            f"{reference} is in {found[1]}, the function in {region}: Lambda takes images of its own Region",
            remedy=f"push it to {region}, or correct region in the project file",
        )


def ensure_repository(aws: Aws, name: str) -> bool:
    """Makes the repository: immutable tags, scanned images, Lambda's right to pull. Says whether it was missing.

    A repository that is there is left as it is. Raises AwsRefused.
    """
    if aws.find("ecr", "describe_repositories", ("RepositoryNotFoundException",), repositoryNames=[name]):
        return False
    aws.find(
        *("ecr", "create_repository", ("RepositoryAlreadyExistsException",)),
        repositoryName=name,
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
    )
    aws.call("ecr", "put_lifecycle_policy", repositoryName=name, lifecyclePolicyText=json.dumps(_LIFECYCLE))
    aws.call("ecr", "set_repository_policy", repositoryName=name, policyText=json.dumps(policies.repository()))
    return True


def login(aws: Aws) -> tuple[str, Login]:
    """The account's registry, and a login that holds for 12 hours; it is kept in memory alone."""
    found = aws.call("ecr", "get_authorization_token")["authorizationData"][0]
    username, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    return urlsplit(found["proxyEndpoint"]).netloc, Login(username=username, password=password)


def digest_of(aws: Aws, repository: str, tag: str) -> str:
    """The digest of the image with that tag; empty when there is none."""
    missing = ("ImageNotFoundException", "RepositoryNotFoundException")
    found = aws.find("ecr", "describe_images", missing, repositoryName=repository, imageIds=[{"imageTag": tag}])
    return str(found["imageDetails"][0]["imageDigest"]) if found else ""
