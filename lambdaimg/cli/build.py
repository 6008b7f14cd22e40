"""`lambdaimg build`."""

import json
import os
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.push import push
from lambdaimg.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdaimg.images.build import Built
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
@click.option("--push", "pushes", is_flag=True, help="Then push them to ECR, as `lambdaimg push` does.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@pass_session
def command(
    session: Session,
    functions: tuple[str, ...],
    builder: str,
    platform: str | None,
    no_cache: bool,
    with_rie: bool,
    pushes: bool,
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
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    built = session.build(chosen, Options(builder=builder, no_cache=no_cache, epoch=epoch))
    _warn_of(session, built)
    emulated = _with_rie(session, chosen) if with_rie else []
    pushed = [each.image for each in push(session, chosen)] if pushes else []
    if as_json:
        click.echo(json.dumps(_rows(built, {"rie": emulated, "pushed": pushed}), indent=2))
        return
    for each in built:
        state = "built" if each.changed else "unchanged"
        click.echo(f"{each.image}  {each.size / 1e6:.0f} MB  {state}  {each.seconds:.2f} s")
    for image in emulated:
        click.echo(f"{image}  with the emulator")
    for image in pushed:
        click.echo(f"{image}  pushed")


def _rows(built: "Sequence[Built]", more: dict[str, list[str]]) -> list[dict[str, object]]:
    """The result for programs; of `more` only what was asked for, a name for each function."""
    return [
        {
            "function": each.function,
            "image": each.image,
            "id": each.id,
            "size": each.size,
            "seconds": round(each.seconds, 3),
            "changed": each.changed,
            **{what: images[number] for what, images in more.items() if images},
        }
        for number, each in enumerate(built)
    ]


def _with_rie(session: Session, functions: "Sequence[Function]") -> list[str]:
    from lambdaimg.cli.progress import BuildProgress
    from lambdaimg.deploy.with_rie import build_with_rie

    with BuildProgress(session, [function.name for function in functions]) as progress:
        return build_with_rie(session.engine, session.project, functions, session.say, progress.step)


def _warn_of(session: Session, built: "Sequence[Built]") -> None:
    """What the rules that read no file have against images that are new."""
    changed = [each for each in built if each.changed]
    if not changed:
        return
    from lambdaimg.check.static import quick_findings

    for each in changed:
        function = session.project.one(each.function)
        architecture, environment = function.architecture, function.settings.environment
        for rule, finding in quick_findings(session.engine, each.image, architecture, environment):
            session.warn(f"{function.name}: {rule.id} {rule.title}: {finding.where} {finding.what}; {rule.remedy}")
