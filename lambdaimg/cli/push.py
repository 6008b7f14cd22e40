"""`lambdaimg push`."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.aws_options import aws_options, connect
from lambdaimg.cli.session import Session, pass_session

if TYPE_CHECKING:
    from lambdaimg.deploy.push import Pushed
    from lambdaimg.model.project import Function


@click.command("push")
@click.argument("functions", nargs=-1, metavar="[FN]...")
@click.option("--registry", default="", help="Another registry than the account's ECR.", metavar="HOST")
@click.option("--with-rie", is_flag=True, help="The images with the emulator in them.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@aws_options
@pass_session
def command(
    session: Session,
    functions: tuple[str, ...],
    registry: str,
    with_rie: bool,
    as_json: bool,
    profile: str,
    endpoint_url: str,
) -> None:
    """Push the built images of the functions FN (default: all), and print each one's reference by digest.

    \b
    Example:
      lambdaimg push hello --profile production
    """
    chosen = session.project.select(functions)
    pushed = push(session, chosen, registry, profile, endpoint_url, with_rie=with_rie)
    if as_json:
        rows = [
            {"function": each.function, "image": each.image, "tag": each.tag, "digest": each.digest} for each in pushed
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for each in pushed:
        click.echo(each.image)


def push(
    session: Session,
    functions: "Sequence[Function]",
    registry: str = "",
    profile: str = "",
    endpoint_url: str = "",
    *,
    with_rie: bool = False,
) -> "list[Pushed]":
    """Pushes functions' images to the account's ECR, or to another registry."""
    from lambdaimg.deploy.push import Pusher, Registry, elastic_registry

    if registry:
        place = Registry(host=registry)
    else:
        place = elastic_registry(connect(session, profile, endpoint_url), session.project, session.say)
    pusher = Pusher(engine=session.engine, project=session.project, registry=place, say=session.say, with_rie=with_rie)
    return list(pusher.push(functions))
