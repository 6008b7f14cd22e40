"""The edge cache: how long an answer may be kept, and the answers that are kept.

Source: CloudFront Developer Guide, "Manage how long content stays in the cache", "HTTP 4xx and 5xx status codes".
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from lambdaimg.model.edge.messages import Headers, Response
from lambdaimg.model.edge.settings import BehaviorSettings

_ERRORS: Final = frozenset({404, 414, 500, 501, 502, 503, 504})
"""Errors that are always cached."""
_ERRORS_WITH_TTL: Final = frozenset({400, 403, 405, 412, 415})
"""Errors that are cached when the origin says how long."""
_BYTES: Final = 256 * 1024 * 1024


def ttl(response: Response, behavior: BehaviorSettings, error_ttl: int, now: float) -> float:
    """Seconds for which an answer is kept; 0 when it is not. `error_ttl` is the least for an error."""
    directives = _directives(response.headers)
    refused = bool(directives.keys() & {"no-cache", "no-store", "private"})
    told = None if refused else _told(directives, response.headers, now)
    if response.status >= 400:
        return _error_ttl(response.status, told, behavior, error_ttl)
    if refused:
        return behavior.min_ttl
    return _within(behavior, behavior.default_ttl if told is None else told)


def _error_ttl(status: int, told: float | None, behavior: BehaviorSettings, error_ttl: int) -> float:
    if status in _ERRORS or (status in _ERRORS_WITH_TTL and told is not None):
        return max(error_ttl, _within(behavior, told)) if told is not None else error_ttl
    return 0


def _within(behavior: BehaviorSettings, seconds: float) -> float:
    return max(behavior.min_ttl, min(seconds, behavior.max_ttl))


def _told(directives: Mapping[str, str], headers: Headers, now: float) -> float | None:
    """What the origin says: `s-maxage` before `max-age` before `Expires`."""
    for name in ("s-maxage", "max-age"):
        if directives.get(name, "").isdecimal():
            return float(directives[name])
    return max(0.0, _time(headers.get("Expires")) - now) if "Expires" in headers else None


def _time(date: str) -> float:
    """A date of HTTP; one that is none is past, as `Expires: 0` means it."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return 0.0


def _directives(headers: Headers) -> dict[str, str]:
    parts = (part.strip().partition("=") for part in headers.get("Cache-Control").split(","))
    return {name.strip().lower(): value.strip(' "') for name, _, value in parts if name}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An answer that is kept, from and until when (seconds of the cache's clock)."""

    response: Response
    stored: float
    expires: float


class Cache:
    """Answers by their keys, as many as `bytes_` hold; the one used longest ago goes first. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float], bytes_: int = _BYTES) -> None:
        self._clock = clock
        self._room = bytes_
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()

    def get(self, key: Hashable) -> Entry | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.expires <= self._clock():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def put(self, key: Hashable, response: Response, seconds: float) -> None:
        """Keeps an answer for so many seconds; not at all for 0."""
        self._drop(key)
        if seconds <= 0:
            return
        now = self._clock()
        self._entries[key] = Entry(response=response, stored=now, expires=now + seconds)
        self._room -= len(response.body)
        while self._room < 0:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry:
            self._room += len(entry.response.body)
