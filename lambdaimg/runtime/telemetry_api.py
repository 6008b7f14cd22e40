"""Lambda's Telemetry API, version 2022-07-01, and the older Logs API, 2020-08-15, for one container.

Sources: Developer Guide, "Lambda Telemetry API reference" and "Lambda Logs API".
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from lambdaimg.runtime import telemetry_records
from lambdaimg.runtime.answers import forbidden, not_known, refused
from lambdaimg.runtime.extensions_api import IDENTIFIER, ExtensionsApi
from lambdaimg.runtime.subscription import BYTES, ITEMS, TIMEOUT, Buffering, Destination, Subscription, whole_number
from lambdaimg.runtime.telemetry_records import LOGS_SCHEMAS, TELEMETRY_SCHEMAS, Record

TELEMETRY: Final = "/2022-07-01/telemetry"
LOGS: Final = "/2020-08-15/logs"
_HOSTS: Final = ("sandbox.localdomain", "sandbox")
_TYPES: Final = ("platform", "function", "extension")
_KEPT: Final = 1_000
"""Records from the init phase, for those who subscribe in it."""
_FLUSH_WITHIN: Final = 0.5
"""Seconds for the last records, when the environment ends."""

OnRecord = Callable[[Record], None]


class TelemetryApi:
    """The API as one container sees it. All methods but `tell_lines` belong to the event loop."""

    def __init__(self, extensions: ExtensionsApi, on_record: OnRecord, *, json_lines: bool) -> None:
        self._extensions = extensions
        self._on_record = on_record
        self._json_lines = json_lines
        self._loop = asyncio.get_running_loop()
        self._subscriptions: dict[str, Subscription] = {}
        self._apis: dict[str, str] = {}
        self._kept: deque[Record] | None = deque(maxlen=_KEPT)
        self.address = ""
        """The container's, to which `sandbox.localdomain` leads."""

    @property
    def is_heard(self) -> bool:
        """Whether anybody subscribed, or still can."""
        return bool(self._subscriptions) or self._kept is not None

    def tell(self, *records: Record) -> None:
        for record in records:
            if self._kept is not None:
                self._kept.append(record)
            for subscription in self._subscriptions.values():
                subscription.add(record)

    def tell_lines(self, kind: str, lines: list[str]) -> None:
        """From the thread that reads the function, or an extension."""
        if self.is_heard:
            self._loop.call_soon_threadsafe(self.tell, *(Record(kind=kind, content=line) for line in lines))

    def close_registration(self) -> None:
        """From the end of the init phase on, nobody may subscribe."""
        self._kept = None

    async def flush(self) -> None:
        await asyncio.gather(*(each.flush(_FLUSH_WITHIN) for each in self._subscriptions.values()))

    def close(self) -> None:
        for subscription in self._subscriptions.values():
            subscription.close()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.rstrip("/")
        if request.method != "PUT" or path not in (TELEMETRY, LOGS):
            return not_known(request)
        extension = self._extensions.registered.get(request.headers.get(IDENTIFIER, ""))
        if extension is None:
            return forbidden("Extension.UnknownExtensionIdentifier", f"Unknown {IDENTIFIER}")
        if self._kept is None:
            name = "Telemetry" if path == TELEMETRY else "Logs"
            return forbidden(f"{name}.SubscriptionClosed", f"{name} API subscription is closed already")
        if self._apis.setdefault(extension.id, path) != path:
            return refused(HTTPStatus.BAD_REQUEST, "ValidationError", "Already subscribed with the other API")
        try:
            found = self._subscription(json.loads(await request.read()), path)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            return refused(HTTPStatus.BAD_REQUEST, "ValidationError", str(error))
        self._subscribe(extension.id, found)
        kind = "platform.telemetrySubscription" if path == TELEMETRY else "platform.logsSubscription"
        record = telemetry_records.subscription(kind, extension.name, found.types)
        self.tell(record)
        self._on_record(record)
        return web.Response(text="OK")

    def _subscribe(self, id: str, subscription: Subscription) -> None:
        """A second subscription replaces the first."""
        if earlier := self._subscriptions.get(id):
            earlier.close()
        self._subscriptions[id] = subscription
        for record in self._kept or ():
            subscription.add(record)

    def _subscription(self, body: dict[str, Any], path: str) -> Subscription:
        """Raises ValueError, TypeError, AttributeError or KeyError for a body that is not as documented."""
        schemas = TELEMETRY_SCHEMAS if path == TELEMETRY else LOGS_SCHEMAS
        schema = body.get("schemaVersion", schemas[0])
        if schema not in schemas:
            raise ValueError(f"schemaVersion {schema!r} is not one of {', '.join(schemas)}")
        types = tuple(body["types"])
        if not types or any(each not in _TYPES for each in types):
            raise ValueError(f"types must be some of {', '.join(_TYPES)}")
        return Subscription(
            address=self.address,
            schema=schema,
            types=types,
            destination=_destination(body["destination"]),
            buffering=_buffering(body.get("buffering") or {}),
            json_lines=self._json_lines,
        )


def _destination(found: dict[str, Any]) -> Destination:
    protocol = found["protocol"]
    if protocol == "TCP":
        return Destination(protocol=protocol, port=int(found["port"]) if "port" in found else _uri(found).port or 0)
    if protocol != "HTTP":
        raise ValueError(f"protocol {protocol!r} is neither HTTP nor TCP")
    uri = _uri(found)
    return Destination(protocol=protocol, port=uri.port or 80, path=uri.path or "/")


def _uri(found: dict[str, Any]) -> Any:
    uri = urlsplit(found["URI"])
    if uri.hostname not in _HOSTS:
        raise ValueError(f"the destination must be at {_HOSTS[0]}, not {uri.hostname!r}")
    return uri


def _buffering(found: dict[str, Any]) -> Buffering:
    default = Buffering()
    return Buffering(
        items=whole_number(found.get("maxItems"), ITEMS, default.items),
        size=whole_number(found.get("maxBytes"), BYTES, default.size),
        timeout=whole_number(found.get("timeoutMs"), TIMEOUT, default.timeout),
    )
