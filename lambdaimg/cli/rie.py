"""`lambdaimg rie`."""

import click

from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.errors import UsageError
from lambdaimg.model.settings import ARCHITECTURES, host_architecture

_architecture = click.option(
    "--architecture",
    type=click.Choice(ARCHITECTURES),
    default=host_architecture,
    help="The image's architecture.  [default: this machine's]",
)


@click.group("rie")
def command() -> None:
    """Locate or install AWS's Runtime Interface Emulator, in ~/.aws-lambda-rie."""


@command.command("path")
@_architecture
@pass_session
def path(session: Session, architecture: str) -> None:
    """Print where the emulator is.

    \b
    Example:
      lambdaimg rie path
    """
    from lambdaimg.runtime import rie

    binary = rie.path(architecture)
    if not binary.is_file():
        raise UsageError(f"the emulator is not in {binary}", remedy="fetch it with `lambdaimg rie install`")
    click.echo(binary)


@command.command("install")
@_architecture
@click.option("--from", "source", default="", help="A file or URL of the binary.", metavar="FILE")
@click.option("--version", default="", help="A release of AWS's, such as 1.30, instead of the pinned one.", metavar="V")
@click.option("--sha256", default="", help="The hash that the binary must have.", metavar="HEX")
@pass_session
def install(session: Session, architecture: str, source: str, version: str, sha256: str) -> None:
    """Install the emulator, its hash checked; nothing to do when it is there.

    \b
    Example:
      lambdaimg rie install --from ./aws-lambda-rie
    """
    from lambdaimg.runtime import rie

    if source and version:
        raise UsageError("--from and --version exclude each other")
    if source:
        binary = rie.install_from(source, architecture, sha256)
    elif version:
        binary = rie.install_release(architecture, version, sha256)
    else:
        binary = rie.ensure(architecture, session.say)
    click.echo(binary)
