"""The distribution as an HTTP server."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from multidict import CIMultiDict

from lambdaimg.edge.walk import Answer, Distribution
from lambdaimg.model.edge.messages import Headers, Request

Say = Callable[[str], None]

_SHUTDOWN_TIMEOUT: Final = 1.0
"""Seconds for open connections to end."""
_WITHOUT_A_BODY: Final = (204, 304)


class Server:
    """Answers every path. `say` gets a line for each request, and one for each problem."""

    def __init__(self, distribution: Distribution, say: Say) -> None:
        self._distribution = distribution
        self._say = say

    async def handle(self, asked: web.BaseRequest) -> web.StreamResponse:
        request = await _request(asked)
        answer = await self._distribution.answer(request)
        self._say(line(request, answer))
        for problem in answer.problems:
            self._say(f"  {problem}")
        return _response(request, answer, self._distribution.via)


def line(request: Request, answer: Answer) -> str:
    """The walk of a request, in one line."""
    query = f"?{request.querystring}" if request.querystring else ""
    steps = " > ".join(answer.steps)
    return f"{request.method} {request.uri}{query} {answer.response.status} {answer.result.value}: {steps}"


async def _request(asked: web.BaseRequest) -> Request:
    uri, _, query = asked.raw_path.partition("?")
    return Request(
        method=asked.method,
        uri=uri,
        querystring=query,
        headers=Headers(tuple((name, _text(value)) for name, value in asked.headers.items())),
        client_ip=asked.remote or "127.0.0.1",
        body=await asked.content.read() if asked.body_exists else b"",
    )


def _text(value: str) -> str:
    """A header's value: what is not UTF-8 is taken for ISO-8859-1, as CloudFront does."""
    if value.isascii():
        return value
    try:
        return value.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeDecodeError:
        return value.encode("utf-8", "surrogateescape").decode("iso-8859-1")


def _response(request: Request, answer: Answer, via: str) -> web.Response:
    """The answer with what CloudFront adds. Its length is what is sent, whatever the origin said."""
    response = answer.response
    headers = CIMultiDict(item for item in response.headers.items if item[0].lower() != "content-length")
    headers["X-Cache"] = f"{answer.result.value} from cloudfront"
    headers.add("Via", f"1.1 {via}")
    headers["X-Amz-Cf-Id"] = answer.request_id
    if answer.age is not None:
        headers["Age"] = str(answer.age)
    if request.method == "HEAD" and "Content-Length" in response.headers:
        headers["Content-Length"] = response.headers.get("Content-Length")
    body = None if response.status in _WITHOUT_A_BODY or request.method == "HEAD" else response.body
    return web.Response(status=response.status, reason=response.description, headers=headers, body=body)


@asynccontextmanager
async def serving(distribution: Distribution, listening: socket.socket, say: Say) -> AsyncIterator[None]:
    """Serves within the block."""
    server = web.Server(Server(distribution, say).handle, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield
    finally:
        await runner.cleanup()
