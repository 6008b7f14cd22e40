"""Whether a payload is what was expected, and where it differs.

An expected value is JSON. A table whose keys begin with `$` is not compared but holds matchers, all of which must
agree: `{ "$regex" = "^ord-" }`. `MATCHERS` lists them.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from voluptuous import Invalid

from lambdaimg.model.checks import Check, NameInvalid, all_checked, json_value
from lambdaimg.model.errors import UsageError
from lambdaimg.model.suggest import did_you_mean

MODES: Final = ("subset", "exact", "schema")

MISSING: Final = object()
"""In the place of a value that is not there."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One place where a payload is not as expected. `got` is `MISSING` where there is nothing."""

    path: str
    expected: Any
    got: Any


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in the payload, and how it is compared: `exact` allows no further keys; `literal` knows no matchers."""

    path: str = "payload"
    exact: bool = False
    literal: bool = False

    def at(self, key: str | int) -> "Place":
        if isinstance(key, int):
            step = f"[{key}]"
        else:
            step = f".{key}" if re.fullmatch(r"[\w-]+", key) else f"[{json.dumps(key)}]"
        return replace(self, path=self.path + step)


def compare(expected: Any, got: Any, mode: str) -> list[Difference]:
    """Every place where `got`, a JSON value, is not as expected; none when all is well.

    Raises UsageError when a schema is asked for and the library that knows schemas is not installed.
    """
    if mode == "schema":
        return _against_schema(expected, got)
    return _differences(expected, got, Place(exact=mode == "exact"))


def _differences(expected: Any, got: Any, place: Place) -> list[Difference]:
    if is_matcher(expected) and not place.literal:
        found = (MATCHERS[name].differences(argument, got, place) for name, argument in expected.items())
        return [difference for each in found for difference in each]
    if isinstance(expected, dict) and isinstance(got, dict):
        return _between_objects(expected, got, place)
    if isinstance(expected, list) and isinstance(got, list):
        return _between_lists(expected, got, place)
    return [] if _same(expected, got) else [Difference(path=place.path, expected=expected, got=got)]


def _between_objects(expected: dict[str, Any], got: dict[str, Any], place: Place) -> list[Difference]:
    more = [key for key in got if key not in expected] if place.exact else []
    return [
        *(
            found
            for key, value in expected.items()
            for found in _differences(value, got.get(key, MISSING), place.at(key))
        ),
        *(Difference(path=place.at(key).path, expected=MISSING, got=got[key]) for key in more),
    ]


def _between_lists(expected: list[Any], got: list[Any], place: Place) -> list[Difference]:
    """In order; a list is as long as is expected, in a subset too."""
    both = max(len(expected), len(got))
    pairs = zip(_padded(expected, both), _padded(got, both), strict=True)
    return [
        found
        for index, (wanted, value) in enumerate(pairs)
        for found in (
            [Difference(path=place.at(index).path, expected=MISSING, got=value)]
            if wanted is MISSING
            else _differences(wanted, value, place.at(index))
        )
    ]


def _padded(values: list[Any], length: int) -> list[Any]:
    return values + [MISSING] * (length - len(values))


def _same(expected: Any, got: Any) -> bool:
    """Equality of JSON's values: 1 is 1.0, and true is no number."""
    return isinstance(expected, bool) == isinstance(got, bool) and bool(expected == got)


def is_matcher(expected: Any) -> bool:
    return isinstance(expected, dict) and any(key.startswith("$") for key in expected)


def expected_value(value: Any) -> Any:
    """Checks an expected value: JSON, its matchers known and rightly used. Raises Invalid with all that is wrong."""
    if is_matcher(value):
        all_checked(((name,), _matcher_of(name), argument) for name, argument in value.items())
    elif isinstance(value, dict):
        all_checked(((key,), expected_value, item) for key, item in value.items())
    elif isinstance(value, list):
        all_checked(((index,), expected_value, item) for index, item in enumerate(value))
    else:
        json_value(value)
    return value


def _matcher_of(name: str) -> Check:
    """The check of a matcher's argument; one that refuses the name where there is no such matcher."""
    if name in MATCHERS:
        return MATCHERS[name].argument

    def unknown(_: Any) -> None:
        what = f"no matcher {name!r}" if name.startswith("$") else f"{name!r} stands beside a matcher"
        known = did_you_mean(name, MATCHERS) or f"the matchers are {', '.join(MATCHERS)}"
        raise NameInvalid(what, remedy=known if name.startswith("$") else "a table holds matchers or keys, not both")

    return unknown


