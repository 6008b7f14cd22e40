"""Edge events and results: the objects of the four triggers, and all that CloudFront refuses of what comes back."""

import base64
import json
from typing import Any

import pytest

from lambdaimg.model import samples
from lambdaimg.model.edge import limits, results
from lambdaimg.model.edge.events import Config, event
from lambdaimg.model.edge.messages import Headers, Request, Response
from lambdaimg.model.edge.results import Changed, outcome
from lambdaimg.model.edge.settings import REQUEST_TRIGGERS, TRIGGERS
from lambdaimg.model.errors import EdgeRefused

CONFIG = Config(
    domain="d111111abcdef8.cloudfront.net",
    distribution="EDFDVBD6EXAMPLE",
    request_id="4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==",
)
ORIGIN = {
    "custom": {
        "customHeaders": {},
        "domainName": "example.org",
        "keepaliveTimeout": 5,
        "path": "",
        "port": 443,
        "protocol": "https",
        "readTimeout": 30,
        "sslProtocols": ["TLSv1.2"],
    }
}
REQUEST = Request(
    method="GET",
    uri="/index.html",
    querystring="size=large",
    headers=Headers((("Host", "example.org"), ("Accept", "a"), ("Accept", "b"), ("X-Forwarded-Proto", "https"))),
    client_ip="203.0.113.178",
    body=b"hello",
)
RESPONSE = Response(
    status=200, headers=Headers((("Content-Length", "2"), ("Via", "1.1 x"), ("X-Cache", "Hit"))), body=b"ok"
)


def cf_of(trigger: str, request: Request = REQUEST, response: Response = RESPONSE) -> dict[str, Any]:
    made = event(
        trigger,
        CONFIG,
        request,
        origin=ORIGIN if trigger.startswith("origin") else None,
        response=response if trigger.endswith("response") else None,
        include_body=trigger in REQUEST_TRIGGERS,
    )
    cf: dict[str, Any] = json.loads(json.dumps(made))["Records"][0]["cf"]
    return cf


def answer(trigger: str, found: object, cf: dict[str, Any] | None = None) -> Changed | Response:
    response = RESPONSE if trigger.endswith("response") else None
    return outcome(trigger, cf or cf_of(trigger), json.dumps(found).encode(), REQUEST, response)


def returned(trigger: str) -> dict[str, Any]:
    found: dict[str, Any] = cf_of(trigger)["response" if trigger.endswith("response") else "request"]
    return found


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_an_event_is_what_the_sample_of_its_trigger_is(trigger: str) -> None:
    sample = samples.read(f"edge-{trigger}").event
    cf = sample["Records"][0]["cf"]
    request = Request(
        method="GET",
        uri="/index.html",
        querystring=cf["request"]["querystring"],
        headers=Headers.of_lists(cf["request"]["headers"]),
        client_ip="203.0.113.178",
    )
    response = Response(status=200, headers=Headers.of_lists(cf["response"]["headers"])) if "response" in cf else None
    made = event(trigger, CONFIG, request, origin=cf["request"].get("origin"), response=response)
    if "body" in cf["request"]:
        made = event(trigger, CONFIG, request, origin=cf["request"].get("origin"), include_body=True)
    assert made == sample


def test_headers_are_lists_by_lower_case_name_without_those_that_no_function_sees() -> None:
    assert cf_of("viewer-request")["request"]["headers"] == {
        "host": [{"key": "Host", "value": "example.org"}],
        "accept": [{"key": "Accept", "value": "a"}, {"key": "Accept", "value": "b"}],
    }
    assert set(cf_of("viewer-response")["response"]["headers"]) == {"content-length", "via"}
    assert Headers.of_lists({"x-two-words": [{"value": "v"}]}).items == (("X-Two-Words", "v"),)


