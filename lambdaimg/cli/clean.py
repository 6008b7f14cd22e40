"""`lambdaimg clean`."""

import click

from lambdaimg.cli.session import Session, pass_session


@click.command("clean")
@click.option("--images", is_flag=True, help="The functions' images too.")
@pass_session
def command(session: Session, images: bool) -> None:
    """Remove every container, network and volume that lambdaimg made for this project.

    \b
    Example:
      lambdaimg clean --images
    """
    from lambdaimg.runtime.sweep import clean

    cleaned = clean(session.engine, session.project, images=images)
    counts = {
        "container": cleaned.containers,
        "network": cleaned.networks,
        "volume": cleaned.volumes,
        "image": cleaned.images,
    }
    removed = [f"{count} {what}{'s' if count > 1 else ''}" for what, count in counts.items() if count]
    click.echo(f"removed {', '.join(removed)}" if removed else "nothing to remove")
