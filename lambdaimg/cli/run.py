"""`lambdaimg run`."""

import asyncio
import shlex
from dataclasses import replace
from pathlib import Path

import click

from lambdaimg.cli.environment_options import environment_options, wishes
from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.errors import UsageError
from lambdaimg.model.rie import INVOKE_PATH


@click.command("run")
@click.argument("function", required=False, metavar="[FN]")
@click.option("--rie", is_flag=True, help="Under AWS's Runtime Interface Emulator (for now the only emulator).")
@click.option("--port", type=click.IntRange(0, 65_535), default=9_000, show_default=True, help="0: any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.", metavar="ADDRESS")
@click.option("--no-queue", is_flag=True, help="Answer 429 while the function is busy, instead of waiting.")
@click.option("--print", "printed", is_flag=True, help="With --rie: print the commands instead of running them.")
@environment_options
@pass_session
def command(
    session: Session,
    function: str | None,
    rie: bool,
    port: int,
    host: str,
    no_queue: bool,
    printed: bool,
    variables: tuple[str, ...],
    env_file: Path | None,
    credentials: str,
    unsandboxed: bool,
) -> None:
    """Run the function FN until Ctrl-C, at a URL, and stream its log.

    \b
    Example:
      lambdaimg run hello --rie --port 9000
    """
    from lambdaimg.engine.container import run_arguments
    from lambdaimg.runtime import placement
    from lambdaimg.runtime.endpoint import Endpoint, listen, serve
    from lambdaimg.runtime.environment import ExecutionEnvironment
    from lambdaimg.runtime.rie import ensure
    from lambdaimg.runtime.sweep import sweep

    if printed and not rie:
        raise UsageError("--print prints the emulator's commands", remedy="add --rie")
    chosen = session.project.one(function)
    wanted = wishes(variables, env_file, credentials, unsandboxed)
    if printed:
        process = session.process_of_image(chosen)
        binary = ensure(session.architecture(chosen), session.say)
        spec = placement.under_rie(session.project, chosen, process, binary, wanted, host_port=port)
        click.echo(shlex.join(run_arguments(replace(spec, labels={}))))  # the container will not be ours to remove
        click.echo(f"curl -XPOST http://127.0.0.1:{port}{INVOKE_PATH} -d '{{}}'")
        return
    with listen(host, port) as listening:
        sweep(session.engine)
        url = f"http://{host}:{listening.getsockname()[1]}"
        wanted = wishes(variables, env_file, credentials, unsandboxed, endpoint=url)
        process = session.process_of_image(chosen)
        binary = ensure(session.architecture(chosen), session.say)
        spec = placement.under_rie(session.project, chosen, process, binary, wanted)
        settings = placement.settings(chosen, wanted)
        with ExecutionEnvironment(session.engine, spec, settings, session.log_line) as environment:

            def ready() -> None:
                click.echo(f"{chosen.name} answers at {url}{INVOKE_PATH}")
                click.echo(f"curl -XPOST {url}{INVOKE_PATH} -d '{{}}'")

            asyncio.run(serve(Endpoint(environment, chosen.name, queue=not no_queue), listening, ready))
