"""The options that `run`, `invoke` and `shell` share: what the environment is given."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lambdaimg.model.errors import UsageError

if TYPE_CHECKING:
    from lambdaimg.runtime.placement import Wishes

_OPTIONS = (
    click.option("--env", "variables", multiple=True, help="Set a variable; may be repeated.", metavar="KEY=VALUE"),
    click.option(
        "--env-file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Set the variables of a file of KEY=VALUE lines.",
        metavar="FILE",
    ),
    click.option(
        "--credentials",
        default="none",
        show_default=True,
        help="The AWS credentials that the function sees.",
        metavar="none|env|profile:NAME",
    ),
    click.option("--unsandboxed", is_flag=True, help="Without Lambda's limits: writable root, root user, all memory."),
)


def environment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def wishes(
    variables: tuple[str, ...], env_file: Path | None, credentials: str, unsandboxed: bool, endpoint: str = ""
) -> "Wishes":
    """The options as one object. Raises UsageError for a variable without `=` and for unknown credentials."""
    from lambdaimg.runtime.credentials import credentials as find_credentials
    from lambdaimg.runtime.placement import Wishes

    wrong = [variable for variable in variables if not variable.partition("=")[0] or "=" not in variable]
    if wrong:
        raise UsageError(f"--env {wrong[0].partition('=')[0]!r} has no value", remedy="write --env KEY=VALUE")
    return Wishes(
        environment=dict(variable.partition("=")[::2] for variable in variables),
        credentials=find_credentials(credentials),
        env_file=str(env_file.resolve()) if env_file else "",
        unsandboxed=unsandboxed,
        endpoint=endpoint,
    )
