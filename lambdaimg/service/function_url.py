"""Function URLs: HTTP in payload format 2.0, and back (Developer Guide, "Invoking Lambda function URLs")."""

import base64
import binascii
import json
import re
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from multidict import CIMultiDict

from lambdaimg.model.invocation import Invocation
from lambdaimg.service.wire import as_json

_TEXT_TYPES: Final = ("text/", "application/json", "application/javascript", "application/xml")
"""Content types whose body is a string in the event; others come in base64."""
_OF_THE_CONNECTION: Final = ("Connection", "Content-Length", "Transfer-Encoding")
"""Headers that are not the function's to set."""
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[^\r\n\0]*")
_FORBIDDEN: Final = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
_URL_ENCODED: Final = "application/x-www-form-urlencoded"


def event_of(request: web.Request, path: str, body: bytes, trace_id: str) -> dict[str, Any]:
    """The event of an HTTP request to a function URL; `path` is what comes after the URL itself."""
    now = time.time()
    request_id = str(uuid.uuid4())
    address = request.remote or "127.0.0.1"
    headers = {name.lower(): ",".join(request.headers.getall(name)) for name in request.headers}
    headers |= {"x-forwarded-for": address, "x-forwarded-port": str(request.url.port), "x-forwarded-proto": "http"}
    headers["x-amzn-trace-id"] = trace_id
    cookies = headers.pop("cookie", "")
    query = {name: ",".join(request.query.getall(name)) for name in request.query}
    encoded = bool(body) and not _is_text(request.content_type)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.rel_url.raw_query_string,
        **({"cookies": [cookie.strip() for cookie in cookies.split(";")]} if cookies else {}),
        "headers": headers,
        **({"queryStringParameters": query} if query else {}),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": request.host,
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": address,
                "userAgent": request.headers.get("User-Agent", ""),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now * 1000),
        },
        **({"body": base64.b64encode(body).decode() if encoded else body.decode("utf-8", "replace")} if body else {}),
        "isBase64Encoded": encoded,
    }


def _is_text(content_type: str) -> bool:
    return (
        content_type.startswith(_TEXT_TYPES) or content_type == _URL_ENCODED or content_type.endswith(("+json", "+xml"))
    )


def response_of(invocation: Invocation) -> web.Response:
    """What the function's answer is as HTTP: a failure, and what is no answer, is 502 with no JSON."""
    if invocation.function_error:
        return bad_gateway()
    try:
        answer = json.loads(invocation.payload)
    except ValueError:
        return bad_gateway()
    if not (isinstance(answer, dict) and "statusCode" in answer):
        body = answer if isinstance(answer, str) else json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
        return web.Response(body=body.encode(), content_type="application/json")
    try:
        return _shaped(answer)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        return bad_gateway()


def _shaped(answer: Mapping[str, Any]) -> web.Response:
    """An answer with a status code. Raises ValueError, TypeError or AttributeError where it has not the right shape."""
    status = int(answer["statusCode"])
    if not 100 <= status <= 599:
        raise ValueError
    body = answer.get("body") or ""
    if not isinstance(body, str):
        body = json.dumps(body, separators=(",", ":"))
    content = base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode()
    headers = CIMultiDict({str(name): str(value) for name, value in (answer.get("headers") or {}).items()})
    headers.setdefault("Content-Type", "application/json")
    for cookie in answer.get("cookies") or ():
        headers.add("Set-Cookie", str(cookie))
    for name in _OF_THE_CONNECTION:
        headers.popall(name, None)
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers.items()):
        raise ValueError
    return web.Response(status=status, body=content, headers=headers)


def bad_gateway() -> web.Response:
    return web.Response(status=502, text="Internal Server Error")


def forbidden() -> web.Response:
    """What a request gets that is not signed, where the function URL's auth is AWS_IAM."""
    return as_json({"Message": _FORBIDDEN}, status=403, headers={"x-amzn-ErrorType": "AccessDeniedException"})
