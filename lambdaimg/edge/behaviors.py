"""Which behavior a path has, and what of a request goes on to the cache key and the origin."""

import re
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Final

from lambdaimg.model.edge.messages import Request
from lambdaimg.model.edge.settings import ALL, BehaviorSettings

_ALWAYS: Final = ("Content-Type",)
_WITH_A_BODY: Final = ("Authorization",)
"""Sent on with methods that are not cached (Developer Guide, "HTTP request headers and CloudFront behavior")."""
CACHED: Final = ("GET", "HEAD")


class Behaviors:
    """The behaviors of a distribution, by path pattern. The default one comes last, wherever it stands."""

    def __init__(self, behaviors: Mapping[str, BehaviorSettings]) -> None:
        self._default = behaviors.get(ALL, BehaviorSettings())
        self._by_pattern = [(_compiled(pattern), each) for pattern, each in behaviors.items() if pattern != ALL]

    def of(self, uri: str) -> BehaviorSettings:
        for pattern, behavior in self._by_pattern:
            if pattern.fullmatch(uri):
                return behavior
        return self._default


def _compiled(pattern: str) -> re.Pattern[str]:
    """`*` is any characters, `?` is one; the slash before the pattern may be left out."""
    wild = {"*": ".*", "?": "."}
    return re.compile("/?" + "".join(wild.get(character) or re.escape(character) for character in pattern.lstrip("/")))


def forwarded(request: Request, behavior: BehaviorSettings) -> Request:
    """The request with no more of query string, headers and cookies than the behavior lets through."""
    names = [*behavior.headers, *_ALWAYS, *(() if request.method in CACHED else _WITH_A_BODY)]
    headers = request.headers.only(name for name in names if name.lower() != "cookie")
    if cookies := _chosen(request.headers.get("Cookie"), behavior.cookies, r";\s*", "; "):
        headers = headers.put("Cookie", cookies)
    if behavior.compress and accepts_gzip(request):
        headers = headers.put("Accept-Encoding", "gzip")
    query = _chosen(request.querystring, behavior.query_strings, "&", "&")
    return replace(request, headers=headers, querystring=query)


def _chosen(text: str, names: tuple[str, ...], split: str, join: str) -> str:
    """Those of `name=value` pairs that have one of the names; all with `*`."""
    if not text or not names or ALL in names:
        return text if ALL in names else ""
    return join.join(pair for pair in re.split(split, text) if pair.partition("=")[0] in names)


def accepts_gzip(request: Request) -> bool:
    return bool(re.search(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", request.headers.get("Accept-Encoding")))


def key(request: Request, behavior: BehaviorSettings) -> Hashable:
    """The cache key of a forwarded request. HEAD is answered with what GET has left."""
    headers = request.headers
    return (
        request.uri,
        request.querystring,
        *((name.lower(), headers.get(name)) for name in behavior.headers),
        headers.get("Cookie"),
        headers.get("Accept-Encoding") if behavior.compress else "",
    )
