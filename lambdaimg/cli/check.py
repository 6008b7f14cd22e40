"""`lambdaimg check`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.errors import UsageError
from lambdaimg.model.invocation import read_event

if TYPE_CHECKING:
    from lambdaimg.check.examine import Examination
    from lambdaimg.check.verdict import Verdict
    from lambdaimg.model.project import Function

NOT_FIT = 4
_COLORS = {"fail": "red", "warn": "yellow"}


@click.command("check")
@click.argument("functions", nargs=-1, metavar="[FN]...")
@click.option(
    "--image",
    "reference",
    help="Instead of functions: an image of the engine, oci-archive:FILE or registry:REF.",
    metavar="REF",
)
@click.option("--select", multiple=True, help="Only rules whose id begins so; may be repeated.", metavar="ID")
@click.option("--ignore", multiple=True, help="No rules whose id begins so; may be repeated.", metavar="ID")
@click.option("--baseline", type=click.Path(path_type=Path), help="Accept the findings in FILE.", metavar="FILE")
@click.option("--update-baseline", is_flag=True, help="Write what is found now to the baseline, and accept it.")
@click.option("--run/--no-run", "runs", default=True, help="Whether to run the image, too.  [default: run]")
@click.option(
    "-e",
    "--event",
    "event_file",
    type=click.Path(path_type=Path),
    help="The event that it is run with.",
    metavar="FILE",
)
@click.option("-v", "--verbose", is_flag=True, help="A row for every rule, also those that pass.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option("--sarif", type=click.Path(path_type=Path), help="Write the verdict as SARIF to FILE.", metavar="FILE")
@pass_session
@click.pass_context
def command(
    ctx: click.Context,
    session: Session,
    functions: tuple[str, ...],
    reference: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    baseline: Path | None,
    update_baseline: bool,
    runs: bool,
    event_file: Path | None,
    verbose: bool,
    as_json: bool,
    sarif: Path | None,
) -> None:
    """Would Lambda accept and run the images of the functions FN (default: all), or any other image?

    An image is looked into, and run in Lambda's sandbox: with the event of the function's first test case, unless
    another is given. Exits with 4 when a rule fails. docs/reference/rules.md explains the rules.

    \b
    Example:
      lambdaimg check --image registry:localhost:5000/shop/hello:latest
    """
    from lambdaimg.check import baseline as accepted
    from lambdaimg.check.examine import Examination
    from lambdaimg.check.report import as_json as verdict_as_json
    from lambdaimg.check.report import lines
    from lambdaimg.check.rules import ALL_RULES
    from lambdaimg.check.verdict import accept, chosen

    if update_baseline and baseline is None:
        raise UsageError("--update-baseline writes the baseline", remedy="add --baseline FILE")
    if reference and functions:
        raise UsageError("--image is instead of functions", remedy="give one of the two")
    examination = Examination(
        rules=chosen(ALL_RULES, select, ignore),
        runs=runs,
        event=read_event(event_file) if event_file else None,
        connect=lambda: session.engine,
        say=session.say,
    )
    if reference:
        verdicts = [examination.image(reference)]
    else:
        verdicts = [_of_function(session, examination, function) for function in session.project.select(functions)]
    if baseline is not None:
        if update_baseline:
            accepted.write(baseline, verdicts)
        known = accepted.read(baseline)
        verdicts = [accept(verdict, known) for verdict in verdicts]
    if sarif is not None:
        from lambdaimg.check.sarif import as_sarif

        sarif.write_text(as_sarif(verdicts), "utf-8")
    if as_json:
        click.echo(json.dumps([verdict_as_json(verdict) for verdict in verdicts], indent=2))
    else:
        for state, line in (line for verdict in verdicts for line in lines(verdict, every=verbose)):
            click.secho(line, fg=_COLORS.get(state), color=session.colored_output)
    ctx.exit(0 if all(verdict.fit for verdict in verdicts) else NOT_FIT)


def _of_function(session: Session, examination: "Examination", function: "Function") -> "Verdict":
    session.provide_image(function)
    return examination.function(session.project, function)


def are_fit(session: Session, functions: tuple[str, ...]) -> bool:
    """Whether the images of functions pass the static rules; what fails is told on stderr."""
    from lambdaimg.check.examine import Examination
    from lambdaimg.check.report import lines
    from lambdaimg.images.rules.catalog import STATIC_RULES

    examination = Examination(
        rules=STATIC_RULES, runs=False, event=None, connect=lambda: session.engine, say=session.say
    )
    verdicts = [_of_function(session, examination, function) for function in session.project.select(functions)]
    for _, line in (line for verdict in verdicts if not verdict.fit for line in lines(verdict, every=False)):
        click.echo(line, err=True)
    return all(verdict.fit for verdict in verdicts)
