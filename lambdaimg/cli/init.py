"""`lambdaimg init`."""

from pathlib import Path

import click

from lambdaimg.model.errors import UsageError


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[DIR]")
@click.option("--language", required=True, help="python, nodejs, typescript, …", metavar="L")
@click.option("--ci", type=click.Choice(["github"]), default=None, help="A workflow that tests it there, too.")
def command(folder: Path, language: str, ci: str | None) -> None:
    """Make a new project in DIR (default: here): lambdaimg.toml, one function, one event, one test case.

    \b
    Example:
      lambdaimg init shop --language python
    """
    from lambdaimg.catalog import languages
    from lambdaimg.images.starter import create
    from lambdaimg.model.suggest import did_you_mean

    known = sorted(languages.starters())
    if language not in known:
        remedy = did_you_mean(language, known) or f"one of {', '.join(known)}"
        raise UsageError(f"there is no language {language!r}", remedy=remedy)
    for file in create(folder, language, ci or ""):
        click.echo(file)
    inside = "" if folder == Path() else f" -C {folder}"
    click.echo(f"next: lambdaimg{inside} test", err=True)
