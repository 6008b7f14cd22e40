"""What a function's result is to the distribution, or what is wrong with it. Pure: an event and a payload in.

Sources: CloudFront Developer Guide, "Work with requests and responses", "Restrictions on all edge functions". The
words of the error pages are those that viewers have reported.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lambdaimg.model.edge import limits, origins
from lambdaimg.model.edge.messages import Headers, Origin, Request, Response, description_of
from lambdaimg.model.errors import EdgeRefused

NOT_JSON: Final = "The Lambda function returned invalid JSON: The JSON output is not parsable."
NOT_AN_OBJECT: Final = "The Lambda function returned invalid JSON: The JSON output must be an object type."
NO_LIST: Final = (
    "The Lambda function returned an invalid entry in the headers object: "
    "Each header entry in the headers object must be an array."
)
HEADER: Final = (
    "The Lambda function result failed validation: The function tried to add, delete, or change a read-only header."
)
BODY: Final = (
    "The Lambda function result failed validation: "
    "The body is not a string, is not an object, or exceeds the maximum size."
)
INVALID: Final = "The Lambda function returned an invalid request or response to CloudFront."

Wrong = tuple[str, str]
"""A problem: what CloudFront's page says, and what is wrong in detail."""
Cf = Mapping[str, Any]
"""`Records[0].cf` of the event that was sent."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """The request as a function returned it; `origin` is set by an origin-request function alone."""

    request: Request
    origin: Origin | None


def outcome(
    trigger: str, cf: Cf, payload: bytes, request: Request, response: Response | None = None
) -> Changed | Response:
    """What the function made of the request, or of the response, that `cf` shows.

    Raises EdgeRefused, with all problems, when CloudFront would not take it.
    """
    found = _parsed(payload)
    if trigger.endswith("response") or "status" in found:
        _refuse(trigger, _response_problems(trigger, cf, found))
        return _response(found, response)
    _refuse(trigger, _request_problems(trigger, cf, found))
    return _changed(trigger, found, request)


def _refuse(trigger: str, problems: Iterator[Wrong]) -> None:
    found = list(problems)
    if found:
        raise EdgeRefused(f"{trigger}: {'; '.join(detail for _, detail in found)}", page=found[0][0])


def _parsed(payload: bytes) -> dict[str, Any]:
    try:
        found = json.loads(payload)
    except ValueError:
        raise EdgeRefused("the result is not JSON", page=NOT_JSON) from None
    if not isinstance(found, dict):
        kind = "null: does the handler return the request or response?" if found is None else "no JSON object"
        raise EdgeRefused(f"the result is {kind}", page=NOT_AN_OBJECT)
    return found


def _request_problems(trigger: str, cf: Cf, found: Mapping[str, Any]) -> Iterator[Wrong]:
    sent = cf["request"]
    missing = [field for field in ("method", "uri", "headers") if field not in found]
    if missing:
        yield INVALID, f"the result has no {', '.join(missing)}, and no status: it is neither a request nor a response"
        return
    for field in ("clientIp", "method"):
        if field in found and found[field] != sent[field]:
            yield INVALID, f"{field} is read-only"
    yield from _uri_problems(found["uri"], found.get("querystring", ""))
    yield from _header_problems(trigger, sent["headers"], found["headers"])
    if "body" in sent and "body" in found:
        yield from _body_problems(trigger, sent["body"], found["body"])
    yield from _origin_problems(trigger, sent, found)


def _uri_problems(uri: Any, querystring: Any) -> Iterator[Wrong]:
    if not isinstance(uri, str) or not re.fullmatch(r"/[^\s?#\x00-\x1f\x7f]*", uri):
        yield INVALID, f"uri begins with / and has no ?, #, space or control character, not {uri!r}"
    elif not isinstance(querystring, str) or not re.fullmatch(r"(?!\?)[^\s#\x00-\x1f\x7f]*", querystring):
        yield INVALID, f"querystring has no ? before it, and no #, space or control character, not {querystring!r}"
    elif len(uri) + bool(querystring) + len(querystring) >= limits.URI:
        yield INVALID, f"uri and querystring together are shorter than {limits.URI} characters"


def _header_problems(trigger: str, sent: Mapping[str, Any], found: Any) -> Iterator[Wrong]:
    if not isinstance(found, dict):
        yield INVALID, "headers is an object"
        return
    for name, values in found.items():
        yield from _header_form(name, values)
        if limits.is_disallowed(name):
            yield HEADER, f"the header {name} is disallowed: no function may add it"
        elif trigger == "viewer-request" and name.lower().startswith(limits.CLOUDFRONT) and name not in sent:
            yield HEADER, f"the header {name} is CloudFront's own: a viewer-request function may not add it"
    for name in limits.READ_ONLY[trigger]:
        if _values(found.get(name)) != _values(sent.get(name)):
            yield HEADER, f"the header {name} is read-only in {trigger}"


def _header_form(name: str, values: Any) -> Iterator[Wrong]:
    if name != name.lower() or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9a-z-]+", name.lower()):
        yield INVALID, f"the key {name!r} of headers is a header's name in lower case"
    if not isinstance(values, list):
        yield NO_LIST, f"headers.{name} is a list of objects with key and value"
        return
    for item in values:
        if not isinstance(item, dict) or not isinstance(item.get("value"), str):
            yield INVALID, f"headers.{name} has an item without a value that is a string"
        elif not isinstance(item.get("key", ""), str) or item.get("key", name).lower() != name.lower():
            yield INVALID, f"headers.{name} has an item with the key {item['key']!r}"
        elif re.search(r"[\x00\r\n]", item["value"]):
            yield INVALID, f"headers.{name} has a value with a line break"


def _values(lists: Any) -> list[Any]:
    return [item.get("value") for item in lists if isinstance(item, dict)] if isinstance(lists, list) else []


def _body_problems(trigger: str, sent: Mapping[str, Any], found: Any) -> Iterator[Wrong]:
    if not isinstance(found, dict):
        yield BODY, "body is an object"
        return
    if found.get("inputTruncated", sent["inputTruncated"]) != sent["inputTruncated"]:
        yield INVALID, "body.inputTruncated is read-only"
    action, encoding, data = found.get("action", "read-only"), found.get("encoding", "base64"), found.get("data", "")
    if action not in ("read-only", "replace"):
        yield INVALID, f"body.action is read-only or replace, not {action!r}"
    if encoding not in ("base64", "text"):
        yield INVALID, f"body.encoding is base64 or text, not {encoding!r}"
    elif action == "replace":
        limit = limits.REPLACED_BODY[trigger, encoding]
        yield from _text_problems("body.data", encoding, data)
        if isinstance(data, str) and len(data.encode()) > limit:
            yield BODY, f"body.data has {len(data.encode())} bytes; {trigger} takes {limit} of {encoding}"


def _text_problems(field: str, encoding: Any, data: Any) -> Iterator[Wrong]:
    if not isinstance(data, str):
        yield BODY, f"{field} is a string"
    elif encoding == "base64" and _decoded(data) is None:
        yield BODY, f"{field} is not base64"


def _decoded(data: str) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None


def _origin_problems(trigger: str, sent: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Wrong]:
    if trigger == "origin-request" and "origin" in found:
        headers = found["headers"] if isinstance(found["headers"], dict) else {}
        yield from ((INVALID, text) for text in origins.problems(found["origin"], sent.get("origin"), headers))
    elif "origin" in found:
        yield INVALID, "the origin is there in the origin's triggers alone"


def _response_problems(trigger: str, cf: Cf, found: Mapping[str, Any]) -> Iterator[Wrong]:
    if "status" not in found:
        yield INVALID, "the response has no status"
        return
    sent = cf.get("response", {})
    yield from _status_problems(trigger, sent, found)
    yield from _header_problems(trigger, sent.get("headers", {}), found.get("headers", {}))
    encoding, body = found.get("bodyEncoding", "text"), found.get("body", "")
    if encoding not in ("text", "base64"):
        yield INVALID, f"bodyEncoding is text or base64, not {encoding!r}"
    yield from _text_problems("body", encoding, body)
    if ("body" in found or not sent) and (size := _size(found)) > limits.GENERATED[trigger]:
        yield BODY, f"headers and body have {size} bytes; {trigger} takes {limits.GENERATED[trigger]}"


def _status_problems(trigger: str, sent: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Wrong]:
    status = found["status"]
    if not isinstance(status, str) or not re.fullmatch(r"[2-5]\d\d", status):
        yield INVALID, f"status is a string, 200 to 599, not {status!r}"
    elif trigger == "viewer-response" and status != sent["status"]:
        yield INVALID, "a viewer-response function may not change the status"
    elif trigger == "viewer-request" and status == "204" and found.get("body"):
        yield BODY, "a response with status 204 has no body"
    words = found.get("statusDescription", "")
    if not isinstance(words, str) or re.search(r"[\x00-\x1f\x7f]", words):
        yield INVALID, f"statusDescription is a string of one line, not {words!r}"


def _size(found: Mapping[str, Any]) -> int:
    headers = found.get("headers")
    lists = headers.items() if isinstance(headers, dict) else ()
    body = found.get("body")
    return sum(len(name) + len(str(value)) for name, values in lists for value in _values(values)) + (
        len(body.encode()) if isinstance(body, str) else 0
    )


def _changed(trigger: str, found: Mapping[str, Any], before: Request) -> Changed:
    hidden = tuple(item for item in before.headers.items if limits.is_disallowed(item[0]))
    request = replace(
        before,
        uri=found["uri"],
        querystring=found.get("querystring", ""),
        headers=Headers((*hidden, *Headers.of_lists(found["headers"]).items)),
        body=_replaced(found.get("body"), before.body),
    )
    return Changed(request=request, origin=found.get("origin") if trigger == "origin-request" else None)


def _replaced(found: Any, before: bytes) -> bytes:
    if not isinstance(found, dict) or found.get("action") != "replace":
        return before
    return _bytes(found.get("data", ""), found.get("encoding", "base64"))


def _bytes(data: str, encoding: str) -> bytes:
    return base64.b64decode(data) if encoding == "base64" else data.encode()


def _response(found: Mapping[str, Any], before: Response | None) -> Response:
    """The response; without a body of its own it keeps the origin's."""
    kept = before.body if before else b""
    status = int(found["status"])
    return Response(
        status=status,
        description=found.get("statusDescription") or description_of(status),
        headers=Headers.of_lists(found.get("headers", {})),
        body=_bytes(found["body"], found.get("bodyEncoding", "text")) if "body" in found else kept,
    )
