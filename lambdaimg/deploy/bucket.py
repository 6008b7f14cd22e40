"""Zips in S3, from where Lambda takes those that are too large to be sent with a request."""

import hashlib
from collections.abc import Callable

from lambdaimg.deploy.aws import Aws
from lambdaimg.deploy.package import Package
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Project


def upload(aws: Aws, project: Project, package: Package, bucket: str, say: Callable[[str], None]) -> str:
    """Uploads a zip under a key made from its content, unless it is there; returns its `s3://` address.

    Raises UsageError when the bucket is in another Region than the functions, and AwsRefused.
    """
    digest = hashlib.sha256(package.file.read_bytes()).hexdigest()[:12]
    key = f"{project.name}/{package.name}-{digest}.zip"
    if aws.find("s3", "head_object", ("404", "NoSuchKey", "NotFound"), Bucket=bucket, Key=key) is None:
        _check_region(aws, bucket)
        say(f"{package.name}: uploading {package.size / 1e6:.1f} MB to s3://{bucket}/{key}")
        aws.upload(str(package.file), bucket, key)
    return f"s3://{bucket}/{key}"


def _check_region(aws: Aws, bucket: str) -> None:
    found = aws.call("s3", "get_bucket_location", Bucket=bucket)["LocationConstraint"] or "us-east-1"
    if found != aws.region:
        raise UsageError(
            f"the bucket {bucket} is in {found}, the functions in {aws.region}",
            remedy="Lambda reads a zip from a bucket of its own Region: name another, or correct region",
        )
