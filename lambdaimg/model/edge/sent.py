"""An edge event that is made of a few words, as `edge invoke` and test cases have them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lambdaimg.model import samples
from lambdaimg.model.edge.events import Config, event
from lambdaimg.model.edge.messages import Headers, Request, Response
from lambdaimg.model.edge.results import outcome
from lambdaimg.model.edge.settings import REQUEST_TRIGGERS
from lambdaimg.model.errors import EventError


@dataclass(frozen=True, kw_only=True)
class Sent:
    """An event, and what it was made of."""

    trigger: str
    event: dict[str, Any]
    request: Request
    response: Response | None

    def check(self, payload: bytes) -> None:
        """Raises EdgeRefused when CloudFront would not take a function's answer to it."""
        outcome(self.trigger, self.event["Records"][0]["cf"], payload, self.request, self.response)


def sent(
    trigger: str,
    url: str,
    *,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    body: str = "",
    status: int = 200,
    response_headers: Iterable[tuple[str, str]] = (),
) -> Sent:
    """The event of a request for `url`, a path or a whole URL, and of the response of those triggers that have one.

    All else is the trigger's sample event's. Raises EventError for what is no URL.
    """
    sample = samples.read(f"edge-{trigger}").event["Records"][0]["cf"]
    request = _request(url, method, tuple(headers), body, sample["config"]["distributionDomainName"])
    response = Response(status=status, headers=Headers(tuple(response_headers)))
    config = Config(
        domain=sample["config"]["distributionDomainName"],
        distribution=sample["config"]["distributionId"],
        request_id=sample["config"]["requestId"],
    )
    answered = response if trigger not in REQUEST_TRIGGERS else None
    made = event(
        trigger,
        config,
        request,
        origin=sample["request"].get("origin"),
        response=answered,
        include_body=bool(body) and trigger in REQUEST_TRIGGERS,
    )
    return Sent(trigger=trigger, event=made, request=request, response=answered)


def _request(url: str, method: str, headers: tuple[tuple[str, str], ...], body: str, domain: str) -> Request:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise EventError(f"{url!r} is no URL: {error}", remedy="give a path, such as /index.html?page=2") from None
    if not parts.path.startswith("/") and not parts.netloc:
        raise EventError(f"{url!r} is no URL", remedy="give a path, such as /index.html?page=2")
    given = Headers(headers)
    host = given if "Host" in given else Headers((("Host", parts.netloc or domain), *headers))
    return Request(
        method=method, uri=parts.path or "/", querystring=parts.query, headers=host, client_ip="203.0.113.178",
        body=body.encode(),
    )  # fmt: skip
