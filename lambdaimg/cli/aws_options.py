"""The options that lead to an AWS account."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from lambdaimg.cli.session import Session

if TYPE_CHECKING:
    from lambdaimg.deploy.aws import Aws

_OPTIONS = (
    click.option("--profile", default="", help="The AWS profile to use.", metavar="NAME"),
    click.option("--endpoint-url", default="", help="Another endpoint for AWS's APIs.", metavar="URL"),
)


def aws_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def connect(session: Session, profile: str, endpoint_url: str) -> "Aws":
    """The project's Region, as a profile reaches it. Raises UsageError without boto3, or without that profile."""
    from lambdaimg.deploy.aws import Aws

    return Aws(region=session.project.region, profile=profile, endpoint_url=endpoint_url)
