"""What a single value of the project file may be. Each check returns the value or raises `voluptuous.Invalid`.

Strict on purpose: a value that would have to be quoted away in a Dockerfile, a bake file or a compose file is
refused here, where the message can still name file, line and key.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from voluptuous import Invalid, Length, MultipleInvalid, Schema

from lambdaimg.model.quotas import Bounds

Check = Callable[[Any], Any]

_IMAGE_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"


class NameInvalid(Invalid):
    """The key itself is wrong, whatever its value."""


IMAGE_NAME = re.compile(_IMAGE_NAME)
"""One path component of an image's name (distribution's reference grammar)."""

_IMAGE_REFERENCE = re.compile(
    r"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::[0-9]{1,5})?/)?"  # a registry
    rf"{_IMAGE_NAME}(?:/{_IMAGE_NAME})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_PATH = re.compile(r"[A-Za-z0-9._+@/ -]+")


def matching(pattern: str, allowed: str) -> Check:
    """A string that `pattern` matches in full; `allowed` says so in words."""
    compiled = re.compile(pattern)

    def check(value: Any) -> Any:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise Invalid(f"must be {allowed}")
        return value

    return check


def whole_number(bounds: Bounds) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool) or not bounds.least <= value <= bounds.most:
            raise Invalid(f"must be a whole number, {bounds}")
        return value

    return check


def one_of(*choices: str) -> Check:
    def check(value: Any) -> Any:
        if value not in choices:
            raise Invalid(f"must be one of {', '.join(choices)}")
        return value

    return check


def boolean(value: Any) -> Any:
    if not isinstance(value, bool):
        raise Invalid("must be true or false")
    return value


def text(value: Any) -> Any:
    """Any string; only NUL can't be carried anywhere."""
    if not isinstance(value, str) or "\0" in value:
        raise Invalid("must be a string")
    return value


def list_of(check: Check, *, at_most: int = 1_500) -> Check:
    schema = Schema([check])

    def checked(value: Any) -> Any:
        if not isinstance(value, list):
            raise Invalid("must be a list")
        return tuple(Length(max=at_most)(schema(value)))

    return checked


def table_of(key: Check, value: Check, *, at_most: int = 1_500) -> Check:
    """A table whose keys are the user's own; the errors of all its keys and values are gathered."""

    def checked(table: Any) -> Any:
        if not isinstance(table, dict):
            raise Invalid("must be a table")
        if len(table) > at_most:
            raise Invalid(f"must have at most {at_most} entries")
        errors: list[Invalid] = []
        for name, item in table.items():
            for check, argument in ((key, name), (value, item)):
                try:
                    check(argument)
                except Invalid as invalid:
                    errors.append(invalid if check is value else NameInvalid(f"the name {invalid.msg}"))
                    errors[-1].prepend([name])
        if errors:
            raise MultipleInvalid(errors)
        return {name: value(item) for name, item in table.items()}

    return checked


def path_inside(value: Any) -> Any:
    """A relative path that stays inside the project, of characters that no Dockerfile interprets."""
    if not isinstance(value, str) or not _PATH.fullmatch(value) or value.startswith(("/", "-")):
        raise Invalid("must be a relative path of letters, digits, spaces and ._+@-/")
    if ".." in value.split("/"):
        raise Invalid("must be a path inside the project")
    return value.rstrip("/")


def path_anywhere(value: Any) -> Any:
    """A path of this machine: what lies there is mounted, never named in an image."""
    if not isinstance(value, str) or not value or any(character in value for character in "\0\n\r,"):
        raise Invalid("must be a path (without a comma or a line break)")
    return value


def image_reference(value: Any) -> Any:
    if not isinstance(value, str) or not _IMAGE_REFERENCE.fullmatch(value):
        raise Invalid("must be a name of the catalog or an image reference, such as debian:trixie-slim")
    return value


def value_at(data: Any, path: Sequence[Any]) -> Any:
    """What the file says at `path`, or None where an inner part is missing."""
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data
