"""`lambdaimg event`."""

import json

import click

from lambdaimg.model.errors import UsageError


@click.command("event")
@click.argument("source", required=False, metavar="[SOURCE]")
@click.option(
    "--set",
    "settings",
    multiple=True,
    help="Put a value at a dotted path: text where the sample has text, else JSON or a string; may be repeated.",
    metavar="KEY=VALUE",
)
def command(source: str | None, settings: tuple[str, ...]) -> None:
    """Print a sample event of SOURCE; without SOURCE, list the sources.

    \b
    Example:
      lambdaimg event sqs --set Records.0.body='{"order": 7}'
    """
    from lambdaimg.model import samples

    if source is None:
        width = max(map(len, samples.names()))
        for name in samples.names():
            click.echo(f"{name:{width}}  {samples.read(name).title}")
        return
    values = {path: samples.value_of(source, path, text) for path, text in map(_setting, settings)}
    click.echo(json.dumps(samples.event(source, values), indent=2, ensure_ascii=False))


def _setting(text: str) -> tuple[str, str]:
    """`KEY=VALUE` in two. Raises UsageError without `=`."""
    path, equals, value = text.partition("=")
    if not path or not equals:
        raise UsageError(f"--set {text!r} has no value", remedy="write --set KEY=VALUE")
    return path, value
