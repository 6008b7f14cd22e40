"""Sample events: what the services that invoke functions send, one JSON file each in `sample_events/`.

A file holds `title`, `event`, and `open`: the places whose keys are the user's own, such as `headers`.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from voluptuous import Invalid

from lambdaimg.model.checks import NameInvalid, value_at
from lambdaimg.model.errors import EventError
from lambdaimg.model.suggest import did_you_mean

_FOLDER: Final = Path(__file__).parent / "sample_events"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample event. `open` are paths, such as `Records.0.messageAttributes`, below which any key may be set."""

    name: str
    title: str
    event: Any
    open: frozenset[str]


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.json")))


@cache
def read(name: str) -> Sample:
    """The sample called `name`, which must be one of `names()`."""
    data = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return Sample(name=name, title=data["title"], event=data["event"], open=frozenset(data.get("open", ())))


def sample_name(value: Any) -> Any:
    """A check: the name of a sample."""
    if not isinstance(value, str):
        raise Invalid("must be a string")
    if value not in names():
        raise NameInvalid(f"there is no sample event {value!r}", remedy=_near(value))
    return value


def _near(name: str) -> str:
    return did_you_mean(name, names()) or f"one of {', '.join(names())}"


def event(name: str, values: Mapping[str, Any]) -> Any:
    """A sample event with values put into it, each at a dotted path: `Records.0.body`.

    Raises EventError for an unknown sample, and for a path that it doesn't have, with the nearest.
    """
    if name not in names():
        raise EventError(f"there is no sample event {name!r}", remedy=_near(name))
    sample = read(name)
    made = copy.deepcopy(sample.event)
    for path, value in values.items():
        _put(sample, made, path, value)
    return made


def value_of(name: str, path: str, text: str) -> Any:
    """What a text means at a path of the sample `name`: text where the sample has text, else JSON where it is JSON."""
    *parents, last = path.split(".")
    around = value_at(read(name).event, [_index(part) for part in parents]) if name in names() else None
    there = value_at(around, [_index(last)])
    is_text = isinstance(there, str)
    if there is None and isinstance(around, dict):  # a header, say: as those that are there
        is_text = bool(around) and all(isinstance(value, str) for value in around.values())
    if is_text:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _index(part: str) -> str | int:
    return int(part) if part.isdecimal() else part


def _put(sample: Sample, made: Any, path: str, value: Any) -> None:
    """Sets one value; below an open place, tables are made where they are missing."""
    *parents, last = path.split(".")
    place, is_open = made, False
    for index, part in enumerate(parents):
        is_open = is_open or ".".join(parents[:index]) in sample.open
        if is_open and isinstance(place, dict):
            place.setdefault(part, {})
        place = place[_key(sample, place, part, path)]
    is_open = is_open or ".".join(parents) in sample.open
    if is_open and isinstance(place, dict):
        place[last] = value
    else:
        place[_key(sample, place, last, path)] = value


def _key(sample: Sample, place: Any, part: str, path: str) -> Any:
    """A part of a path as a key or index of what stands there. Raises EventError where there is no such."""
    if isinstance(place, dict):
        if part in place:
            return part
        remedy = did_you_mean(part, place) or f"it has {', '.join(place)}" if place else "nothing can be set below it"
    elif isinstance(place, list):
        if part.isdecimal() and int(part) < len(place):
            return int(part)
        remedy = f"there is a list: its items are 0 to {len(place) - 1}"
    else:
        remedy = f"there is no table but {json.dumps(place, ensure_ascii=False)}"
    raise EventError(f"the sample event {sample.name!r} has no {path!r} ({part!r})", remedy=remedy)
