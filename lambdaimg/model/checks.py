"""What a single value of the project file may be. Each check returns the value or raises `voluptuous.Invalid`.

Strict on purpose: a value that would have to be quoted away in a Dockerfile, a bake file or a compose file is
refused here, where the message can still name file, line and key.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from voluptuous import Invalid, MultipleInvalid

from lambdaimg.model import quotas
from lambdaimg.model.quotas import Bounds
from lambdaimg.model.suggest import did_you_mean

Check = Callable[[Any], Any]

_IMAGE_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"


class NameInvalid(Invalid):
    """The key itself is wrong, whatever its value; `remedy` says what it may be."""

    def __init__(self, message: str, path: Sequence[Any] = (), remedy: str = "") -> None:
        super().__init__(message, list(path))
        self.remedy = remedy


IMAGE_NAME = re.compile(_IMAGE_NAME)
"""One path component of an image's name (distribution's reference grammar)."""

_IMAGE_REFERENCE = re.compile(
    r"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::[0-9]{1,5})?/)?"  # a registry
    rf"{_IMAGE_NAME}(?:/{_IMAGE_NAME})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_PATH = re.compile(r"[A-Za-z0-9._+@/ -]+")
_PATTERN = re.compile(r"[A-Za-z0-9._+@/ *?\[\]-]+")


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


def anything(value: Any) -> Any:
    """For a value that a rule of its table looks at."""
    return value


def positive(unit: str) -> Check:
    """A number above nothing, in a unit."""

    def check(value: Any) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
            raise Invalid(f"must be a number of {unit}, above 0")
        return value

    return check


def json_value(value: Any) -> Any:
    """What JSON can say: of TOML, all but dates and times, and the numbers that are none."""
    if isinstance(value, dict):
        return all_checked(((name,), json_value, item) for name, item in value.items()) and value
    if isinstance(value, list):
        return all_checked(((index,), json_value, item) for index, item in enumerate(value)) and value
    if not isinstance(value, str | int | float | bool | None) or value in (math.inf, -math.inf) or value != value:
        raise Invalid("must be a value of JSON: a date or a time goes between quotes")
    return value


def all_checked(parts: Iterable[tuple[Sequence[Any], Check, Any]]) -> bool:
    """Runs the check of every part, a path with its value; True, or MultipleInvalid with all that is wrong."""
    errors: list[Invalid] = []
    for path, check, value in parts:
        try:
            check(value)
        except MultipleInvalid as several:
            several.prepend(list(path))
            errors += several.errors
        except Invalid as invalid:
            invalid.prepend(list(path))
            errors.append(invalid)
    if errors:
        raise MultipleInvalid(errors)
    return True


def list_of(check: Check, *, at_most: int = 1_500) -> Check:
    """A list of anything up to a length; the errors of all its items are gathered."""

    def checked(value: Any) -> Any:
        if not isinstance(value, list):
            raise Invalid("must be a list")
        if len(value) > at_most:
            raise Invalid(f"must have at most {at_most} items")
        all_checked(((index,), check, item) for index, item in enumerate(value))
        return tuple(check(item) for item in value)

    return checked


def table(keys: Mapping[str, Check], *rules: Check) -> Check:
    """A table of known keys, none of them required; the errors of all its keys and values are gathered.

    A rule looks at the whole table, as it is written.
    """

    def known(name: Any) -> None:
        if name not in keys:
            remedy = did_you_mean(str(name), keys) or f"allowed here: {', '.join(keys)}"
            raise NameInvalid(f"unknown key {name!r}", remedy=remedy)

    def checked(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Invalid("must be a table")
        all_checked(
            [
                *(((), rule, value) for rule in rules),
                *(
                    ((name,), keys[name], item) if name in keys else ((name,), known, name)
                    for name, item in value.items()
                ),
            ]
        )
        return {name: keys[name](item) for name, item in value.items()}

    return checked


def table_of(key: Check, value: Check, *, at_most: int = 1_500) -> Check:
    """A table whose keys are the user's own; the errors of all its keys and values are gathered."""

    def named(name: Any) -> None:
        try:
            key(name)
        except Invalid as invalid:
            raise NameInvalid(f"the name {invalid.msg}") from None

    def checked(found: Any) -> Any:
        if not isinstance(found, dict):
            raise Invalid("must be a table")
        if len(found) > at_most:
            raise Invalid(f"must have at most {at_most} entries")
        names = [((name,), named, name) for name in found]
        all_checked([*names, *(((name,), value, item) for name, item in found.items())])
        return {name: value(item) for name, item in found.items()}

    return checked


def path_inside(value: Any) -> Any:
    """A relative path that stays inside the project, of characters that no Dockerfile interprets."""
    if not isinstance(value, str) or not _PATH.fullmatch(value) or value.startswith(("/", "-")):
        raise Invalid("must be a relative path of letters, digits, spaces and ._+@-/")
    if ".." in value.split("/"):
        raise Invalid("must be a path inside the project")
    return value.rstrip("/")


def pattern_inside(value: Any) -> Any:
    """A relative path in which *, ? and [...] stand for characters, and ** for folders."""
    if not isinstance(value, str) or not _PATTERN.fullmatch(value) or value.startswith(("/", "-")):
        raise Invalid("must be a relative path, in which * stands for any characters")
    if ".." in value.split("/"):
        raise Invalid("must be a path inside the project")
    return value


def path_anywhere(value: Any) -> Any:
    """A path of this machine: what lies there is mounted, never named in an image."""
    if not isinstance(value, str) or not value or any(character in value for character in "\0\n\r,"):
        raise Invalid("must be a path (without a comma or a line break)")
    return value


def absolute_path(value: Any) -> Any:
    """A path inside the image."""
    if not isinstance(value, str) or not value.startswith("/") or len(value) > 1_000 or "\0" in value:
        raise Invalid("must be an absolute path of at most 1,000 characters")
    return value


def image_reference(value: Any) -> Any:
    if not isinstance(value, str) or not _IMAGE_REFERENCE.fullmatch(value):
        raise Invalid("must be a name of the catalog or an image reference, such as debian:trixie-slim")
    return value


def environment_key(value: Any) -> Any:
    """A variable's name: Lambda's pattern, and none that Lambda sets itself (quotas.md §1, §7)."""
    if value in quotas.RESERVED_ENVIRONMENT:
        raise Invalid("is reserved: Lambda sets it itself")
    return matching(quotas.ENVIRONMENT_KEY, "a letter, then letters, digits and _ (two characters at least)")(value)


def value_at(data: Any, path: Sequence[Any]) -> Any:
    """What the file says at `path`, or None where an inner part is missing."""
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data