# The matchers

Judge = Callable[[Any, Any, Place], list[Difference]]


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """One matcher: what its argument may be, where a value differs from it, and what the reference says of it."""

    argument: Check
    differences: Judge
    says: str


def _when(holds: Callable[[Any, Any], bool], name: str) -> Judge:
    """A matcher that agrees with a value or does not."""

    def judge(argument: Any, got: Any, place: Place) -> list[Difference]:
        if got is not MISSING and holds(argument, got):
            return []
        return [Difference(path=place.path, expected={name: argument}, got=got)]

    return judge


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda got: isinstance(got, str),
    "number": lambda got: _is_number(got),
    "integer": lambda got: _is_number(got) and got == int(got),
    "boolean": lambda got: isinstance(got, bool),
    "null": lambda got: got is None,
    "array": lambda got: isinstance(got, list),
    "object": lambda got: isinstance(got, dict),
}
"""JSON Schema's names of the types."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> Any:
    if not _is_number(value):
        raise Invalid("must be a number")
    return value


def _type(value: Any) -> Any:
    if value not in _TYPES:
        raise Invalid(f"must be one of {', '.join(_TYPES)}")
    return value


def _true(value: Any) -> Any:
    if value is not True:
        raise Invalid("must be true")
    return value


def _pattern(value: Any) -> Any:
    try:
        re.compile(value)
    except (re.error, TypeError) as error:
        raise Invalid(f"must be a regular expression ({error})") from None
    return value


def _approximation(value: Any) -> Any:
    """A number, or `{ value, within }`."""
    if isinstance(value, dict) and value.keys() == {"value", "within"}:
        all_checked(((key,), _number, item) for key, item in value.items())
    elif not _is_number(value):
        raise Invalid("must be a number, or { value = …, within = … }")
    return value


def _alternatives(value: Any) -> Any:
    if not isinstance(value, list) or not value:
        raise Invalid("must be a list of alternatives")
    return expected_value(value)


def _is_near(argument: Any, got: Any) -> bool:
    value = argument["value"] if isinstance(argument, dict) else argument
    within = argument["within"] if isinstance(argument, dict) else abs(value) * 1e-6
    return _is_number(got) and bool(abs(got - value) <= within)


def _is_datetime(_: Any, got: Any) -> bool:
    """ISO 8601, both halves: a date and a time."""
    try:
        return isinstance(got, str) and len(got) > len("2026-01-01") and bool(datetime.fromisoformat(got))
    except ValueError:
        return False


def _is_absent(argument: Any, got: Any, place: Place) -> list[Difference]:
    return [] if got is MISSING else [Difference(path=place.path, expected=MISSING, got=got)]


def _has_length(argument: Any, got: Any, place: Place) -> list[Difference]:
    if not isinstance(got, str | list | dict):
        return [Difference(path=place.path, expected={"$length": argument}, got=got)]
    return _differences(argument, len(got), replace(place, path=f"length of {place.path}"))


def _contains(argument: Any, got: Any, place: Place) -> list[Difference]:
    if isinstance(got, str) and isinstance(argument, str):
        holds = argument in got
    else:
        holds = isinstance(got, list) and any(not _differences(argument, item, place) for item in got)
    return [] if holds else [Difference(path=place.path, expected={"$contains": argument}, got=got)]


def _is_json(argument: Any, got: Any, place: Place) -> list[Difference]:
    try:
        inner = json.loads(got)
    except (TypeError, ValueError):
        return [Difference(path=place.path, expected={"$json": argument}, got=got)]
    return _differences(argument, inner, replace(place, path=f"{place.path}($json)"))


def _is_not(argument: Any, got: Any, place: Place) -> list[Difference]:
    if got is not MISSING and _differences(argument, got, place):
        return []
    return [Difference(path=place.path, expected={"$not": argument}, got=got)]


def _is_one_of(argument: Any, got: Any, place: Place) -> list[Difference]:
    if any(not _differences(each, got, place) for each in argument):
        return []
    return [Difference(path=place.path, expected={"$one-of": argument}, got=got)]


def _is_literally(argument: Any, got: Any, place: Place) -> list[Difference]:
    return _differences(argument, got, replace(place, literal=True))


MATCHERS: Final[Mapping[str, Matcher]] = {
    "$any": Matcher(argument=_true, differences=_when(lambda _, got: True, "$any"), says="anything, null too"),
    "$absent": Matcher(argument=_true, differences=_is_absent, says="the key is not there"),
    "$type": Matcher(
        argument=_type,
        differences=_when(lambda argument, got: _TYPES[argument](got), "$type"),
        says=f"a value of that type: {', '.join(_TYPES)}",
    ),
    "$regex": Matcher(
        argument=_pattern,
        differences=_when(lambda argument, got: isinstance(got, str) and bool(re.search(argument, got)), "$regex"),
        says="a string in which the regular expression is found; ^ and $ bind it to the ends",
    ),
    "$approx": Matcher(
        argument=_approximation,
        differences=_when(_is_near, "$approx"),
        says="a number within a millionth of this one, or of { value = …, within = … }",
    ),
    "$at-least": Matcher(
        argument=_number,
        differences=_when(lambda argument, got: _is_number(got) and got >= argument, "$at-least"),
        says="a number, this one or above",
    ),
    "$at-most": Matcher(
        argument=_number,
        differences=_when(lambda argument, got: _is_number(got) and got <= argument, "$at-most"),
        says="a number, this one or below",
    ),
    "$datetime": Matcher(
        argument=_true,
        differences=_when(_is_datetime, "$datetime"),
        says="a string with a date and a time, as ISO 8601 writes them",
    ),
    "$length": Matcher(
        argument=expected_value,
        differences=_has_length,
        says="a string, list or object of that length; may be a matcher",
    ),
    "$contains": Matcher(
        argument=expected_value,
        differences=_contains,
        says="a string with this part, or a list with an item that is as expected",
    ),
    "$json": Matcher(argument=expected_value, differences=_is_json, says="a string of JSON whose value is as expected"),
    "$not": Matcher(argument=expected_value, differences=_is_not, says="a value that is there, and not as expected"),
    "$one-of": Matcher(
        argument=_alternatives, differences=_is_one_of, says="a value that is as one of the list expects"
    ),
    "$literal": Matcher(
        argument=json_value, differences=_is_literally, says="this value, keys that begin with $ being ordinary keys"
    ),
}
"""Every matcher of expected values, in the reference's order."""


