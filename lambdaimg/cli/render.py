"""`lambdaimg render`."""

from pathlib import Path

import click

from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.errors import UsageError


@click.command("render")
@click.argument("functions", nargs=-1, metavar="[FN]...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path(".lambdaimg"),
    help="The folder to write, in the project.",
    show_default=True,
    metavar="DIR",
)
@click.option(
    "--stdout",
    "shown",
    is_flag=False,
    flag_value="Dockerfile",
    metavar="[FILE]",
    help="Print one file instead: a function's Dockerfile, or FILE (compose.yaml, bake.json, …).",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["bake", "compose"]),
    help="Only this file beside the Dockerfiles; bake is what CI builds with.",
)
@click.option("--container-name", is_flag=True, help="Name the containers in the compose file.")
@pass_session
def command(
    session: Session,
    functions: tuple[str, ...],
    output: Path,
    shown: str | None,
    form: str | None,
    container_name: bool,
) -> None:
    """Write what would be used: Dockerfiles, their ignore files, bake.json, compose.yaml.

    Yours to keep and edit; a file that lambdaimg did not write, or that you edited, is never written over.

    \b
    Example:
      lambdaimg render && docker compose -f .lambdaimg/compose.yaml up --build
    """
    from lambdaimg.catalog.bases import find
    from lambdaimg.images.build import plans_of
    from lambdaimg.images.project_files import FORMATS, project_files
    from lambdaimg.images.write import write_rendered

    project = session.project
    chosen = project.select(functions)
    folder = (project.root / output).resolve()
    if not folder.is_relative_to(project.root) or folder == project.root:
        raise UsageError(f"{output} is not a folder inside the project", remedy=f"name one in {project.root}")
    plans = plans_of(project, chosen, lambda base, architecture: find(base) or session.base(base, architecture))
    for warning in (warning for plan in plans for warning in plan.warnings):
        session.warn(warning)
    formats = (form,) if form else FORMATS
    within = folder.relative_to(project.root).as_posix()
    files = project_files(plans, within, session.process_of, container_name, formats)
    if shown is not None:
        click.echo(_one(files, f"{chosen[0].name}.Dockerfile" if shown == "Dockerfile" else shown), nl=False)
        return
    for path in write_rendered(folder, files):
        click.echo(path.relative_to(project.root))


def _one(files: dict[str, str], name: str) -> str:
    if name not in files:
        raise UsageError(f"there is no file {name!r} to print", remedy=f"one of {', '.join(sorted(files))}")
    return files[name]
