"""The option `--debug-port` of `run` and `invoke`."""

from typing import TYPE_CHECKING

import click

from lambdaimg.model.errors import UsageError

if TYPE_CHECKING:
    from lambdaimg.model.project import Function
    from lambdaimg.runtime.debugging import Debug

debug_option = click.option(
    "--debug-port",
    type=click.IntRange(1, 65_535),
    help="Run it under its language's debugger, at this port, without a timeout.",
    metavar="N",
)


def debug(function: "Function", port: int | None, *, rie: bool, waits: bool) -> "Debug | None":
    """The wish, and the editor's settings on stderr. Raises UsageError under the RIE, which knows a timeout only."""
    from lambdaimg.runtime.debugging import Debug, attach_settings

    if port is None:
        return None
    if rie:
        raise UsageError("--debug-port needs lambdaimg's own emulator", remedy="leave --rie")
    wanted = Debug(port=port, waits=waits)
    click.echo(f"attach an editor to 127.0.0.1:{port}; for VS Code, in .vscode/launch.json:", err=True)
    click.echo(attach_settings(function, wanted), err=True)
    return wanted
