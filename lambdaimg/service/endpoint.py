"""The HTTP endpoint of `run`: Lambda's invocation paths on loopback, before one function's environments."""

from functools import partial
from typing import Final

from aiohttp import web

from lambdaimg.model import quotas
from lambdaimg.model.invocation import Request
from lambdaimg.pool.pool import EnvironmentPool
from lambdaimg.service import invocations, wire

PATH: Final = "/2015-03-31/functions/{name}/invocations"
STREAMING_PATH: Final = "/2021-11-15/functions/{name}/response-streaming-invocations"
"""InvokeWithResponseStream (invoke-api.md §2)."""


class Endpoint:
    """Answers at `PATH` and `STREAMING_PATH`, for the names `function` and the function's own."""

    def __init__(self, pool: EnvironmentPool, function: str, *, queue: bool) -> None:
        self._call = partial(pool.invoke, wait=queue)
        self._function = function

    def application(self) -> web.Application:
        most = quotas.SYNCHRONOUS_PAYLOAD_BYTES + 1
        application = web.Application(client_max_size=most, middlewares=[wire.errors_as_lambdas])
        application.router.add_post(PATH, self._invoke)
        application.router.add_post(STREAMING_PATH, self._stream)
        return application

    async def _invoke(self, request: web.Request) -> web.Response:
        return await invocations.answer(self._call, await self._wanted(request))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        return await invocations.stream(self._call, await self._wanted(request), request)

    async def _wanted(self, request: web.Request) -> Request:
        name = request.match_info["name"]
        if name not in ("function", self._function):
            raise wire.not_found(name)
        return await wire.wanted(request)
