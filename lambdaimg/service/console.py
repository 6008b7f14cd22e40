"""The console of `serve`: a page that shows the functions and their environments live, and sends events."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from lambdaimg.model import samples
from lambdaimg.service.feed import Feed
from lambdaimg.service.local_lambda import LocalLambda, Served
from lambdaimg.service.wire import as_json, not_found

_FOLDER: Final = Path(__file__).parent / "console_page"
_FILES: Final = {"console.js": "text/javascript", "console.css": "text/css"}
_SECURITY: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LOOKS: Final = 0.1
"""Seconds between two looks at what is new, for each that watches."""
_KEEP_ALIVE: Final = 15.0
"""Seconds without news after which something is sent, so that a watcher that has gone is noticed."""


class Console:
    """The page at `/`, and what it asks for below `/console`."""

    def __init__(self, functions: LocalLambda, feed: Feed) -> None:
        self._functions = functions
        self._feed = feed

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/", self._page)
        router.add_get("/console/functions", self._list)
        router.add_get("/console/feed", self._follow)
        router.add_get("/console/samples/{name}", self._sample)
        router.add_get("/console/{file}", self._file)

    async def _page(self, request: web.Request) -> web.Response:
        return _file("index.html", "text/html")

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["file"]
        if name not in _FILES:
            raise not_found(name)
        return _file(name, _FILES[name])

    async def _list(self, request: web.Request) -> web.Response:
        shown = [_shown(each) for each in self._functions.served.values()]
        named = [{"name": name, "title": samples.read(name).title} for name in samples.names()]
        project = self._functions.project.name
        return as_json({"project": project, "functions": shown, "samples": named}, headers=_SECURITY)

    async def _sample(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in samples.names():
            raise not_found(name)
        return as_json(samples.read(name).event, headers=_SECURITY)

    async def _follow(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events, from the last one that the page has seen; ends with the page, or with `serve`."""
        response = web.StreamResponse(headers={**_SECURITY, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionError):
            await self._tell(response, _seen(request))
        return response

    async def _tell(self, response: web.StreamResponse, last: int) -> None:
        """Raises ConnectionError when the page has gone."""
        await response.write(f"event: began\ndata: {self._feed.began}\n\n".encode())
        told_at = time.monotonic()
        while True:
            news = self._feed.since(last)
            if news:
                last = news[-1][0]
            if news or time.monotonic() > told_at + _KEEP_ALIVE:
                await response.write("".join(text for _, text in news).encode() or b": \n\n")
                told_at = time.monotonic()
            await asyncio.sleep(_LOOKS)


def _seen(request: web.Request) -> int:
    number = request.headers.get("Last-Event-ID", "")
    return int(number) if number.isdecimal() else 0


def _file(name: str, kind: str) -> web.Response:
    text = (_FOLDER / name).read_text("utf-8")
    return web.Response(text=text, content_type=kind, charset="utf-8", headers=_SECURITY)


def _shown(served: Served) -> dict[str, Any]:
    settings = served.function.settings
    return {
        "name": served.function.name,
        "description": settings.description,
        "language": settings.language,
        "handler": settings.handler,
        "memory": settings.memory,
        "timeout": settings.timeout,
        "reserved": served.admission.reserved(served.function.name),
        "provisioned": settings.provisioned_concurrency,
    }
