"""`lambdaimg invoke`."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.debug_option import debug, debug_option
from lambdaimg.cli.environment_options import environment_options, wishes
from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.errors import UsageError
from lambdaimg.model.invocation import Invocation, parse_event, read_event

if TYPE_CHECKING:
    from lambdaimg.cli.payload_output import PayloadOutput
    from lambdaimg.model.project import Function
    from lambdaimg.runtime.environment import ExecutionEnvironment
    from lambdaimg.runtime.factory import Options
    from lambdaimg.runtime.placement import Wishes


@click.command("invoke")
@click.argument("function", required=False, metavar="[FN]")
@click.option("-d", "--data", help="The event, as JSON; - reads it from stdin.", metavar="JSON")
@click.option("-e", "--event", "event_file", help="A file with the event; - reads it from stdin.", metavar="FILE")
@click.option("--rie", is_flag=True, help="Under AWS's Runtime Interface Emulator instead of lambdaimg's own.")
@debug_option
@environment_options
@pass_session
@click.pass_context
def command(
    ctx: click.Context,
    session: Session,
    function: str | None,
    data: str | None,
    event_file: str | None,
    rie: bool,
    debug_port: int | None,
    variables: tuple[str, ...],
    env_file: Path | None,
    credentials: str,
    unsandboxed: bool,
) -> None:
    """Invoke the function FN once: its payload on stdout, its log and REPORT line on stderr.

    An environment that `lambdaimg run` keeps is used; without one, or with --debug-port, an environment is started for
    this invocation. A function that streams its response is read as it writes, and one under the debugger waits until
    an editor is attached. Exits with 1 when the function fails.

    \b
    Example:
      lambdaimg invoke hello -d '{"name": "Ada"}'
    """
    from lambdaimg.cli.payload_output import PayloadOutput
    from lambdaimg.runtime.factory import Options

    event = _event(data, event_file)
    chosen = session.project.one(function)
    wanted = wishes(variables, env_file, credentials, unsandboxed)
    wanted = replace(wanted, debug=debug(chosen, debug_port, rie=rie, waits=True))
    output = PayloadOutput()
    running = None if wanted.debug else _at_running(session, chosen, event, output)
    invocation = running or _at_a_new_one(session, chosen, event, wanted, Options(rie=rie, keeps_tmp=False), output)
    output.end(invocation.payload if invocation.function_error else b"")
    ctx.exit(1 if invocation.function_error else 0)


def _event(data: str | None, file: str | None) -> bytes:
    """The event; `{}` when none is given. Raises EventError, or UsageError when two are given."""
    if data is not None and file is not None:
        raise UsageError("--data and --event exclude each other", remedy="give one of them")
    if "-" in (data, file):
        return parse_event(sys.stdin.buffer.read(), "stdin")
    if file is not None:
        return read_event(Path(file))
    return parse_event(data if data is not None else "{}", "--data")


def _at_running(session: Session, function: "Function", event: bytes, output: "PayloadOutput") -> Invocation | None:
    """The answer of the environment that `lambdaimg run` keeps for this function; None without one."""
    from lambdaimg.runtime.running import find, invoke

    url = find(session.engine, session.project, function)
    invocation = invoke(url, event, output.begin, output.write) if url else None
    for line in invocation.log if invocation else ():
        click.echo(line, err=True)
    return invocation


def _at_a_new_one(
    session: Session,
    function: "Function",
    event: bytes,
    wanted: "Wishes",
    options: "Options",
    output: "PayloadOutput",
) -> Invocation:
    """The answer of an environment that is made for this invocation."""
    from lambdaimg.runtime.factory import EnvironmentFactory
    from lambdaimg.runtime.sweep import sweep

    async def once() -> Invocation:
        with EnvironmentFactory(session.engine, session.project, options, session.say) as factory:
            async with factory.make(function, wanted, session.log_line) as environment:
                return await _read(environment, event, output)

    sweep(session.engine)
    session.provide_image(function)
    return asyncio.run(once())


async def _read(environment: "ExecutionEnvironment", event: bytes, output: "PayloadOutput") -> Invocation:
    """Writes the response as it comes."""
    from lambdaimg.model.invocation import Request
    from lambdaimg.runtime import streaming

    answer = streaming.invoke(environment.invoke, Request(event=event))
    output.begin(await answer.response.content_type())
    async for piece in answer.response:
        output.write(piece)
    return await answer.invocation
