"""The Runtime API with a plain HTTP client: each call, its status and its body."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from lambdaimg.model.invocation import Request
from lambdaimg.model.quotas import RESPONSE_BYTES
from lambdaimg.runtime.emulator import Settings
from lambdaimg.runtime.environment_api import EnvironmentApi
from lambdaimg.runtime.outcome import Answer, Cut, Outcome
from lambdaimg.runtime.runtime_api import RuntimeApi

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Called:
    """An API, and a client that calls it."""

    environment: EnvironmentApi
    base: str
    client: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def api(self) -> RuntimeApi:
        return self.environment.runtime

    async def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.request(
            method, f"{self.base}{path}", data=io.BytesIO(body) if body else None, headers=named
        ) as answer:
            self.headers = dict(answer.headers)
            return answer.status, await answer.json()

    async def next(self) -> tuple[int, Any]:
        return await self.call("GET", "invocation/next")

    async def until_alone(self) -> None:
        """Returns when the API has noticed that the client has broken its connection."""
        async with asyncio.timeout(5):
            while (web := self.environment._web) and any(each.transport for each in web.connections):
                await asyncio.sleep(0)

    def deliver(self, request_id: str = "r", **more: Any) -> "asyncio.Future[Outcome]":
        return self.api.deliver(Request(event=b'"event"', request_id=request_id, **more), "arn", 1.5)


@asynccontextmanager
async def called(allowed: str = "127.0.0.1") -> AsyncIterator[Called]:
    api = EnvironmentApi(Settings(function="f", arn="arn", memory=128, timeout=3, cpu_quota=0))
    door = socket.create_server(("127.0.0.1", 0))
    await api.serve(door)
    port = door.getsockname()[1]
    api.allow(allowed)
    try:
        async with aiohttp.ClientSession() as client:
            yield Called(api, f"http://127.0.0.1:{port}/2018-06-01/runtime/", client)
    finally:
        await api.close()


async def test_an_event_and_its_headers() -> None:
    async with called() as runtime:
        outcome = runtime.deliver(trace_id="t", client_context="{\r\n}", cognito_identity="i", tenant_id="blue")
        assert await runtime.next() == (200, "event")
        found = {name.removeprefix("Lambda-Runtime-"): value for name, value in runtime.headers.items()}
        assert found["Content-Type"].startswith("application/json")
        for name, value in {
            "Aws-Request-Id": "r",
            "Deadline-Ms": "1500",
            "Invoked-Function-Arn": "arn",
            "Trace-Id": "t",
            "Client-Context": "{ }",
            "Cognito-Identity": "i",
            "Aws-Tenant-Id": "blue",
        }.items():
            assert found[name] == value, name
        assert await runtime.call("POST", "invocation/r/response", b"1") == (202, {"status": "OK"})
        assert outcome.result() == Answer(payload=b"1")


REFUSED = [
    ("POST", "invocation/other/response", {}, 400, "InvalidRequestID"),
    ("POST", "invocation/other/error", {}, 400, "InvalidRequestID"),
    ("POST", "invocation/r/response", {"Lambda_Runtime_Invocation_Id": "other"}, 400, "InvalidInvocationId"),
    ("GET", "invocation/next", {}, 403, "InvalidStateTransition"),
    ("POST", "init/error", {}, 403, "InvalidStateTransition"),
    ("POST", "invocation/next", {}, 404, "NotFound"),
    ("GET", "invocation/r/response", {}, 404, "NotFound"),
    ("GET", "../../2018-06-02/runtime/invocation/next", {}, 404, "NotFound"),
    ("GET", "", {}, 404, "NotFound"),
]


@pytest.mark.parametrize(("method", "path", "headers", "status", "kind"), REFUSED)
async def test_a_refused_call_changes_nothing(
    method: str, path: str, headers: dict[str, str], status: int, kind: str
) -> None:
    async with called() as runtime:
        outcome = runtime.deliver()
        await runtime.next()
        found, body = await runtime.call(method, path, b"1" if method == "POST" else b"", **headers)
        assert (found, body["errorType"]) == (status, kind)
        assert body["errorMessage"]
        assert not outcome.done()
        await runtime.call("POST", "invocation/r/response", b"2")
        assert outcome.result() == Answer(payload=b"2")
        for again in ("response", "error"):
            found, body = await runtime.call("POST", f"invocation/r/{again}", b"3")
            assert (found, body["errorType"]) == (403, "InvalidStateTransition")


async def test_an_error_has_the_type_of_its_header() -> None:
    async with called() as runtime:
        outcome = runtime.deliver()
        await runtime.next()
        await runtime.call("POST", "invocation/r/error", b"{}", Lambda_Runtime_Function_Error_Type="A.B")
        assert outcome.result() == Answer(payload=b"{}", is_error=True, error_type="A.B")


async def test_a_response_that_is_too_large() -> None:
    async with called() as runtime:
        outcome = runtime.deliver()
        await runtime.next()
        status, body = await runtime.call("POST", "invocation/r/response", b"x" * (RESPONSE_BYTES + 1))
        assert (status, body["errorType"]) == (413, "RequestEntityTooLarge")
        assert outcome.result() == Cut(limit=RESPONSE_BYTES)


async def test_an_init_error_once() -> None:
    async with called() as runtime:
        assert (await runtime.call("POST", "init/error", b"{}"))[0] == 202
        assert runtime.api.init_error.result().is_error
        assert (await runtime.call("POST", "init/error", b"{}"))[0] == 403


async def test_the_event_goes_to_the_call_that_still_waits() -> None:
    async with called() as runtime:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(runtime.next(), 0.1)
        await runtime.until_alone()
        outcome = runtime.deliver()
        assert await asyncio.wait_for(runtime.next(), 5) == (200, "event")
        assert not outcome.done()


async def test_it_is_idle_when_the_runtime_has_answered_and_asks_again() -> None:
    async with called() as runtime:
        runtime.deliver()
        await runtime.next()
        await runtime.call("POST", "invocation/r/response", b"1")
        assert not runtime.api.is_idle
        asking = asyncio.ensure_future(runtime.next())
        await runtime.api.idle()
        runtime.deliver("r2")
        assert await asking == (200, "event")
        assert not runtime.api.is_idle


async def test_other_addresses_are_refused() -> None:
    async with called(allowed="127.0.0.2") as runtime:
        assert (await runtime.next())[0] == 403
        assert not runtime.api.first_next.done()
