"""`lambdaimg build`."""

import json

import click

from lambdaimg.cli.session import Session, pass_session


@click.command("build")
@click.argument("functions", nargs=-1, metavar="[FN]...")
@click.option("--builder", default="", help="The buildx builder to use.", metavar="NAME")
@click.option(
    "--platform",
    type=click.Choice(["linux/amd64", "linux/arm64"]),
    help="Instead of the functions' own architecture.",
)
@click.option("--no-cache", is_flag=True, help="Build every step anew.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@pass_session
def command(
    session: Session, functions: tuple[str, ...], builder: str, platform: str | None, no_cache: bool, as_json: bool
) -> None:
    """Build the images of the functions FN (default: all), in parallel.

    \b
    Example:
      lambdaimg build hello --no-cache
    """
    from lambdaimg.engine.buildx import Options

    if platform:
        session.project = session.project.with_architecture("arm64" if platform == "linux/arm64" else "x86_64")
    built = session.build(session.project.select(functions), Options(builder=builder, no_cache=no_cache))
    if as_json:
        rows = [
            {
                "function": each.function,
                "image": each.image,
                "id": each.id,
                "size": each.size,
                "seconds": round(each.seconds, 3),
                "changed": each.changed,
            }
            for each in built
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for each in built:
        state = "built" if each.changed else "unchanged"
        click.echo(f"{each.image}  {each.size / 1e6:.0f} MB  {state}  {each.seconds:.2f} s")
