"""Values written where something would interpret them: one filter for each target. All are property-tested."""

import json
import shlex
from collections.abc import Sequence


def json_form(value: str | Sequence[str]) -> str:
    """The exec form of CMD and ENTRYPOINT, and the JSON form of COPY: ASCII, so no character ends the line."""
    return json.dumps(value if isinstance(value, str) else list(value))


def quoted(value: str) -> str:
    """A value of ENV, LABEL or ARG in double quotes, in which BuildKit expands nothing.

    Raises ValueError for a line break, which no Dockerfile can carry there.
    """
    if any(character in value for character in "\n\r\0"):
        raise ValueError("a line break can't stand in a Dockerfile's value")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def label(pair: tuple[str, str]) -> str:
    """One `key=value` of LABEL. Keys are our own."""
    return f"{pair[0]}={quoted(pair[1])}"


def shell_word(value: str) -> str:
    """One word of a RUN line's shell."""
    if any(character in value for character in "\n\r\0"):
        raise ValueError("a line break can't stand in a RUN line")
    return shlex.quote(value)


def compose_value(value: str) -> str:
    """A string of a compose file, in which compose interpolates nothing."""
    return value.replace("$", "$$")


def bake_value(value: str) -> str:
    """A string of a bake file, which reads JSON strings as HCL templates."""
    return value.replace("${", "$${").replace("%{", "%%{")
