"""`lambdaimg build`."""

import json
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdaimg.model.project import Function


@click.command("build")
@click.argument("functions", nargs=-1, metavar="[FN]...")
@click.option("--builder", default="", help="The buildx builder to use.", metavar="NAME")
@click.option(
    "--platform",
    type=click.Choice(["linux/amd64", "linux/arm64"]),
    help="Instead of the functions' own architecture.",
)
@click.option("--no-cache", is_flag=True, help="Build every step anew.")
@click.option("--with-rie", is_flag=True, help="Also an image with the emulator in it, NAME:rie.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@pass_session
def command(
    session: Session,
    functions: tuple[str, ...],
    builder: str,
    platform: str | None,
    no_cache: bool,
    with_rie: bool,
    as_json: bool,
) -> None:
    """Build the images of the functions FN (default: all), in parallel.

    \b
    Example:
      lambdaimg build hello --no-cache
    """
    from lambdaimg.engine.buildx import Options

    if platform:
        session.project = session.project.with_architecture("arm64" if platform == "linux/arm64" else "x86_64")
    chosen = session.project.select(functions)
    built = session.build(chosen, Options(builder=builder, no_cache=no_cache))
    emulated = _with_rie(session, chosen) if with_rie else []
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
        for row, image in zip(rows, emulated, strict=False):
            row["rie"] = image
        click.echo(json.dumps(rows, indent=2))
        return
    for each in built:
        state = "built" if each.changed else "unchanged"
        click.echo(f"{each.image}  {each.size / 1e6:.0f} MB  {state}  {each.seconds:.2f} s")
    for image in emulated:
        click.echo(f"{image}  with the emulator")


def _with_rie(session: Session, functions: "Sequence[Function]") -> list[str]:
    from lambdaimg.cli.progress import BuildProgress
    from lambdaimg.deploy.with_rie import build_with_rie

    with BuildProgress(session, [function.name for function in functions]) as progress:
        return build_with_rie(session.engine, session.project, functions, session.say, progress.step)
