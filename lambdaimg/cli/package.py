"""`lambdaimg package`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.aws_options import aws_options, connect
from lambdaimg.cli.session import Session, pass_session

if TYPE_CHECKING:
    from lambdaimg.deploy.package import Package
    from lambdaimg.model.project import Function


@click.command("package")
@click.argument("functions", nargs=-1, metavar="[FN]...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder for the zips; default: .lambdaimg/package in the project.",
    metavar="DIR",
)
@click.option("--s3", "bucket", default="", help="Upload them to this bucket.", metavar="BUCKET")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@aws_options
@pass_session
def command(
    session: Session,
    functions: tuple[str, ...],
    output: Path | None,
    bucket: str,
    as_json: bool,
    profile: str,
    endpoint_url: str,
) -> None:
    """Make zips of the functions FN (default: all) and of their layers, for Lambda's own runtimes.

    From the same source as the images, without the runtime interface client; the same files make the same bytes.

    \b
    Example:
      lambdaimg package hello --s3 my-deployments
    """
    packages = make_packages(session, session.project.select(functions), output)
    addresses = _upload(session, packages, bucket, profile, endpoint_url) if bucket else {}
    if as_json:
        click.echo(json.dumps([_row(package, addresses) for package in packages], indent=2))
        return
    for package in packages:
        sizes = f"{package.size / 1e6:.1f} MB, {package.unzipped / 1e6:.1f} MB unzipped"
        click.echo(f"{addresses.get(package.name, package.file)}  {package.runtime or 'layer'}  {sizes}")
    if not bucket:
        _warn_of_size(session, packages)


def make_packages(session: Session, functions: "Sequence[Function]", output: Path | None) -> "list[Package]":
    """The zips of functions and of their layers, in a folder of the user's or the project's own."""
    from lambdaimg.cli.progress import BuildProgress
    from lambdaimg.deploy.at_edge import check_size
    from lambdaimg.deploy.package import FOLDER, package
    from lambdaimg.engine.buildx import Options
    from lambdaimg.images.build import plans_of
    from lambdaimg.images.wanted_bases import WantedBases

    project = session.project
    bases = WantedBases(lambda: session.engine, project.registry_mirror, session.say)
    plans = plans_of(project, functions, bases.find)
    folder = output or project.root / FOLDER
    for function in functions:
        if function.settings.packages:
            left = ", ".join(function.settings.packages)
            session.warn(f"{function.name}: OS packages are in images alone; its zip is without {left}")
    with BuildProgress(session, [function.name for function in functions]) as progress:
        packages = package(project, plans, bases, folder, Options(), progress.step)
    check_size(project, packages)
    return packages


def _upload(
    session: Session, packages: "Sequence[Package]", bucket: str, profile: str, endpoint_url: str
) -> dict[str, str]:
    from lambdaimg.deploy.bucket import upload

    aws = connect(session, profile, endpoint_url)
    return {package.name: upload(aws, session.project, package, bucket, session.say) for package in packages}


def _warn_of_size(session: Session, packages: "Sequence[Package]") -> None:
    from lambdaimg.model.quotas import ZIP_BYTES

    for package in packages:
        if package.size >= ZIP_BYTES:
            session.warn(f"{package.name}.zip is too large to be sent to Lambda itself: use --s3 BUCKET")


def _row(package: "Package", addresses: Mapping[str, str]) -> dict[str, object]:
    return {
        "name": package.name,
        "file": str(package.file),
        "runtime": package.runtime,
        "size": package.size,
        "unzipped": package.unzipped,
        **({"address": addresses[package.name]} if package.name in addresses else {}),
    }
