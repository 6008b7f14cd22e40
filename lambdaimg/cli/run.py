"""`lambdaimg run`."""

import asyncio
import shlex
import socket
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.debug_option import debug, debug_option
from lambdaimg.cli.environment_options import environment_options, wishes
from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.errors import UsageError
from lambdaimg.model.rie import INVOKE_PATH

if TYPE_CHECKING:
    from lambdaimg.model.project import Function
    from lambdaimg.runtime.factory import Options
    from lambdaimg.runtime.placement import Wishes


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One call of `run`. `idle_timeout` is seconds, 0 for none."""

    session: Session
    function: "Function"
    wishes: "Wishes"
    options: "Options"
    queue: bool
    idle_timeout: float
    watch: bool


@click.command("run")
@click.argument("function", required=False, metavar="[FN]")
@click.option("--rie", is_flag=True, help="Under AWS's Runtime Interface Emulator instead of lambdaimg's own.")
@click.option("--port", type=click.IntRange(0, 65_535), default=9_000, show_default=True, help="0: any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.", metavar="ADDRESS")
@click.option("--no-queue", is_flag=True, help="Answer 429 while the function is busy, instead of waiting.")
@click.option("--watch", is_flag=True, help="Answer with the new code as soon as the source is edited.")
@click.option("--freeze", is_flag=True, help="Freeze all processes between two invocations, as Lambda does.")
@click.option(
    "--idle-timeout",
    type=click.FloatRange(min=0),
    default=0,
    help="End an environment after so many seconds without a request.  [default: never]",
    metavar="SECONDS",
)
@debug_option
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
    watch: bool,
    freeze: bool,
    debug_port: int | None,
    idle_timeout: float,
    printed: bool,
    variables: tuple[str, ...],
    env_file: Path | None,
    credentials: str,
    unsandboxed: bool,
) -> None:
    """Run the function FN until Ctrl-C, at a URL, and stream its log.

    \b
    Example:
      lambdaimg run hello --port 9000 --watch
    """
    from lambdaimg.runtime.factory import Options
    from lambdaimg.runtime.sweep import sweep
    from lambdaimg.service.wire import listen

    if printed and not rie:
        raise UsageError("--print prints the emulator's commands", remedy="add --rie")
    chosen = session.project.one(function)
    wanted = wishes(variables, env_file, credentials, unsandboxed)
    if printed:
        _print(session, chosen, wanted, port)
        return
    with listen(host, port) as listening:
        sweep(session.engine)
        session.provide_image(chosen)
        url = f"http://{host}:{listening.getsockname()[1]}"
        run = _Run(
            session=session,
            function=chosen,
            wishes=replace(wanted, endpoint=url, debug=debug(chosen, debug_port, rie=rie, waits=False)),
            options=Options(rie=rie, freeze=freeze),
            queue=not no_queue,
            idle_timeout=idle_timeout,
            watch=watch,
        )
        asyncio.run(_serve(run, listening, url))


def _print(session: Session, function: "Function", wanted: "Wishes", port: int) -> None:
    from lambdaimg.engine.container import run_arguments
    from lambdaimg.runtime import placement
    from lambdaimg.runtime.rie import ensure

    session.provide_image(function)
    image = session.engine.image(session.project.image(function))
    if image is None:
        raise UsageError(f"{session.project.image(function)} has just been removed", remedy="run it again")
    binary = ensure(function.architecture, session.say)
    process = placement.process_of(function, image)
    spec = placement.under_rie(session.project, function, process, binary, wanted, host_port=port)
    click.echo(shlex.join(run_arguments(replace(spec, labels={}))))  # the container will not be ours to remove
    click.echo(f"curl -XPOST http://127.0.0.1:{port}{INVOKE_PATH} -d '{{}}'")


async def _serve(run: _Run, listening: socket.socket, url: str) -> None:
    """Serves until it is cancelled."""
    from lambdaimg.pool.machine import Machine
    from lambdaimg.pool.pool import EnvironmentPool
    from lambdaimg.pool.renewal import renewal
    from lambdaimg.runtime.factory import EnvironmentFactory
    from lambdaimg.service.endpoint import Endpoint
    from lambdaimg.service.wire import serving

    session, function = run.session, run.function
    plan = renewal(session.project, function) if run.watch else None
    wanted = replace(run.wishes, source=plan.mounted) if plan else run.wishes
    with EnvironmentFactory(session.engine, session.project, run.options, session.say) as factory:
        pool = EnvironmentPool(
            lambda: factory.make(function, wanted, session.log_line),
            machine=Machine(1),
            idle_timeout=run.idle_timeout,
        )
        async with serving(Endpoint(pool, function.name, queue=run.queue).application(), listening):
            warm = asyncio.ensure_future(pool.warm())
            build = partial(session.build, (function,))
            # It sees edits from now on, also those that are made before the first environment is ready.
            following = asyncio.ensure_future(plan.follow(pool, build, session.say, after=warm)) if plan else None
            try:
                await warm
                click.echo(f"{function.name} answers at {url}{INVOKE_PATH}")
                click.echo(f"curl -XPOST {url}{INVOKE_PATH} -d '{{}}'")
                await (following or asyncio.Event().wait())
            finally:
                if following is not None:
                    following.cancel()
                await pool.close()
