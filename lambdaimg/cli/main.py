"""The `lambdaimg` command: global options, the list of commands, and how errors end."""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from lambdaimg import __version__
from lambdaimg.cli.session import Session
from lambdaimg.model.errors import LambdaimgError, UsageError
from lambdaimg.model.suggest import did_you_mean

COMMANDS: Final = {
    "init": "Make a new project: one function, one event, one test case.",
    "build": "Build the functions' images.",
    "run": "Run one function until Ctrl-C, at a URL.",
    "serve": "Serve all functions at a local Lambda endpoint that scales out.",
    "invoke": "Invoke a function once and print what it returns.",
    "test": "Run the functions' test cases.",
    "event": "Print a sample event of a service that invokes functions.",
    "edge": "Run Lambda@Edge functions behind a local CloudFront.",
    "check": "Would Lambda accept and run the images?",
    "render": "Write the Dockerfiles, bake file and compose file that would be used.",
    "show": "Show every setting in force, and where it comes from.",
    "shell": "Open a shell in the function's image, in its sandbox.",
    "base": "List, show and make base images.",
    "rie": "Locate or install the Runtime Interface Emulator.",
    "export": "Print the project as a CloudFormation or SAM template, or as Knative services.",
    "package": "Make zips for Lambda's own runtimes.",
    "deploy": "Make AWS Lambda what the project file says.",
    "push": "Push the functions' images to ECR or another registry.",
    "policy": "Print the IAM policies that a function needs.",
    "doctor": "Check whether this machine is ready.",
    "clean": "Remove everything that lambdaimg made in the engine for this project.",
}
"""Each command, in the order of `--help`, with its line there: none has to be imported for it."""

BUG: Final = 70
INTERRUPTED: Final = 130


class LazyGroup(click.Group):
    """A group whose commands are imported when they run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"lambdaimg.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            near = did_you_mean(args[0], COMMANDS) or "`lambdaimg --help` lists the commands"
            ctx.fail(f"no such command {args[0]!r}; {near}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-C", "folder", type=click.Path(path_type=Path), help="Work as if started in this folder.", metavar="DIR")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The project file; default: the nearest one.", metavar="FILE"
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "error"]),
    default="info",
    help="debug: with tracebacks; error: no progress.",
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colours on stderr.")
@click.version_option(__version__, message="lambdaimg %(version)s")
@click.pass_context
def cli(ctx: click.Context, folder: Path | None, config: Path | None, log_level: str, color: str) -> None:
    """Build AWS Lambda container images on any base image, and prove them before they are deployed.

    \b
    Example:
      lambdaimg init --language python && lambdaimg build && lambdaimg invoke --rie -d '{"name": "Ada"}'
    """
    if folder is not None:
        try:
            os.chdir(folder)
        except OSError as error:
            raise UsageError(f"can't work in the folder {folder}: {error.strerror}", remedy="correct -C") from None
    ctx.obj = Session(config=config, log_level=log_level, color=color)


def run(arguments: Sequence[str]) -> int:
    """Runs one command; returns its exit code (docs/reference/exit-codes.md)."""
    _end_like_ctrl_c_on_sigterm()
    debug = "debug" in arguments or "--log-level=debug" in arguments
    try:
        code = cli.main(list(arguments), prog_name="lambdaimg", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except LambdaimgError as error:
        if debug:
            _print_traceback()
        _print_error(error)
        return error.exit_code
    except BrokenPipeError:  # whoever read our output has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception:
        _print_traceback()
        click.echo("this is a bug of lambdaimg: please report it, with the lines above", err=True)
        return BUG


def _print_traceback() -> None:
    import traceback

    traceback.print_exc()


def _print_error(error: LambdaimgError) -> None:
    first, *rest = error.lines() or [""]
    for line in (*error.output, f"error: {first}", *rest):
        click.echo(line, err=True)


def _end_like_ctrl_c_on_sigterm() -> None:
    import signal

    def interrupt(_number: int, _frame: FrameType | None) -> Any:
        signal.raise_signal(signal.SIGINT)  # an event loop has a handler of its own for it

    # A script's background process is started with SIGINT ignored, and would not end then.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGTERM, interrupt)
