"""Where function URLs are: `/url/{name}/…` for each function, and `{name}.localhost` for those with a `url` table."""

import asyncio
import json
import re
from typing import Any, Final

from aiohttp import web

from lambdaimg.model.errors import LambdaimgError
from lambdaimg.model.invocation import Request, new_trace_id
from lambdaimg.service import url_stream, wire
from lambdaimg.service.function_url import event_of, forbidden, response_of
from lambdaimg.service.invocations import refused
from lambdaimg.service.local_lambda import LocalLambda, Served

PREFIX: Final = "/url"
_DOMAIN: Final = "localhost"
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_SIGNATURE: Final = {
    "Credential": re.compile(r"[^/]+/\d{8}/[a-z0-9-]+/lambda/aws4_request"),
    "SignedHeaders": re.compile(r"[^\s;]+(;[^\s;]+)*"),
    "Signature": re.compile(r"[0-9a-f]{64}"),
}


class UrlRoutes:
    """Answers HTTP requests with the functions that they are for."""

    def __init__(self, functions: LocalLambda) -> None:
        self._functions = functions

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", f"{PREFIX}/{{name}}", self._by_path)
        router.add_route("*", f"{PREFIX}/{{name}}/{{path:.*}}", self._by_path)

    async def _by_path(self, request: web.Request) -> web.StreamResponse:
        served = self._functions.served.get(request.match_info["name"])
        if served is None:
            raise wire.not_found(request.match_info["name"])
        beyond = request.rel_url.raw_path.split("/", 3)[3:]
        return await self._answer(served, request, "/" + "".join(beyond))

    @web.middleware
    async def by_host(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Takes requests to `{name}.localhost`, whatever their path."""
        name, _, domain = request.host.partition(":")[0].partition(".")
        served = self._functions.served.get(name) if domain == _DOMAIN else None
        if served is None or served.function.settings.url is None:
            response: web.StreamResponse = await handler(request)
            return response
        return await self._answer(served, request, request.rel_url.raw_path)

    async def _answer(self, served: Served, request: web.Request, path: str) -> web.StreamResponse:
        url = served.function.settings.url
        if url is not None and url.auth == "AWS_IAM" and not _is_signed(request):
            return forbidden()
        trace_id = request.headers.get("X-Amzn-Trace-Id") or new_trace_id()
        event = event_of(request, path, await request.read(), trace_id)
        asked = Request(event=json.dumps(event).encode(), trace_id=trace_id)
        if url is not None and url.invoke_mode == "RESPONSE_STREAM":
            return await url_stream.stream(served.invoke, asked, request)
        # Shielded: a client that goes away doesn't stop the function, as on Lambda.
        return await asyncio.shield(asyncio.ensure_future(self._invoked(served, asked)))

    async def _invoked(self, served: Served, asked: Request) -> web.Response:
        try:
            return response_of(await served.invoke(asked))
        except LambdaimgError as error:
            raise refused(error) from None


def _is_signed(request: web.Request) -> bool:
    """Whether a request has a signature of version 4, of whatever keys: nobody here knows those that are right.

    Source: IAM User Guide, "Elements of an AWS API request signature".
    """
    parts = _signature(request)
    return all(shape.fullmatch(parts.get(name, "")) for name, shape in _SIGNATURE.items())


def _signature(request: web.Request) -> dict[str, str]:
    """The parts of the signature in a request's header, or in its query, by name."""
    if request.query.get("X-Amz-Algorithm") == _ALGORITHM:
        return {name: request.query.get(f"X-Amz-{name}", "") for name in _SIGNATURE}
    algorithm, _, said = request.headers.get("Authorization", "").partition(" ")
    parts = (part.strip().partition("=") for part in said.split(",") if algorithm == _ALGORITHM)
    return {name: value for name, _, value in parts}
