"""`lambdaimg edge`."""

import asyncio
import json
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.edge.settings import TRIGGERS, EdgeSettings
from lambdaimg.model.errors import UsageError

if TYPE_CHECKING:
    from lambdaimg.model.invocation import Invocation
    from lambdaimg.model.project import Function
    from lambdaimg.pool.renewal import Renewal
    from lambdaimg.runtime.placement import Wishes

_credentials = click.option(
    "--credentials",
    default="none",
    show_default=True,
    help="The AWS credentials that the functions see.",
    metavar="none|env|profile:NAME",
)


@click.group("edge")
def command() -> None:
    """Run Lambda@Edge functions behind a local CloudFront.

    \b
    Example:
      lambdaimg edge serve --port 8080
    """


@command.command("serve")
@click.option("--port", type=click.IntRange(0, 65_535), default=8_080, show_default=True, help="0: any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.", metavar="ADDRESS")
@click.option("--watch", is_flag=True, help="Answer with the new code as soon as a function's source is edited.")
@_credentials
@pass_session
def serve(session: Session, port: int, host: str, watch: bool, credentials: str) -> None:
    """Be the project's distribution until Ctrl-C: its triggers, cache and origin, at a URL.

    Each request's walk is a line on stderr, with what was wrong below it.

    \b
    Example:
      lambdaimg edge serve --port 8080 --watch
    """
    from lambdaimg.model.edge.restrictions import advice
    from lambdaimg.runtime.sweep import sweep
    from lambdaimg.service.wire import listen

    edge = _edge(session)
    functions = session.project.select(edge.function_names) if edge.function_names else ()
    for text in advice(edge, {function.name: function for function in functions}):
        session.warn(text)
    with listen(host, port) as listening:
        sweep(session.engine)
        for function in functions:
            session.provide_image(function)
        url = f"http://{host}:{listening.getsockname()[1]}"
        asyncio.run(_serve(session, edge, functions, _wishes(credentials), listening, url, watch))


async def _serve(
    session: Session,
    edge: EdgeSettings,
    chosen: "Sequence[Function]",
    wishes: "Wishes",
    listening: socket.socket,
    url: str,
    watch: bool,
) -> None:
    """Serves until it is cancelled."""
    from lambdaimg.edge.functions import functions
    from lambdaimg.edge.origins import opened
    from lambdaimg.edge.server import serving
    from lambdaimg.runtime.factory import EnvironmentFactory, Options

    by_name, plans = {function.name: function for function in chosen}, _plans(session, chosen, watch)
    with EnvironmentFactory(session.engine, session.project, Options(), session.say) as factory:
        pools = functions(factory, by_name, wishes, plans, session.log_line)
        try:
            async with opened(session.project.root, edge, pools.invoke) as distribution:
                await pools.warm()
                async with serving(distribution, listening, session.log_line):
                    click.echo(f"{edge.domain} answers at {url}")
                    await pools.follow(plans, lambda name: session.build((by_name[name],)), session.say)
                    await asyncio.Event().wait()
        finally:
            await pools.close()


def _plans(session: Session, functions: "Sequence[Function]", watch: bool) -> "dict[str, Renewal]":
    from lambdaimg.pool.renewal import renewal

    return {function.name: renewal(session.project, function) for function in functions} if watch else {}


@command.command("invoke")
@click.argument("trigger", type=click.Choice(TRIGGERS))
@click.argument("function", metavar="FN")
@click.option("--url", required=True, help="What the viewer asks for: a path, or a URL.", metavar="URL")
@click.option("--method", default="GET", show_default=True, help="The request's method.")
@click.option("--header", "headers", multiple=True, help="A header of the request; may be repeated.", metavar="K: V")
@click.option("--data", default="", help="The request's body, which the function sees.", metavar="TEXT")
@click.option("--status", type=click.IntRange(200, 599), default=200, show_default=True, help="The response's.")
@click.option(
    "--response-header", "given", multiple=True, help="A header of the response; may be repeated.", metavar="K: V"
)
@_credentials
@pass_session
@click.pass_context
def invoke(
    ctx: click.Context,
    session: Session,
    trigger: str,
    function: str,
    url: str,
    method: str,
    headers: tuple[str, ...],
    data: str,
    status: int,
    given: tuple[str, ...],
    credentials: str,
) -> None:
    """Invoke the function FN as TRIGGER would: the request or response that comes out on stdout, its log on stderr.

    Exits with 1 when the function fails, or CloudFront would refuse its result, with the reason.

    \b
    Example:
      lambdaimg edge invoke viewer-request redirect --url /old?page=2 --header 'Cookie: group=b'
    """
    from lambdaimg.model.edge.sent import sent

    message = sent(
        trigger,
        url,
        method=method,
        headers=map(_header, headers),
        body=data,
        status=status,
        response_headers=map(_header, given),
    )
    chosen = session.project.one(function)
    invocation = _invoked(session, chosen, json.dumps(message.event).encode(), credentials)
    click.echo(invocation.payload.decode("utf-8", "replace"))
    if invocation.function_error:
        ctx.exit(1)
    message.check(invocation.payload)


def _header(text: str) -> tuple[str, str]:
    """`NAME: VALUE` in two. Raises UsageError without a colon."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise UsageError(f"the header {text!r} has no value", remedy="write --header 'NAME: VALUE'")
    return name.strip(), value.strip()


def _invoked(session: Session, function: "Function", event: bytes, credentials: str) -> "Invocation":
    from lambdaimg.runtime.sweep import sweep

    sweep(session.engine)
    session.provide_image(function)
    return asyncio.run(_once(session, function, event, _wishes(credentials)))


async def _once(session: Session, function: "Function", event: bytes, wishes: "Wishes") -> "Invocation":
    from lambdaimg.model.invocation import Request
    from lambdaimg.runtime.factory import EnvironmentFactory, Options

    options = Options(keeps_tmp=False)
    with EnvironmentFactory(session.engine, session.project, options, session.say) as factory:
        async with factory.make(function, wishes, session.log_line) as environment:
            return await environment.invoke(Request(event=event))


@command.command("event")
@click.argument("trigger", type=click.Choice(TRIGGERS))
@click.option("--url", help="What the viewer asks for; default: the sample's own.", metavar="URL")
@click.option("--method", default="GET", show_default=True, help="The request's method, with --url.")
@click.option(
    "--header", "headers", multiple=True, help="A header of the request, with --url; may be repeated.", metavar="K: V"
)
def event(trigger: str, url: str | None, method: str, headers: tuple[str, ...]) -> None:
    """Print the event that TRIGGER sends.

    \b
    Example:
      lambdaimg edge event viewer-request --url /shop?page=2
    """
    from lambdaimg.model import samples
    from lambdaimg.model.edge.sent import sent

    if url is None:
        made = samples.event(f"edge-{trigger}", {})
    else:
        made = sent(trigger, url, method=method, headers=map(_header, headers)).event
    click.echo(json.dumps(made, indent=2, ensure_ascii=False))


def _edge(session: Session) -> EdgeSettings:
    """The project's distribution. Raises UsageError without one."""
    if session.project.edge is None:
        raise UsageError(
            f"{session.project.file.name} has no distribution", remedy='write a table [edge] with origin = "…"'
        )
    return session.project.edge


def _wishes(credentials: str) -> "Wishes":
    from lambdaimg.runtime.credentials import credentials as find_credentials
    from lambdaimg.runtime.placement import Wishes

    return Wishes(credentials=find_credentials(credentials))
