"""`lambdaimg shell`."""

import os
import sys
from pathlib import Path

import click

from lambdaimg.cli.environment_options import environment_options, wishes
from lambdaimg.cli.session import Session, pass_session


@click.command("shell", context_settings={"allow_interspersed_args": False})
@click.argument("function", required=False, metavar="[FN]")
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@environment_options
@pass_session
@click.pass_context
def command(
    ctx: click.Context,
    session: Session,
    function: str | None,
    words: tuple[str, ...],
    variables: tuple[str, ...],
    env_file: Path | None,
    credentials: str,
    unsandboxed: bool,
) -> None:
    """Open a shell (or run COMMAND) in the image of the function FN, in its sandbox.

    Where the project has one function, FN may be left out: a word that is no function's name begins the command.

    \b
    Example:
      lambdaimg shell hello ls -l /var/task
    """
    from lambdaimg.engine import programs
    from lambdaimg.engine.container import run_arguments
    from lambdaimg.runtime.placement import shell
    from lambdaimg.runtime.sweep import sweep

    project = session.project
    if function and len(project.functions) == 1 and function != project.functions[0].name:
        words, function = (function, *words), None
    chosen = project.one(function)
    session.provide_image(chosen)
    sweep(session.engine)
    spec = shell(project, chosen, words or ("/bin/sh",), wishes(variables, env_file, credentials, unsandboxed))
    terminal = ("--interactive", "--tty") if sys.stdin.isatty() and sys.stdout.isatty() else ("--interactive",)
    environment = {**os.environ, **spec.secret_environment}
    ctx.exit(programs.attached(run_arguments(spec, options=terminal), environment))
