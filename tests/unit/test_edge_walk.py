"""The walk of a request: which triggers run, in which order, and what a viewer gets."""

import asyncio
import base64
import copy
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from lambdaimg.edge.walk import Answer, Distribution, OriginFailed, Result
from lambdaimg.model.edge.messages import Headers, Origin, Request, Response
from lambdaimg.model.edge.settings import TRIGGERS, BehaviorSettings, EdgeSettings, ErrorPageSettings
from lambdaimg.model.errors import EnvironmentFailed
from lambdaimg.model.invocation import Invocation
from lambdaimg.model.invocation import Request as InvocationRequest

ORIGIN = {
    "s3": {"domainName": "site.s3.amazonaws.com", "path": "", "authMethod": "none", "region": "", "customHeaders": {}}
}
Function = Callable[[dict[str, Any]], Any]
BEHIND = ["origin-request", "origin-response"]
EVERY: dict[str, Any] = {trigger.replace("-", "_"): trigger for trigger in TRIGGERS}


def same(cf: dict[str, Any]) -> Any:
    return cf.get("response", cf["request"])


class Site:
    """A distribution whose functions are plain Python, with an origin that records what it is asked."""

    def __init__(
        self, functions: dict[str, Function] | None = None, response: Response | None = None, **edge: Any
    ) -> None:
        self.functions = dict.fromkeys(TRIGGERS, same) | (functions or {})
        self.response = response or Response(status=200, headers=Headers((("ETag", '"1"'),)), body=b"page")
        self.asked: list[Request] = []
        self.origins: list[Origin] = []
        self.events: dict[str, dict[str, Any]] = {}
        self.now = 1_000.0
        settings = {"origin": "site", "behaviors": {"*": BehaviorSettings(**EVERY)}} | edge
        self.distribution = Distribution(EdgeSettings(**settings), ORIGIN, self.invoke, self.fetch, lambda: self.now)

    async def invoke(self, name: str, request: InvocationRequest) -> Invocation:
        cf = json.loads(request.event)["Records"][0]["cf"]
        self.events[cf["config"]["eventType"]] = copy.deepcopy(cf)
        try:
            payload, failed = json.dumps(self.functions[name](cf)), False
        except ValueError as error:
            payload, failed = json.dumps({"errorType": "ValueError", "errorMessage": str(error)}), True
        return Invocation(payload=payload.encode(), function_error=failed, log=(), report=None)

    async def fetch(self, request: Request, origin: Origin) -> Response:
        self.asked.append(request)
        self.origins.append(origin)
        return self.response

    def get(self, uri: str = "/a", method: str = "GET", query: str = "", body: bytes = b"", **headers: str) -> Answer:
        items = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        request = Request(
            method=method, uri=uri, querystring=query, headers=Headers((("Host", "d"), *items)), body=body
        )
        return asyncio.run(self.distribution.answer(request))


def triggers(answer: Answer) -> list[str]:
    return [step.split()[0] for step in answer.steps if step.split()[0] in TRIGGERS]


def response(status: str, **more: Any) -> Function:
    return lambda _: {"status": status, "headers": {}, **more}


def test_a_miss_meets_all_triggers_and_a_hit_the_viewers_alone() -> None:
    site = Site()
    miss = site.get()
    assert miss.steps == (
        "viewer-request viewer-request",
        "cache miss",
        "origin-request origin-request",
        "origin 200",
        "origin-response origin-response",
        "cached 86400 s",
        "viewer-response viewer-response",
    )
    assert (miss.result, miss.response.body, miss.age) == (Result.MISS, b"page", None)
    site.now += 7
    hit = site.get()
    assert hit.steps == ("viewer-request viewer-request", "cache hit", "viewer-response viewer-response")
    assert (hit.result, hit.response.body, hit.age) == (Result.HIT, b"page", 7)
    site.now += 86_400
    assert site.get().result is Result.MISS


def test_viewer_changes_are_not_cached_and_origin_changes_are() -> None:
    count = iter(range(9))

    def marked(name: str) -> Function:
        def mark(cf: dict[str, Any]) -> Any:
            cf["response"]["headers"][name] = [{"value": str(next(count))}]
            return cf["response"]

        return mark

    site = Site({"origin-response": marked("x-origin"), "viewer-response": marked("x-viewer")})
    first, second = site.get().response.headers, site.get().response.headers
    assert (first.get("x-origin"), second.get("x-origin")) == ("0", "0")
    assert (first.get("x-viewer"), second.get("x-viewer")) == ("1", "2")