@pytest.mark.parametrize(("trigger", "limit"), [("viewer-request", 40 * 1024), ("origin-request", 1024 * 1024)])
@pytest.mark.parametrize("more", [0, 1])
def test_a_body_is_shown_up_to_the_triggers_limit(trigger: str, limit: int, more: int) -> None:
    cf = cf_of(trigger, Request(method="POST", uri="/", body=b"x" * (limit + more)))
    body = cf["request"]["body"]
    assert (body["inputTruncated"], body["action"], body["encoding"]) == (bool(more), "read-only", "base64")
    assert base64.b64decode(body["data"]) == b"x" * limit


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_what_is_returned_as_it_came_changes_nothing(trigger: str) -> None:
    found = answer(trigger, returned(trigger))
    if isinstance(found, Response):
        assert (found.status, found.body, found.description) == (200, b"ok", "OK")
    else:
        assert found.request.headers.lists() == REQUEST.headers.lists()
        assert (found.request.uri, found.request.body) == ("/index.html", b"hello")
        assert (found.origin is not None) == (trigger == "origin-request")


@pytest.mark.parametrize("trigger", REQUEST_TRIGGERS)
def test_a_function_may_answer_itself(trigger: str) -> None:
    made = {
        "status": "302",
        "headers": {"location": [{"key": "Location", "value": "/new"}]},
        "body": "aGk=",
        "bodyEncoding": "base64",
    }
    found = answer(trigger, made)
    assert found == Response(status=302, description="Found", headers=Headers((("Location", "/new"),)), body=b"hi")


@pytest.mark.parametrize(
    ("body", "bytes_"),
    [
        ({"action": "replace", "encoding": "text", "data": "bye"}, b"bye"),
        ({"action": "replace", "data": "Ynll"}, b"bye"),
        ({"action": "read-only", "encoding": "text", "data": "bye"}, b"hello"),
        ({}, b"hello"),
    ],
)
def test_a_body_is_replaced_when_that_is_the_action(body: dict[str, str], bytes_: bytes) -> None:
    found = answer("origin-request", {**returned("origin-request"), "body": body})
    assert isinstance(found, Changed)
    assert found.request.body == bytes_


@pytest.mark.parametrize(
    ("payload", "page"),
    [
        (b"{", results.NOT_JSON),
        (b"", results.NOT_JSON),
        (b"null", results.NOT_AN_OBJECT),
        (b"[]", results.NOT_AN_OBJECT),
    ],
)
def test_a_result_that_is_no_object_is_refused(payload: bytes, page: str) -> None:
    with pytest.raises(EdgeRefused) as error:
        outcome("viewer-request", cf_of("viewer-request"), payload, REQUEST)
    assert error.value.page == page


READ_ONLY = [(trigger, name) for trigger, names in limits.READ_ONLY.items() for name in names]


@pytest.mark.parametrize(("trigger", "name"), READ_ONLY)
@pytest.mark.parametrize("how", ["added", "changed", "removed"])
def test_a_read_only_header_stays_as_it_is(trigger: str, name: str, how: str) -> None:
    headers = Headers(() if how == "added" else ((name, "before"),))
    request = Request(method="GET", uri="/", headers=headers)
    cf = cf_of(trigger, request, Response(status=200, headers=headers))
    found = json.loads(json.dumps(cf["response" if trigger.endswith("response") else "request"]))
    answer(trigger, found, cf)
    if how == "removed":
        del found["headers"][name]
    else:
        found["headers"][name] = [{"key": name, "value": "after"}]
    with pytest.raises(EdgeRefused, match=f"the header {name} is read-only in {trigger}") as error:
        answer(trigger, found, cf)
    assert error.value.page == results.HEADER


@pytest.mark.parametrize("name", [*sorted(limits.DISALLOWED), "x-amz-cf-id", "x-edge-location"])
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_disallowed_header_is_not_added(trigger: str, name: str) -> None:
    found = returned(trigger)
    found["headers"][name] = [{"key": name, "value": "x"}]
    with pytest.raises(EdgeRefused, match=f"the header {name} is disallowed"):
        answer(trigger, found)


def lists(name: str, *values: Any) -> dict[str, Any]:
    return {"headers": {**returned("viewer-request")["headers"], name: list(values)}}


