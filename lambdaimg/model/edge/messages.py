"""Requests and responses as they go through a distribution, and the header lists that Lambda@Edge makes of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

HeaderLists = Mapping[str, list[dict[str, str]]]
"""`{"cache-control": [{"key": "Cache-Control", "value": "no-cache"}]}`: an item for each value."""
Origin = Mapping[str, Any]
"""`{"custom": {…}}` or `{"s3": {…}}`, as events have it."""


@dataclass(frozen=True)
class Headers:
    """Names and values in the order of the wire; names are compared without regard to case."""

    items: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The value of a header; empty without one, joined where it stands several times."""
        return ", ".join(self.all(name))

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.items if key.lower() == name.lower()]

    def __contains__(self, name: str) -> bool:
        return any(key.lower() == name.lower() for key, _ in self.items)

    def without(self, *names: str) -> "Headers":
        left = {name.lower() for name in names}
        return Headers(tuple(item for item in self.items if item[0].lower() not in left))

    def only(self, names: Iterable[str]) -> "Headers":
        kept = {name.lower() for name in names}
        return Headers(tuple(item for item in self.items if item[0].lower() in kept))

    def put(self, name: str, value: str) -> "Headers":
        """With one value for a header, in the place of all that it had."""
        return Headers((*self.without(name).items, (name, value)))

    def lists(self) -> HeaderLists:
        lists: dict[str, list[dict[str, str]]] = {}
        for key, value in self.items:
            lists.setdefault(key.lower(), []).append({"key": key, "value": value})
        return lists

    @classmethod
    def of_lists(cls, lists: HeaderLists) -> "Headers":
        """A name may be left out: CloudFront writes it with initial capitals then."""
        return cls(
            tuple((item.get("key") or name.title(), item["value"]) for name, found in lists.items() for item in found)
        )


@dataclass(frozen=True, kw_only=True)
class Request:
    """A viewer's request, or what the distribution makes of it. `querystring` has no question mark."""

    method: str
    uri: str
    querystring: str = ""
    headers: Headers = field(default_factory=Headers)
    client_ip: str = "127.0.0.1"
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer of the origin, of a function, or of the distribution itself."""

    status: int
    description: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""


def description_of(status: int) -> str:
    """A status in words, as HTTP has them."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