def test_a_viewer_request_function_changes_the_cache_key() -> None:
    def to_index(cf: dict[str, Any]) -> Any:
        return {**cf["request"], "uri": "/index.html"}

    site = Site({"viewer-request": to_index})
    assert (site.get("/a").result, site.get("/b").result) == (Result.MISS, Result.HIT)
    assert site.asked[0].uri == "/index.html"


def test_a_response_of_the_viewer_request_function_ends_the_walk_and_is_not_cached() -> None:
    site = Site({"viewer-request": response("302", headers={"location": [{"value": "/b"}]})})
    for _ in range(2):
        answer = site.get()
        assert (answer.response.status, answer.result) == (302, Result.GENERATED)
        assert answer.steps == ("viewer-request viewer-request",)


def test_a_response_of_the_origin_request_function_is_cached_and_skips_the_origin() -> None:
    site = Site({"origin-request": response("200", body="made")})
    answer = site.get()
    assert triggers(answer) == ["viewer-request", "origin-request", "viewer-response"]
    assert (answer.response.body, site.asked) == (b"made", [])
    assert site.get().result is Result.HIT


@pytest.mark.parametrize("status", [400, 404, 503])
def test_an_error_of_the_origin_meets_its_response_trigger_and_no_viewers(status: int) -> None:
    answer = Site(response=Response(status=status)).get()
    assert triggers(answer) == ["viewer-request", "origin-request", "origin-response"]
    assert (answer.response.status, answer.result) == (status, Result.ERROR)


def test_a_page_stands_for_an_error_and_no_viewer_trigger_runs_for_it() -> None:
    site = Site(error_pages={"404": ErrorPageSettings(path="/sorry.html", status=200, ttl=60)})

    async def fetch(request: Request, _: Origin) -> Response:
        return Response(status=200, body=b"sorry") if request.uri == "/sorry.html" else Response(status=404)

    site.distribution.fetch = fetch
    answer = site.get()
    assert (answer.response.status, answer.response.body, answer.result) == (200, b"sorry", Result.ERROR)
    assert triggers(answer) == ["viewer-request", *BEHIND, *BEHIND]
    assert "cached 60 s" in answer.steps
    assert "cache hit" in site.get().steps


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_result_that_is_refused_is_a_502_with_the_reason(trigger: str) -> None:
    answer = Site({trigger: lambda _: None}).get()
    assert (answer.response.status, answer.result) == (502, Result.INVALID)
    assert b"The JSON output must be an object type" in answer.response.body
    assert answer.problems == (f"{trigger}: the result is null: does the handler return the request or response?",)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_function_that_fails_is_a_503(trigger: str) -> None:
    def fail(_: dict[str, Any]) -> Any:
        raise ValueError("no")

    answer = Site({trigger: fail}).get()
    assert (answer.response.status, answer.result) == (503, Result.FAILED)
    assert "ValueError" in answer.problems[0]


def test_an_environment_that_ends_is_a_503() -> None:
    site = Site()

    async def gone(_: str, __: InvocationRequest) -> Invocation:
        raise EnvironmentFailed("it has ended")

    site.distribution.invoke = gone
    assert (site.get().response.status, site.get().problems) == (503, ("viewer-request: it has ended",))


def test_an_origin_that_does_not_answer_is_a_502_that_is_not_cached() -> None:
    site = Site()

    async def fail(_: Request, __: Origin) -> Response:
        raise OriginFailed("connection refused", 502)

    site.distribution.fetch = fail
    answer = site.get()
    assert (answer.response.status, answer.result, answer.problems) == (
        502,
        Result.ERROR,
        ("origin: connection refused",),
    )
    assert triggers(answer) == ["viewer-request", "origin-request"]


