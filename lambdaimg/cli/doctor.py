"""`lambdaimg doctor`."""

import json

import click

from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.errors import EngineUnavailable


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@pass_session
@click.pass_context
def command(ctx: click.Context, session: Session, as_json: bool) -> None:
    """Check whether this machine is ready, and say how to mend what is not.

    Exits with 3 when something that every build or run needs is missing.

    \b
    Example:
      lambdaimg doctor
    """
    from lambdaimg.runtime import doctor

    try:
        findings = doctor.examine(session.engine)
    except EngineUnavailable as error:
        findings = [doctor.without_engine(error)]
    if as_json:
        click.echo(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        marks = {"ok": ("ok", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}
        for finding in findings:
            mark, color = marks[finding.verdict]
            colored = session.color == "always" or (session.color == "auto" and session.colored)
            name = click.style(f"{mark:5}", fg=color) if colored else f"{mark:5}"
            click.echo(f"{name} {finding.subject:24} {finding.what}")
            if finding.remedy:
                click.echo(f"{'':30} {finding.remedy}")
    ctx.exit(3 if any(finding.verdict == "fail" for finding in findings) else 0)
