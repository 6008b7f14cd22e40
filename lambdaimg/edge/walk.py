"""The walk of a request: viewer request, cache, origin request, origin, origin response, cache, viewer response.

Source: CloudFront Developer Guide, "CloudFront events that can trigger a Lambda@Edge function". No HTTP here.
"""

import base64
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from lambdaimg.edge import behaviors, pages
from lambdaimg.edge.behaviors import CACHED, Behaviors
from lambdaimg.edge.cache import Cache, ttl
from lambdaimg.model.edge.events import Config, event
from lambdaimg.model.edge.messages import Headers, Origin, Request, Response, description_of
from lambdaimg.model.edge.results import Changed, outcome
from lambdaimg.model.edge.settings import ALL, BehaviorSettings, EdgeSettings
from lambdaimg.model.errors import EdgeRefused, LambdaimgError
from lambdaimg.model.invocation import Invocation
from lambdaimg.model.invocation import Request as InvocationRequest

Invoke = Callable[[str, InvocationRequest], Awaitable[Invocation]]
Fetch = Callable[[Request, Origin], Awaitable[Response]]
"""Asks an origin. Raises OriginFailed."""

_ERROR_TTL: Final = 10
"""Seconds for which an error is cached at least, where the project does not say."""
EXECUTION_ERROR: Final = (
    "The Lambda function associated with the CloudFront distribution is invalid or doesn't have the required "
    "permissions."
)
NOT_ALLOWED: Final = (
    "This distribution is not configured to allow the HTTP request method that was used for this request. "
    "The distribution supports only cachable requests."
)


class Result(Enum):
    """How a request ended, in the words of `X-Cache`."""

    HIT = "Hit"
    MISS = "Miss"
    ERROR = "Error"
    GENERATED = "LambdaGeneratedResponse"
    INVALID = "LambdaValidationError"
    FAILED = "LambdaExecutionError"


class OriginFailed(Exception):
    """The origin did not answer; `status` is what a viewer gets, 502 or 504."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a viewer gets. `steps` is the walk in words; `problems` what a developer should know of it."""

    response: Response
    result: Result
    request_id: str
    steps: tuple[str, ...]
    problems: tuple[str, ...]
    age: int | None = None
    """Seconds in the cache, of a hit."""


class _Stopped(Exception):
    """The walk ends here, with a page of CloudFront's own."""

    def __init__(self, result: Result, status: int, words: str, problem: str) -> None:
        super().__init__(words)
        self.result, self.status, self.words, self.problem = result, status, words, problem


class Distribution:
    """A distribution: settings, functions, origin and cache. `clock` gives the time of day in seconds."""

    def __init__(
        self, edge: EdgeSettings, origin: Origin, invoke: Invoke, fetch: Fetch, clock: Callable[[], float] = time.time
    ) -> None:
        self.edge = edge
        self.origin = origin
        self.invoke = invoke
        self.fetch = fetch
        self.clock = clock
        self.cache = Cache(clock)
        self.behaviors = Behaviors(edge.behaviors)
        self.via = f"{edge.domain.partition('.')[0]}.cloudfront.net (CloudFront)"

    async def answer(self, request: Request) -> Answer:
        """Whatever happens, a viewer gets an answer."""
        return await _Walk(self, request).go()


@dataclass(kw_only=True)
class _Found:
    """What cache and origin have led to."""

    response: Response
    result: Result
    age: int | None = None