# Schemas and snapshots


def check_schema(value: Any) -> None:
    """Raises UsageError when a value is no JSON Schema, and without the library that knows."""
    library = _schemas()
    try:
        library.validators.validator_for(value, default=library.Draft202012Validator).check_schema(value)
    except library.SchemaError as error:
        raise UsageError(f"{_path(error.absolute_path)} is not a JSON Schema: {error.message}") from None


def _against_schema(schema: Any, got: Any) -> list[Difference]:
    library = _schemas()
    validator = library.validators.validator_for(schema, default=library.Draft202012Validator)(schema)
    return [
        Difference(
            path=_path(error.absolute_path), expected={error.validator: error.validator_value}, got=error.instance
        )
        for error in validator.iter_errors(got)
    ]


def _schemas() -> Any:
    try:
        import jsonschema
    except ImportError:
        remedy = "pip install 'lambdaimg[schema]'"
        raise UsageError('match = "schema" needs the package jsonschema', remedy=remedy) from None
    return jsonschema


def _path(keys: Iterable[str | int]) -> str:
    place = Place()
    for key in keys:
        place = place.at(key)
    return place.path


def refreshed(expected: Any, got: Any) -> Any:
    """A new expected value, which `got` is as: `got` itself, but with the matchers of the old one that hold."""
    if is_matcher(expected):
        return _as_written(got) if _differences(expected, got, Place(exact=True)) else expected
    if isinstance(expected, dict) and isinstance(got, dict) and not is_matcher(got):
        return {key: refreshed(expected.get(key, MISSING), value) for key, value in got.items()}
    if isinstance(expected, list) and isinstance(got, list):
        return [refreshed(old, new) for old, new in zip(_padded(expected, len(got)), got, strict=False)]
    return _as_written(got)


def _as_written(got: Any) -> Any:
    """A value as an expected one, none of its keys being taken for a matcher."""
    if isinstance(got, dict):
        inner = {key: _as_written(value) for key, value in got.items()}
        return {"$literal": got} if is_matcher(got) else inner
    return [_as_written(item) for item in got] if isinstance(got, list) else got
