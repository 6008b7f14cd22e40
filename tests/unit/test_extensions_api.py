"""The Extensions API, call by call: what it answers, and what it refuses."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from lambdaimg.model.invocation import Request
from lambdaimg.runtime.emulator import Settings
from lambdaimg.runtime.environment_api import EnvironmentApi
from lambdaimg.runtime.extensions_api import IDENTIFIER, ExtensionsApi

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
SETTINGS = Settings(function="f", arn=ARN, memory=128, timeout=3, cpu_quota=0, handler="app.handler")
ERROR_TYPE = {"Lambda-Extension-Function-Error-Type": "Extension.NoKey"}


class Caller:
    """An extension's side of the API."""

    def __init__(self, api: ExtensionsApi, session: aiohttp.ClientSession) -> None:
        self.api, self._session = api, session

    async def call(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, Any, str]:
        url = f"/2020-01-01/extension/{path}"
        async with self._session.request(method, url, data=body, headers=headers) as answer:
            return answer.status, await answer.json(), answer.headers.get(IDENTIFIER, "")

    async def register(self, name: str, *events: str) -> dict[str, str]:
        """Registers, and returns the header that identifies it."""
        status, body, id = await self.call(
            "POST", "register", json.dumps({"events": events}), **{"Lambda-Extension-Name": name}
        )
        assert status == 200, body
        return {IDENTIFIER: id}


@asynccontextmanager
async def caller() -> AsyncIterator[Caller]:
    api = EnvironmentApi(SETTINGS)
    door = socket.create_server(("127.0.0.1", 0))
    await api.serve(door)
    port = door.getsockname()[1]
    api.allow("")
    api.extensions.expect(["outer"])
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        try:
            yield Caller(api.extensions, session)
        finally:
            await api.close()


DESCRIPTION = {"functionName": "f", "functionVersion": "$LATEST", "handler": "app.handler"}


@pytest.mark.parametrize(
    ("name", "body", "features", "answer"),
    [
        ("outer", '{"events": ["INVOKE", "SHUTDOWN"]}', "", DESCRIPTION),
        ("inner", '{"events": ["INVOKE"]}', "", DESCRIPTION),
        ("inner", '{"events": []}', "other, accountId", {**DESCRIPTION, "accountId": "123456789012"}),
        ("inner", '{"events": ["SHUTDOWN"]}', "", "Extension.InvalidEventType"),
        ("outer", '{"events": ["RESTORE"]}', "", "Extension.InvalidEventType"),
        ("outer", "{", "", "InvalidRequestFormat"),
        ("", '{"events": []}', "", "Extension.InvalidExtensionName"),
        ("taken", '{"events": []}', "", "Extension.InvalidExtensionState"),
    ],
)
def test_who_may_register(name: str, body: str, features: str, answer: object) -> None:
    async def check() -> None:
        async with caller() as extension:
            await extension.register("taken", "INVOKE")
            headers = {"Lambda-Extension-Name": name, "Lambda-Extension-Accept-Feature": features}
            status, found, id = await extension.call("POST", "register", body, **headers)
            if isinstance(answer, str):
                assert (status, found["errorType"], id) == (403, answer, "")
            else:
                assert (status, found, len(id)) == (200, answer, 36)

    asyncio.run(check())


def test_ten_may_register_and_none_after_the_init_phase() -> None:
    async def check() -> None:
        async with caller() as extension:
            for number in range(9):  # the tenth is the external one, which is yet to come
                await extension.register(f"inner-{number}", "INVOKE")
            body, name = '{"events": []}', "Lambda-Extension-Name"
            refused = await extension.call("POST", "register", body, **{name: "eleventh"})
            assert refused[1]["errorType"] == "Extension.TooManyExtensions"
            await extension.register("outer", "INVOKE")
            extension.api.close_registration()
            late = await extension.call("POST", "register", body, **{name: "late"})
            assert late[1]["errorType"] == "Extension.RegistrationClosed"

    asyncio.run(check())


@pytest.mark.parametrize(
    ("id", "error"),
    [
        ("", "Extension.MissingExtensionIdentifier"),
        ("x", "Extension.InvalidExtensionIdentifier"),
        ("6f3e2a4e-6d3c-4a54-8d6c-0b5a7b1f4c11", "Extension.UnknownExtensionIdentifier"),
    ],
)
@pytest.mark.parametrize("call", ["GET event/next", "POST init/error", "POST exit/error"])
def test_who_is_not_registered_is_refused(call: str, id: str, error: str) -> None:
    async def check() -> None:
        async with caller() as extension:
            status, found, _ = await extension.call(*call.split(), **{IDENTIFIER: id})
            assert (status, found["errorType"]) == (403, error)

    asyncio.run(check())


def test_events_come_to_who_subscribed_and_all_must_come_back() -> None:
    async def check() -> None:
        async with caller() as extension:
            both = await extension.register("outer", "INVOKE", "SHUTDOWN")
            last = await extension.register("inner")
            assert not extension.api.is_settled
            waits = [asyncio.ensure_future(extension.call("GET", "event/next", **each)) for each in (both, last)]
            await extension.api.settled()
            extension.api.invoke(Request(event=b"{}", request_id="r", trace_id="Root=1"), 1.5)
            assert (await waits[0])[1] == {
                "eventType": "INVOKE",
                "deadlineMs": 1_500,
                "requestId": "r",
                "invokedFunctionArn": ARN,
                "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1"},
            }
            assert not extension.api.is_settled, "it is at work"
            ending = asyncio.ensure_future(extension.api.shut_down("SPINDOWN"))
            _, shutdown, _ = await extension.call("GET", "event/next", **both)
            assert shutdown.keys() == {"eventType", "shutdownReason", "deadlineMs"}
            assert (shutdown["eventType"], shutdown["shutdownReason"]) == ("SHUTDOWN", "SPINDOWN")
            assert not waits[1].done(), "the other wants no event"
            assert not ending.done(), "its process has yet to end"
            waits[1].cancel()

    asyncio.run(check())


@pytest.mark.parametrize(("expected", "registered", "share"), [((), (), 0), ((), ("a",), 0.5), (("outer",), (), 2.0)])
def test_the_shutdown_phase_has_its_time(expected: tuple[str, ...], registered: tuple[str, ...], share: float) -> None:
    async def check() -> None:
        async with caller() as extension:
            extension.api.expect(expected)
            for name in registered:
                await extension.register(name, "INVOKE")
            assert extension.api.share == share

    asyncio.run(check())


@pytest.mark.parametrize(("call", "error"), [("init", "Extension.InitError"), ("exit", "Extension.ExitError")])
def test_an_extension_tells_its_failure(call: str, error: str) -> None:
    async def check() -> None:
        async with caller() as extension:
            me = await extension.register("outer", "INVOKE")
            status, found, _ = await extension.call("POST", f"{call}/error", **me)
            assert (status, found["errorType"]) == (403, "Extension.MissingHeader")
            status, _, _ = await extension.call("POST", f"{call}/error", "{}", **me, **ERROR_TYPE)
            failure = await extension.api.failure
            assert (status, failure.error_type, failure.message) == (202, error, "outer: Extension.NoKey")

    asyncio.run(check())
