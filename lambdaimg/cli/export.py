"""`lambdaimg export`."""

from typing import TYPE_CHECKING

import click

from lambdaimg.cli.image_option import image_option, images_of
from lambdaimg.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdaimg.model.project import Function


@click.command("export")
@click.argument("functions", nargs=-1, metavar="[FN]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["cloudformation", "sam", "knative", "edge"]),
    required=True,
    help="What to write; edge is a CloudFormation template of the distribution, all of its functions and no others.",
)
@image_option
@pass_session
def command(session: Session, functions: tuple[str, ...], form: str, images: tuple[str, ...]) -> None:
    """Print the functions FN (default: all) as others deploy them: a template or a manifest, in YAML.

    \b
    Example:
      lambdaimg export --format knative hello --image registry.example/shop:hello-0123456789ab > hello.yaml
    """
    chosen = session.project.select(functions)
    click.echo(_text(session, chosen, form, images_of(chosen, images)), nl=False)


def _text(session: Session, functions: "Sequence[Function]", form: str, images: dict[str, str]) -> str:
    import yaml

    from lambdaimg.deploy import cloudformation, distribution, knative, sam

    if form == "knative":
        return knative.manifest(session.project, functions, images)
    if form == "edge":
        template = distribution.template(session.project, images)
    else:
        template = (sam if form == "sam" else cloudformation).template(session.project, functions, images)
    header = f"# Made by `lambdaimg export --format {form}`.\n"
    if form != "sam" and "Parameters" in template:
        header += "# A changed parameter alone publishes no version: export with --image for each new image.\n"
    return header + yaml.safe_dump(template, sort_keys=False, width=120, allow_unicode=True)