@dataclass
class _Walk:
    """One request's."""

    distribution: Distribution
    request: Request
    request_id: str = field(default_factory=lambda: base64.urlsafe_b64encode(secrets.token_bytes(40)).decode("ascii"))
    steps: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    async def go(self) -> Answer:
        behavior = self.distribution.behaviors.of(self.request.uri)
        try:
            found = await self._found(behavior)
        except _Stopped as stopped:
            found = await self._page_for(self._stopped(stopped))
        return Answer(
            response=pages.unmodified(self.request, found.response),
            result=found.result,
            request_id=self.request_id,
            steps=tuple(self.steps),
            problems=tuple(self.problems),
            age=found.age,
        )

    def _stopped(self, stopped: _Stopped) -> _Found:
        if stopped.problem:
            self.problems.append(stopped.problem)
        return _Found(response=pages.error_page(stopped.status, stopped.words, self.request_id), result=stopped.result)

    async def _found(self, behavior: BehaviorSettings) -> _Found:
        if self.request.method not in behavior.allowed_methods:
            raise _Stopped(Result.ERROR, 403, NOT_ALLOWED, f"{self.request.method} is not in allowed-methods")
        changed = await self._run(behavior, "viewer-request", self.request)
        if isinstance(changed, Response):
            return _Found(response=changed, result=Result.GENERATED)
        found = await self._from_cache_or_origin(changed.request, behavior)
        if found.response.status >= 400:
            return await self._page_for(replace(found, result=Result.ERROR))
        answer = await self._run(behavior, "viewer-response", changed.request, found.response)
        return replace(found, response=answer) if isinstance(answer, Response) else found

    async def _from_cache_or_origin(self, request: Request, behavior: BehaviorSettings) -> _Found:
        """The second half: all that is behind the viewer's triggers."""
        root = self.distribution.edge.default_root_object
        if request.uri == "/" and root:
            request = replace(request, uri=f"/{root}")
        sent = behaviors.forwarded(request, behavior)
        key = behaviors.key(sent, behavior)
        entry = self.distribution.cache.get(key) if request.method in CACHED else None
        if entry:
            self.steps.append("cache hit")
            age = int(self.distribution.clock() - entry.stored)
            return _Found(response=entry.response, result=Result.HIT, age=age)
        self.steps.append("cache miss" if request.method in CACHED else "no cache")
        found = await self._from_origin(sent, behavior)
        if "Accept-Encoding" in sent.headers and behavior.compress:
            found = replace(found, response=pages.compressed(found.response))
        if request.method == "GET":
            self._keep(key, found.response, behavior)
        return found

    def _keep(self, key: Hashable, response: Response, behavior: BehaviorSettings) -> None:
        page = self.distribution.edge.error_pages.get(str(response.status))
        seconds = ttl(response, behavior, page.ttl if page else _ERROR_TTL, self.distribution.clock())
        self.distribution.cache.put(key, response, seconds)
        if seconds:
            self.steps.append(f"cached {seconds:.0f} s")

    async def _from_origin(self, sent: Request, behavior: BehaviorSettings) -> _Found:
        origin = self.distribution.origin
        shown = _to_origin(sent, behavior, origin, self.distribution.via)
        hides_query = ALL not in behavior.query_strings
        if hides_query:
            shown = replace(shown, querystring="")
        changed = await self._run(behavior, "origin-request", shown, origin=origin)
        if isinstance(changed, Response):
            return _Found(response=changed, result=Result.GENERATED)
        request = changed.request
        if hides_query and not request.querystring:
            request = replace(request, querystring=sent.querystring)
        response = await self._asked(request, changed.origin or origin)
        if not behavior.cookies:
            response = replace(response, headers=response.headers.without("Set-Cookie"))
        answer = await self._run(
            behavior, "origin-response", changed.request, response, origin=changed.origin or origin
        )
        return _Found(response=answer if isinstance(answer, Response) else response, result=Result.MISS)

    async def _asked(self, request: Request, origin: Origin) -> Response:
        try:
            response = await self.distribution.fetch(request, origin)
        except OriginFailed as error:
            words = "CloudFront wasn't able to connect to the origin."
            raise _Stopped(Result.ERROR, error.status, words, f"origin: {error}") from None
        self.steps.append(f"origin {response.status}")
        return response

    async def _page_for(self, found: _Found) -> _Found:
        """The error, or the page that the project has for it; no viewer trigger runs for that."""
        page = self.distribution.edge.error_pages.get(str(found.response.status))
        if page is None or not page.path:
            return found
        self.steps.append(f"error page {page.path}")
        request = replace(self.request, method="GET", uri=page.path, querystring="", body=b"")
        try:
            shown = await self._from_cache_or_origin(request, self.distribution.behaviors.of(page.path))
        except _Stopped as stopped:
            self.problems.append(stopped.problem)
            return found
        if shown.response.status >= 400:
            return found
        status = page.status or found.response.status
        return replace(found, response=replace(shown.response, status=status, description=description_of(status)))

    async def _run(
        self,
        behavior: BehaviorSettings,
        trigger: str,
        request: Request,
        response: Response | None = None,
        origin: Origin | None = None,
    ) -> Changed | Response:
        """What a trigger's function makes of a request or response; without a function, what it was."""
        name = behavior.function(trigger)
        if not name:
            return response if response is not None else Changed(request=request, origin=None)
        edge = self.distribution.edge
        sent = event(
            trigger,
            Config(domain=edge.domain, distribution=edge.distribution, request_id=self.request_id),
            request,
            origin=origin,
            response=response,
            include_body=trigger in behavior.include_body,
        )
        payload = await self._invoked(trigger, name, sent)
        try:
            return outcome(trigger, sent["Records"][0]["cf"], payload, request, response)
        except EdgeRefused as error:
            raise _Stopped(Result.INVALID, 502, error.page, f"{name}: {error.what}") from None

    async def _invoked(self, trigger: str, name: str, sent: dict[str, Any]) -> bytes:
        self.steps.append(f"{trigger} {name}")
        try:
            invocation = await self.distribution.invoke(name, InvocationRequest(event=json.dumps(sent).encode()))
        except LambdaimgError as error:
            raise _Stopped(Result.FAILED, 503, EXECUTION_ERROR, f"{name}: {error.what}") from None
        if invocation.function_error:
            failure = invocation.payload.decode("utf-8", "replace")
            raise _Stopped(Result.FAILED, 503, EXECUTION_ERROR, f"{name}: {trigger} failed: {failure}")
        return invocation.payload


def _to_origin(request: Request, behavior: BehaviorSettings, origin: Origin, via: str) -> Request:
    """The request as CloudFront sends it: what it adds for the origin."""
    headers = request.headers
    if "Host" not in headers:
        ((_, place),) = origin.items()
        headers = headers.put("Host", place["domainName"])
    if "User-Agent" not in headers:
        headers = headers.put("User-Agent", "Amazon CloudFront")
    headers = Headers((*headers.items, ("X-Forwarded-For", request.client_ip), ("Via", f"1.1 {via}")))
    return replace(request, headers=headers)
