"""`lambdaimg base`."""

from typing import TYPE_CHECKING

import click

from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.errors import UsageError
from lambdaimg.model.settings import ARCHITECTURES, host_architecture

if TYPE_CHECKING:
    from lambdaimg.catalog.bases import BaseImage


@click.group("base")
def command() -> None:
    """List, show and make base images."""


@command.command("list")
def list_() -> None:
    """List the catalog: what runs on each base, and how far that is known.

    Tier 1 is built and invoked by lambdaimg's own checks, tier 2 is rendered and linted only.

    \b
    Example:
      lambdaimg base list
    """
    from lambdaimg.catalog import bases, languages

    rows = [
        (
            entry.name,
            entry.reference,
            ", ".join(languages.of_tier(1, entry)),
            ", ".join(languages.of_tier(2, entry)),
            str(entry.deprecated or ""),
            _made(entry),
        )
        for entry in map(bases.read, bases.names())
    ]
    table = [("NAME", "IMAGE", "TIER 1", "TIER 2", "DEPRECATED BY AWS", "WITHOUT A REGISTRY"), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _made(entry: "BaseImage") -> str:
    if entry.bootstrap is None:
        return "-"
    return "a stand-in, made from packages" if entry.bootstrap.dockerfile else "made from packages"


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show what the catalog says of the base NAME.

    \b
    Example:
      lambdaimg base show debian-trixie
    """
    from lambdaimg.catalog import languages

    entry = _entry(name)
    click.echo(f"{entry.name}: {entry.description}")
    click.echo(f"image            {entry.reference}")
    click.echo(f"distribution     {entry.distribution} {entry.release} ({entry.libc}, {entry.package_manager})")
    click.echo(f"architectures    {', '.join(entry.architectures)}")
    for language, runtime in entry.runtimes.items():
        origin = f"from the packages {', '.join(runtime.packages)}" if runtime.packages else "in the image"
        ric = ", with the RIC" if runtime.ric else ""
        click.echo(f"{language:16} {runtime.version}, {origin}{ric}")
    for tier in (1, 2):
        click.echo(f"tier {tier}           {', '.join(languages.of_tier(tier, entry)) or '-'}")
    click.echo(f"deprecated       {entry.deprecated or '-'}")
    click.echo(f"digest           {entry.digest or 'not pinned (lambdaimg base pin)'}")
    click.echo(f"no registry      {_made(entry)}")


@command.command("bootstrap")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--missing", is_flag=True, help="Only what the engine does not have; pulled where it can be.")
@click.option("--architecture", type=click.Choice(ARCHITECTURES), default=host_architecture, hidden=True)
@pass_session
def bootstrap(session: Session, names: tuple[str, ...], missing: bool, architecture: str) -> None:
    """Make the bases NAME from packages, for machines that reach no registry.

    \b
    Example:
      lambdaimg base bootstrap debian-trixie
    """
    from lambdaimg.images import bases, bootstrap

    for entry in [_entry(name) for name in names]:
        if missing:
            bases.provide(session.engine, entry.name, architecture, "", session.say)
        else:
            bootstrap.make(session.engine, entry, architecture, session.say)
        click.echo(entry.reference)


@command.command("pin")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@pass_session
def pin(session: Session, names: tuple[str, ...]) -> None:
    """Ask the registry for the digests of the bases NAME (default: all), and write them into the catalog.

    A base with a digest is pulled by it. The catalog must be a checkout's, or a folder that you may write.

    \b
    Example:
      lambdaimg base pin debian-trixie
    """
    from lambdaimg.catalog import bases
    from lambdaimg.images.pin import pin

    for entry in [_entry(name) for name in names or bases.names()]:
        if entry.reference != bases.EMPTY:
            click.echo(f"{entry.name}  {entry.reference}@{pin(session.engine, entry)}")


def _entry(name: str) -> "BaseImage":
    from lambdaimg.catalog import bases
    from lambdaimg.model.suggest import did_you_mean

    entry = bases.find(name)
    if entry is None:
        raise UsageError(
            f"the catalog has no base {name!r}",
            remedy=did_you_mean(name, bases.names()) or "`lambdaimg base list` shows them",
        )
    return entry
