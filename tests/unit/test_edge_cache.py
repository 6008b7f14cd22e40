"""What the edge cache keeps, for how long, and what tells two answers apart."""

from email.utils import formatdate
from typing import Any

import pytest

from lambdaimg.edge.behaviors import Behaviors, accepts_gzip, forwarded, key
from lambdaimg.edge.cache import Cache, ttl
from lambdaimg.model.edge.messages import Headers, Request, Response
from lambdaimg.model.edge.settings import BehaviorSettings

NOW = 1_800_000_000.0
PLAIN = BehaviorSettings(default_ttl=100, max_ttl=1_000)
LONG = BehaviorSettings(min_ttl=50, default_ttl=100, max_ttl=1_000)


def response(status: int = 200, body: bytes = b"", **headers: Any) -> Response:
    return Response(
        status=status, headers=Headers(tuple((k.replace("_", "-"), v) for k, v in headers.items())), body=body
    )


@pytest.mark.parametrize(
    ("headers", "plain", "long"),
    [
        ({}, 100, 100),
        ({"Cache_Control": "max-age=10"}, 10, 50),
        ({"Cache_Control": "max-age=60"}, 60, 60),
        ({"Cache_Control": "public, Max-Age=5000"}, 1_000, 1_000),
        ({"Cache_Control": "max-age=10, s-maxage=20"}, 20, 50),
        ({"Cache_Control": "max-age=0"}, 0, 50),
        ({"Cache_Control": "no-store"}, 0, 50),
        ({"Cache_Control": "no-cache, max-age=60"}, 0, 50),
        ({"Cache_Control": "private"}, 0, 50),
        ({"Cache_Control": "max-age=x"}, 100, 100),
        ({"Expires": formatdate(NOW + 70, usegmt=True)}, 70, 70),
        ({"Expires": formatdate(NOW - 70, usegmt=True)}, 0, 50),
        ({"Expires": "0"}, 0, 50),
        ({"Expires": formatdate(NOW + 70, usegmt=True), "Cache_Control": "max-age=80"}, 80, 80),
    ],
)
def test_an_answer_is_kept_as_the_origin_says_within_the_behaviors_bounds(
    headers: dict[str, Any], plain: int, long: int
) -> None:
    assert ttl(response(**headers), PLAIN, 10, NOW) == plain
    assert ttl(response(**headers), LONG, 10, NOW) == long


@pytest.mark.parametrize(
    ("status", "silent", "told", "refused"),
    [(404, 10, 60, 10), (500, 10, 60, 10), (504, 10, 60, 10), (403, 0, 60, 0), (400, 0, 60, 0), (401, 0, 0, 0)],
)
def test_errors_are_kept_for_their_own_time(status: int, silent: int, told: int, refused: int) -> None:
    assert ttl(response(status), PLAIN, 10, NOW) == silent
    assert ttl(response(status, Cache_Control="max-age=60"), PLAIN, 10, NOW) == told
    assert ttl(response(status, Cache_Control="no-store"), PLAIN, 10, NOW) == refused
    assert ttl(response(404, Cache_Control="max-age=5"), PLAIN, 10, NOW) == 10


def test_an_answer_is_kept_until_its_time_is_over() -> None:
    now = NOW
    cache = Cache(lambda: now)
    cache.put("a", response(body=b"1"), 10)
    now += 9.5
    entry = cache.get("a")
    assert entry
    assert (entry.response.body, entry.stored) == (b"1", NOW)
    now += 0.5
    assert cache.get("a") is None
    cache.put("a", response(), 0)
    assert cache.get("a") is None


def test_what_was_used_longest_ago_makes_room() -> None:
    cache = Cache(lambda: NOW, bytes_=10)
    for name in "abc":
        cache.put(name, response(body=b"1234"), 10)
        cache.get("a")
    assert [name for name in "abc" if cache.get(name)] == ["a", "c"]
    cache.put("d", response(body=b"x" * 11), 10)
    assert [name for name in "abcd" if cache.get(name)] == []


def test_the_first_pattern_that_fits_decides() -> None:
    names = ("/images/*.jpg", "images/*", "api/v?/*", "*")
    behaviors = Behaviors({name: BehaviorSettings(viewer_request=name) for name in ("*", *names[:-1])})
    found = {
        path: behaviors.of(path).viewer_request
        for path in ("/images/a/b.jpg", "/images/a", "/api/v1/", "/IMAGES/a", "/")
    }
    assert found == {
        "/images/a/b.jpg": "/images/*.jpg",
        "/images/a": "images/*",
        "/api/v1/": "api/v?/*",
        "/IMAGES/a": "*",
        "/": "*",
    }
    assert Behaviors({}).of("/x") == BehaviorSettings()


ASKED = Request(
    method="GET",
    uri="/a",
    querystring="size=large&page=2&size=small",
    headers=Headers((("Accept-Language", "de"), ("Cookie", "a=1; b=2"), ("Accept-Encoding", "br, gzip"), ("X-B", "b"))),
)


@pytest.mark.parametrize(
    ("behavior", "query", "headers"),
    [
        (BehaviorSettings(), "", {}),
        (BehaviorSettings(query_strings=("*",)), ASKED.querystring, {}),
        (BehaviorSettings(query_strings=("size",)), "size=large&size=small", {}),
        (BehaviorSettings(cookies=("*",)), "", {"Cookie": "a=1; b=2"}),
        (BehaviorSettings(cookies=("b", "c")), "", {"Cookie": "b=2"}),
        (BehaviorSettings(cookies=("c",)), "", {}),
        (BehaviorSettings(headers=("accept-language",)), "", {"Accept-Language": "de"}),
        (BehaviorSettings(compress=True), "", {"Accept-Encoding": "gzip"}),
    ],
)
def test_what_goes_on_to_the_origin_tells_answers_apart(
    behavior: BehaviorSettings, query: str, headers: dict[str, str]
) -> None:
    sent = forwarded(ASKED, behavior)
    assert (sent.querystring, dict(sent.headers.items)) == (query, headers)
    bare = forwarded(Request(method="GET", uri="/a"), behavior)
    assert (key(sent, behavior) == key(bare, behavior)) == (not query and not headers)
    head = forwarded(Request(method="HEAD", uri="/a"), behavior)
    assert key(bare, behavior) == key(head, behavior)


@pytest.mark.parametrize(
    ("header", "accepts"),
    [
        ("gzip", True),
        ("br;q=1, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0, br", False),
        ("br", False),
        ("", False),
    ],
)
def test_gzip_is_taken_by_who_says_so(header: str, accepts: bool) -> None:
    request = Request(method="GET", uri="/", headers=Headers((("Accept-Encoding", header),)))
    assert accepts_gzip(request) == accepts