ITEM = {"key": "X-A", "value": "v"}
WRONG_REQUESTS: list[tuple[dict[str, Any], str]] = [
    ({"method": "POST"}, "method is read-only"),
    ({"clientIp": "192.0.2.1"}, "clientIp is read-only"),
    ({"uri": "index.html"}, "uri begins with /"),
    ({"uri": "/a b"}, "uri begins with /"),
    ({"uri": "/a?b"}, "uri begins with /"),
    ({"uri": None}, "uri begins with /"),
    ({"querystring": "?a=b"}, "querystring has no"),
    ({"querystring": "a b"}, "querystring has no"),
    ({"querystring": "a#b"}, "querystring has no"),
    ({"uri": "/" + "x" * 8190, "querystring": "a"}, "shorter than 8192"),
    ({"headers": []}, "headers is an object"),
    (lists("X-A", ITEM), "in lower case"),
    ({"headers": {**returned("viewer-request")["headers"], "x-a": "v"}}, "headers.x-a is a list"),
    (lists("x-a", "v"), "without a value"),
    (lists("x-a", {"key": "X-A", "value": 1}), "without a value"),
    (lists("x-a", {"key": "X-B", "value": "v"}), "an item with the key 'X-B'"),
    (lists("x-a", {"key": "X-A", "value": "a\r\nb"}), "line break"),
    (lists("cloudfront-viewer-country", {"value": "CH"}), "CloudFront's own"),
    ({"origin": ORIGIN}, "the origin's triggers alone"),
    ({"body": "text"}, "body is an object"),
    ({"body": {"inputTruncated": True}}, "inputTruncated is read-only"),
    ({"body": {"action": "append"}}, "body.action is"),
    ({"body": {"action": "replace", "encoding": "gzip"}}, "body.encoding is"),
    ({"body": {"action": "replace", "data": "%"}}, "not base64"),
    ({"body": {"action": "replace", "encoding": "text", "data": 1}}, "body.data is a string"),
]


@pytest.mark.parametrize(("change", "what"), WRONG_REQUESTS)
def test_a_wrong_request_is_refused(change: dict[str, Any], what: str) -> None:
    with pytest.raises(EdgeRefused, match=what):
        answer("viewer-request", {**returned("viewer-request"), **change})


@pytest.mark.parametrize("field", ["method", "uri", "headers"])
def test_a_request_has_its_fields(field: str) -> None:
    found = returned("viewer-request")
    del found[field]
    with pytest.raises(EdgeRefused, match=f"has no {field}"):
        answer("viewer-request", found)


@pytest.mark.parametrize(("trigger", "encoding"), limits.REPLACED_BODY)
def test_a_replaced_body_is_bounded_as_it_is_written(trigger: str, encoding: str) -> None:
    limit = limits.REPLACED_BODY[trigger, encoding]
    whole = limit - limit % 4
    for size, passes in ((whole, True), (whole + 4, False)):
        found = {**returned(trigger), "body": {"action": "replace", "encoding": encoding, "data": "a" * size}}
        if passes:
            answer(trigger, found)
        else:
            with pytest.raises(EdgeRefused, match=f"{trigger} takes {limit} of {encoding}") as error:
                answer(trigger, found)
            assert error.value.page == results.BODY


WRONG_RESPONSES: list[tuple[str, dict[str, Any], str]] = [
    ("viewer-request", {"status": 200}, "status is a string"),
    ("origin-request", {"status": "199"}, "status is a string, 200 to 599"),
    ("origin-request", {"status": "600"}, "status is a string, 200 to 599"),
    ("origin-response", {"status": ""}, "status is a string, 200 to 599"),
    ("viewer-response", {"status": "404"}, "may not change the status"),
    ("viewer-request", {"status": "204", "body": "x"}, "204 has no body"),
    ("viewer-request", {"status": "200", "statusDescription": 1}, "statusDescription is a string"),
    (
        "viewer-request",
        {"status": "200", "statusDescription": "a\r\nb: c"},
        "statusDescription is a string of one line",
    ),
    ("origin-request", {"status": "200", "body": {}}, "body is a string"),
    ("origin-request", {"status": "200", "body": "%", "bodyEncoding": "base64"}, "body is not base64"),
    ("origin-request", {"status": "200", "bodyEncoding": "gzip"}, "bodyEncoding is text or base64"),
]


@pytest.mark.parametrize(("trigger", "change", "what"), WRONG_RESPONSES)
def test_a_wrong_response_is_refused(trigger: str, change: dict[str, Any], what: str) -> None:
    found = {**returned(trigger), **change} if trigger.endswith("response") else change
    with pytest.raises(EdgeRefused, match=what):
        answer(trigger, found)