def test_what_cloudfront_adds_is_in_the_origins_events() -> None:
    site = Site(behaviors={"*": BehaviorSettings(**EVERY, headers=("X-A",))})
    site.get(X_A="a", X_B="b")
    assert set(site.events["viewer-request"]["request"]["headers"]) == {"host", "x-a", "x-b"}
    headers = site.events["origin-request"]["request"]["headers"]
    assert set(headers) == {"host", "user-agent", "x-forwarded-for", "via", "x-a"}
    assert headers["host"][0]["value"] == "site.s3.amazonaws.com"
    assert site.events["origin-request"]["request"]["origin"] == ORIGIN
    assert site.events["viewer-response"]["request"]["headers"]["host"][0]["value"] == "d"


@pytest.mark.parametrize(
    ("strings", "seen", "sent"), [(("*",), "a=1&b=2", "a=1&b=2"), (("a",), "", "a=1"), ((), "", "")]
)
def test_an_origin_function_sees_the_query_string_when_all_of_it_is_sent(
    strings: tuple[str, ...], seen: str, sent: str
) -> None:
    site = Site(behaviors={"*": BehaviorSettings(**EVERY, query_strings=strings)})
    site.get(query="a=1&b=2")
    assert site.events["viewer-request"]["request"]["querystring"] == "a=1&b=2"
    assert site.events["origin-request"]["request"]["querystring"] == seen
    assert site.asked[0].querystring == sent


def test_a_body_is_seen_where_it_is_included_and_sent_as_it_was_replaced() -> None:
    def replaced(cf: dict[str, Any]) -> Any:
        cf["request"]["body"] |= {"action": "replace", "encoding": "text", "data": "other"}
        return cf["request"]

    methods = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")
    behavior = BehaviorSettings(**EVERY, include_body=("origin-request",), allowed_methods=methods)
    site = Site({"origin-request": replaced}, behaviors={"*": behavior})
    answer = site.get(method="POST", body=b"mine")
    assert "body" not in site.events["viewer-request"]["request"]
    assert base64.b64decode(site.events["origin-request"]["request"]["body"]["data"]) == b"mine"
    assert (site.asked[0].body, answer.steps[1]) == (b"other", "no cache")
    assert site.get(method="POST").result is Result.MISS


def test_an_origin_request_function_chooses_another_origin() -> None:
    other = {"s3": {**ORIGIN["s3"], "domainName": "other.s3.amazonaws.com"}}
    site = Site({"origin-request": lambda cf: {**cf["request"], "origin": other}})
    site.get()
    assert site.origins == [other]
    assert site.events["origin-response"]["request"]["origin"] == other


def test_a_method_that_is_not_allowed_meets_no_function() -> None:
    answer = Site().get(method="POST")
    assert (answer.response.status, answer.steps, answer.result) == (403, (), Result.ERROR)


def test_the_root_has_its_object() -> None:
    site = Site(default_root_object="index.html")
    site.get("/")
    assert site.events["viewer-request"]["request"]["uri"] == "/"
    assert site.asked[0].uri == "/index.html"


def test_a_viewer_that_has_the_answer_gets_304() -> None:
    site = Site()
    assert site.get(If_None_Match='"0", W/"1"').response.status == 304
    assert site.get(If_None_Match='"2"').response.status == 200


def test_texts_are_compressed_once_for_those_who_take_it() -> None:
    page = Response(
        status=200,
        headers=Headers((("Content-Type", "text/html"), ("ETag", '"1"'), ("Content-Length", "2000"))),
        body=b"x" * 2_000,
    )
    site = Site(response=page, behaviors={"*": BehaviorSettings(compress=True)})
    packed, plain = site.get(Accept_Encoding="gzip, br").response, site.get().response
    assert (gzip.decompress(packed.body), plain.body) == (page.body, page.body)
    assert (packed.headers.get("ETag"), packed.headers.get("Content-Encoding")) == ('W/"1"', "gzip")
    assert packed.headers.get("Content-Length") == str(len(packed.body))
    assert site.get(Accept_Encoding="gzip").result is Result.HIT


@pytest.mark.parametrize(("cookies", "kept"), [((), False), (("a",), True)])
def test_cookies_of_the_origin_are_kept_where_cookies_are_sent(cookies: tuple[str, ...], kept: bool) -> None:
    page = Response(status=200, headers=Headers((("Set-Cookie", "a=1"),)))
    site = Site(response=page, behaviors={"*": BehaviorSettings(cookies=cookies)})
    assert ("Set-Cookie" in site.get().response.headers) == kept
