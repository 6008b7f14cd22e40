"""What one container calls at `AWS_LAMBDA_RUNTIME_API`: one server for all of an environment's APIs, as on Lambda."""

import asyncio
import socket
from typing import Final

from aiohttp import web

from lambdaimg.runtime import extensions_api, metadata_api, posted, runtime_api
from lambdaimg.runtime.answers import forbidden
from lambdaimg.runtime.emulator import Settings
from lambdaimg.runtime.extensions_api import ExtensionsApi
from lambdaimg.runtime.metadata_api import MetadataApi
from lambdaimg.runtime.runtime_api import RuntimeApi
from lambdaimg.runtime.telemetry_api import OnRecord, TelemetryApi

_AT_ONCE: Final = 0.001
"""Seconds for calls to end when the APIs close; aiohttp takes 0 for any time."""
_KEEPALIVE: Final = 3_600.0
"""Seconds that an idle connection stays: a runtime may take its time between two calls."""


class EnvironmentApi:
    """The APIs, and who may call them. All methods belong to the event loop.

    `on_record` gets the records that the APIs themselves give rise to.
    """

    def __init__(self, settings: Settings, on_record: OnRecord = lambda _: None) -> None:
        self._loop = asyncio.get_running_loop()
        self.runtime = RuntimeApi()
        self.extensions = ExtensionsApi(settings)
        self.telemetry = TelemetryApi(self.extensions, on_record, json_lines=settings.logging.is_json)
        self._metadata = MetadataApi(settings.zone, settings.metadata_token)
        self._server: asyncio.Server | None = None
        self._web: web.Server | None = None
        self._allowed: asyncio.Future[str] = self._loop.create_future()

    async def serve(self, door: socket.socket) -> None:
        """Answers who calls at a socket that listens already."""
        self._web = web.Server(self._answer)
        self._server = await self._loop.create_server(self._connected, sock=door)

    def _connected(self) -> posted.Connection:
        return posted.Connection(
            self._web,
            loop=self._loop,
            keepalive_timeout=_KEEPALIVE,
            max_field_size=posted.LARGEST_HEADER,
            access_log=None,
        )

    def allow(self, address: str) -> None:
        """Answers the container at this address, and nobody else; an empty one stands for anybody."""
        self.telemetry.address = address
        if not self._allowed.done():
            self._allowed.set_result(address)

    async def close(self) -> None:
        """Stops listening, and breaks the connections: a runtime that still lives ends by itself."""
        self.allow("")
        self.runtime.close()
        self.extensions.close()
        self.telemetry.close()
        if self._server is not None:
            self._server.close()
        if self._web is not None:
            await self._web.shutdown(_AT_ONCE)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._routed(request)
        finally:
            if isinstance(request.protocol, posted.Connection):
                request.protocol.forget()

    async def _routed(self, request: web.BaseRequest) -> web.StreamResponse:
        if await self._allowed not in ("", request.remote):
            return forbidden("Forbidden", "This address is another environment's")
        if request.path.startswith(runtime_api.PREFIX):
            return await self.runtime.answer(request)
        if request.path.startswith(extensions_api.PREFIX):
            return await self.extensions.answer(request)
        if request.path.startswith(metadata_api.PREFIX):
            return self._metadata.answer(request)
        return await self.telemetry.answer(request)
