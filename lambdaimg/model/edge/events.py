"""The event that a trigger sends (CloudFront Developer Guide, "Lambda@Edge event structure")."""

import base64
from dataclasses import dataclass
from typing import Any

from lambdaimg.model.edge.limits import SHOWN_BODY, is_disallowed
from lambdaimg.model.edge.messages import HeaderLists, Headers, Origin, Request, Response, description_of


@dataclass(frozen=True, kw_only=True)
class Config:
    """What an event says of the distribution, and of the one request."""

    domain: str
    distribution: str
    request_id: str


def event(
    trigger: str,
    config: Config,
    request: Request,
    *,
    origin: Origin | None = None,
    response: Response | None = None,
    include_body: bool = False,
) -> dict[str, Any]:
    """The event object. `origin` is for the origin's triggers alone, `response` for those after the origin."""
    cf: dict[str, Any] = {"config": _config(trigger, config), "request": _request(request)}
    if origin is not None:
        cf["request"]["origin"] = origin
    if include_body:
        cf["request"]["body"] = _body(request.body, SHOWN_BODY[trigger])
    if response is not None:
        cf["response"] = _response(response)
    return {"Records": [{"cf": cf}]}


def _config(trigger: str, config: Config) -> dict[str, str]:
    return {
        "distributionDomainName": config.domain,
        "distributionId": config.distribution,
        "eventType": trigger,
        "requestId": config.request_id,
    }


def _request(request: Request) -> dict[str, Any]:
    return {
        "clientIp": request.client_ip,
        "headers": _shown(request.headers),
        "method": request.method,
        "querystring": request.querystring,
        "uri": request.uri,
    }


def _response(response: Response) -> dict[str, Any]:
    return {
        "headers": _shown(response.headers),
        "status": str(response.status),
        "statusDescription": response.description or description_of(response.status),
    }


def _shown(headers: Headers) -> HeaderLists:
    return Headers(tuple(item for item in headers.items if not is_disallowed(item[0]))).lists()


def _body(body: bytes, limit: int) -> dict[str, Any]:
    return {
        "inputTruncated": len(body) > limit,
        "action": "read-only",
        "encoding": "base64",
        "data": base64.b64encode(body[:limit]).decode("ascii"),
    }
