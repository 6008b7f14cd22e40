"""`lambdaimg serve`."""

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.environment_options import environment_options, wishes
from lambdaimg.cli.session import Session, pass_session

if TYPE_CHECKING:
    from lambdaimg.runtime.factory import Options
    from lambdaimg.runtime.placement import Wishes
    from lambdaimg.service.server import Limits


@dataclass(frozen=True, kw_only=True)
class _Serve:
    """One call of `serve`."""

    session: Session
    wishes: "Wishes"
    options: "Options"
    limits: "Limits"
    watch: bool


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65_535), default=3_001, show_default=True, help="0: any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.", metavar="ADDRESS")
@click.option("--rie", is_flag=True, help="Under AWS's Runtime Interface Emulator instead of lambdaimg's own.")
@click.option("--watch", is_flag=True, help="Answer with the new code as soon as a source is edited.")
@click.option("--freeze", is_flag=True, help="Freeze all processes between two invocations, as Lambda does.")
@click.option(
    "--idle-timeout",
    type=click.FloatRange(min=0),
    default=600,
    show_default=True,
    help="End an environment after so many seconds without a request; 0: never.",
    metavar="SECONDS",
)
@click.option(
    "--account-concurrency",
    type=click.IntRange(min=1),
    default=1_000,
    show_default=True,
    help="Concurrent executions of the account.",
    metavar="N",
)
@click.option(
    "--max-environments",
    type=click.IntRange(min=1),
    help="Environments that this machine holds; requests beyond wait.  [default: by its memory and processors]",
    metavar="N",
)
@click.option(
    "--time-scale",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Multiply the delays and ages of asynchronous invocations.",
    metavar="FACTOR",
)
@environment_options
@pass_session
def command(
    session: Session,
    port: int,
    host: str,
    rie: bool,
    watch: bool,
    freeze: bool,
    idle_timeout: float,
    account_concurrency: int,
    max_environments: int | None,
    time_scale: float,
    variables: tuple[str, ...],
    env_file: Path | None,
    credentials: str,
    unsandboxed: bool,
) -> None:
    """Serve all functions of the project as a local Lambda, for boto3 and the AWS CLI, until Ctrl-C.

    \b
    Example:
      lambdaimg serve --watch
      aws lambda invoke --endpoint-url http://127.0.0.1:3001 --function-name hello out.json
    """
    from lambdaimg.pool.machine import default_environments
    from lambdaimg.runtime.factory import Options
    from lambdaimg.runtime.sweep import sweep
    from lambdaimg.service.server import Limits
    from lambdaimg.service.wire import listen

    limits = Limits(
        account_concurrency=account_concurrency,
        environments=max_environments or default_environments(),
        idle_timeout=idle_timeout,
        time_scale=time_scale,
    )
    with listen(host, port) as listening:
        sweep(session.engine)
        session.provide_images(session.project.functions)
        serve = _Serve(
            session=session,
            wishes=wishes(variables, env_file, credentials, unsandboxed),
            options=Options(rie=rie, freeze=freeze),
            limits=limits,
            watch=watch,
        )
        asyncio.run(_run(serve, listening, f"http://{host}:{listening.getsockname()[1]}"))


async def _run(serve: _Serve, listening: socket.socket, url: str) -> None:
    """Serves until it is cancelled."""
    from lambdaimg.runtime.factory import EnvironmentFactory
    from lambdaimg.runtime.sweep import sweep_own
    from lambdaimg.service.server import Server

    session = serve.session
    try:
        with EnvironmentFactory(session.engine, session.project, serve.options, session.say) as factory:
            server = Server(
                session.engine,
                session.project,
                factory,
                serve.wishes,
                serve.limits,
                session.log_line,
                session.say,
                watch=serve.watch,
            )
            async with server.running(listening, session.build):
                click.echo(f"{session.project.name} is served at {url}")
                for function in session.project.functions:
                    click.echo(f"  {url}/2015-03-31/functions/{function.name}/invocations")
                await asyncio.Event().wait()
    finally:
        sweep_own(session.engine)  # what the engine kept of environments that ended while it was away