@pytest.mark.parametrize("trigger", ["origin-response", "viewer-response"])
def test_a_request_is_no_response(trigger: str) -> None:
    with pytest.raises(EdgeRefused, match="has no status"):
        answer(trigger, returned("viewer-request"))


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_made_response_is_bounded_with_its_headers(trigger: str) -> None:
    found: dict[str, Any] = returned(trigger) if trigger.endswith("response") else {"status": "200", "headers": {}}
    found["headers"]["x-a"] = [ITEM]
    headers = sum(len(name) + len(item["value"]) for name, items in found["headers"].items() for item in items)
    room = limits.GENERATED[trigger] - headers
    answer(trigger, {**found, "body": "x" * room})
    with pytest.raises(EdgeRefused, match=f"{trigger} takes {limits.GENERATED[trigger]}"):
        answer(trigger, {**found, "body": "x" * (room + 1)})


CUSTOM = ORIGIN["custom"]
S3 = {"domainName": "site.s3.amazonaws.com", "path": "", "authMethod": "none", "region": "", "customHeaders": {}}
WRONG_ORIGINS: list[tuple[Any, str]] = [
    ({}, "exactly one"),
    ({"custom": CUSTOM, "s3": S3}, "exactly one"),
    ({"custom": "example.org"}, "exactly one"),
    ({"custom": {}}, "domainName is missing"),
    ({"custom": {**CUSTOM, "domainName": "192.0.2.1"}}, "domainName is a domain"),
    ({"custom": {**CUSTOM, "domainName": "a:80"}}, "domainName is a domain"),
    ({"custom": {**CUSTOM, "domainName": "a" * 254}}, "domainName is a domain"),
    ({"custom": {**CUSTOM, "path": "a"}}, "path begins with /"),
    ({"custom": {**CUSTOM, "path": "/a/"}}, "path begins with /"),
    ({"custom": {**CUSTOM, "path": "/" + "a" * 255}}, "path begins with /"),
    ({"custom": {**CUSTOM, "port": 81}}, "port is 80"),
    ({"custom": {**CUSTOM, "protocol": "ftp"}}, "protocol is http or https"),
    ({"custom": {**CUSTOM, "keepaliveTimeout": 121}}, "keepaliveTimeout is 1 to 120"),
    ({"custom": {**CUSTOM, "readTimeout": 0}}, "readTimeout is 1 to 120"),
    ({"custom": {**CUSTOM, "sslProtocols": ["TLSv1.3"]}}, "sslProtocols is a list"),
    ({"custom": {**CUSTOM, "responseCompletionTimeout": 29}}, "responseCompletionTimeout is 0, or at least"),
    ({"custom": {**CUSTOM, "customHeaders": []}}, "customHeaders is an object"),
    ({"custom": {**CUSTOM, "customHeaders": {"accept": [ITEM]}}}, "which the request has too"),
    ({"custom": {**CUSTOM, "customHeaders": {"x-cache": [ITEM]}}}, "no function may add"),
    ({"s3": {**S3, "domainName": "Site"}}, "domainName is a bucket"),
    ({"s3": {**S3, "authMethod": "iam"}}, "authMethod is"),
    ({"s3": {**S3, "authMethod": "origin-access-identity"}}, "region is needed"),
]


@pytest.mark.parametrize(("origin", "what"), WRONG_ORIGINS)
def test_a_wrong_origin_is_refused(origin: Any, what: str) -> None:
    with pytest.raises(EdgeRefused, match=what):
        answer("origin-request", {**returned("origin-request"), "origin": origin})


@pytest.mark.parametrize("origin", [{"custom": {**CUSTOM, "port": 8080, "path": "/a/b"}}, {"s3": S3}])
def test_another_origin_may_be_chosen(origin: Any) -> None:
    found = answer("origin-request", {**returned("origin-request"), "origin": origin})
    assert isinstance(found, Changed)
    assert found.origin == origin


def test_all_problems_are_told_together() -> None:
    with pytest.raises(EdgeRefused) as error:
        answer("viewer-request", {**returned("viewer-request"), "method": "PUT", "uri": "x", "clientIp": ""})
    assert error.value.what.count(";") == 2
