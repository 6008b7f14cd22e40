"""The Telemetry API and the Logs API: subscriptions, schemas, buffers and deliveries."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from lambdaimg.model.invocation import Report, Request
from lambdaimg.runtime import telemetry_records
from lambdaimg.runtime.emulator import Settings
from lambdaimg.runtime.environment_api import EnvironmentApi
from lambdaimg.runtime.extensions_api import IDENTIFIER
from lambdaimg.runtime.subscription import Buffering, Destination, Subscription
from lambdaimg.runtime.telemetry_api import LOGS, TELEMETRY, TelemetryApi
from lambdaimg.runtime.telemetry_records import Record

SETTINGS = Settings(function="f", arn="arn:aws:lambda:us-east-1:1:function:f", memory=128, timeout=3, cpu_quota=0)
LOCAL = "127.0.0.1"


class Listener:
    """A destination: what was posted to it, batch by batch."""

    def __init__(self) -> None:
        self.batches: asyncio.Queue[list[Any]] = asyncio.Queue()
        self.port = 0

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
        await self.batches.put(await request.json())
        return web.Response()


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener()
    web_server = web.Server(listener.take)
    server = await asyncio.get_running_loop().create_server(web_server, LOCAL, 0)
    listener.port = server.sockets[0].getsockname()[1]
    yield listener
    server.close()
    await web_server.shutdown(0.001)


@asynccontextmanager
async def subscriber() -> AsyncIterator[tuple[TelemetryApi, Any]]:
    """The API, and a function that subscribes as a registered extension."""
    api = EnvironmentApi(SETTINGS)
    port = await api.listen(LOCAL)
    api.allow("")
    api.telemetry.address = LOCAL
    async with aiohttp.ClientSession(f"http://{LOCAL}:{port}") as session:

        async def subscribe(body: object, path: str = TELEMETRY) -> tuple[int, str]:
            name = {"Lambda-Extension-Name": "watcher"}
            if not api.extensions.registered:
                await session.post("/2020-01-01/extension/register", json={"events": ["INVOKE"]}, headers=name)
            id = next(iter(api.extensions.registered))
            async with session.put(path, json=body, headers={IDENTIFIER: id}) as answer:
                return answer.status, await answer.text()

        try:
            yield api.telemetry, subscribe
        finally:
            await api.close()


def wanted(port: int = 1, **changes: Any) -> dict[str, Any]:
    destination = {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{port}"}
    return {"schemaVersion": "2022-12-13", "types": ["platform", "function"], "destination": destination, **changes}


TCP = {"protocol": "TCP", "URI": "tcp://sandbox.localdomain:9"}


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({}, 200, "OK"),
        ({"schemaVersion": "2022-07-01"}, 200, "OK"),
        ({"schemaVersion": "2025-01-29"}, 200, "OK"),
        ({"schemaVersion": "2020-08-15"}, 400, "2025-01-29"),
        ({"types": ["extension"]}, 200, "OK"),
        ({"types": []}, 400, "types must be"),
        ({"types": ["metrics"]}, 400, "types must be"),
        ({"destination": TCP}, 200, "OK"),
        ({"destination": {"protocol": "UDP", "URI": "x"}}, 400, "neither HTTP nor TCP"),
        ({"destination": {"protocol": "HTTP", "URI": "http://example.com:80"}}, 400, "sandbox.localdomain"),
        ({"buffering": {"maxItems": 10_000, "maxBytes": 1_048_576, "timeoutMs": 30_000}}, 200, "OK"),
        ({"buffering": {"maxItems": 999}}, 400, "1000 to 10000"),
        ({"buffering": {"maxBytes": 1_048_577}}, 400, "262144 to 1048576"),
        ({"buffering": {"timeoutMs": 24}}, 400, "25 to 30000"),
    ],
)
def test_what_a_subscription_may_say(changes: dict[str, Any], status: int, said: str) -> None:
    async def check() -> None:
        async with subscriber() as (_, subscribe):
            found = await subscribe(wanted(**changes))
            assert (found[0], said in found[1]) == (status, True), found

    asyncio.run(check())


def test_one_api_for_an_extension_and_none_after_the_init_phase() -> None:
    async def check() -> None:
        async with subscriber() as (telemetry, subscribe):
            assert (await subscribe(wanted(schemaVersion="2021-03-18"), LOGS))[0] == 200
            assert (await subscribe(wanted()))[0] == 400
            telemetry.close_registration()
            status, text = await subscribe(wanted(schemaVersion="2021-03-18"), LOGS)
            assert (status, json.loads(text)["errorType"]) == (403, "Logs.SubscriptionClosed")

    asyncio.run(check())


REQUEST = Request(event=b"{}", request_id="r", trace_id="Root=1")
REPORT = Report(
    request_id="r", duration_ms=1.5, memory_size=128, max_memory_used=20, status="error", error_type="Runtime.ExitError"
)
TRACING = {"tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1"}}
DONE, END, TOLD = telemetry_records.ended(REQUEST, REPORT, 7)
FAILED = {"requestId": "r", "status": "failure", "errorType": "Runtime.ExitError"}
METRICS = {"durationMs": 1.5, "billedDurationMs": 2, "memorySizeMB": 128, "maxMemoryUsedMB": 20}
ON_DEMAND = {"initializationType": "on-demand", "phase": "init"}
NAMES = {"functionName": "f", "functionVersion": "$LATEST"}
INIT_REPORT = telemetry_records.init_report("init", "success", 5.0)
DONE_METRICS = {"durationMs": 1.5, "producedBytes": 7}
READY = telemetry_records.extension("x", "Ready", ("INVOKE",))
SUBSCRIBED = telemetry_records.subscription("platform.telemetrySubscription", "x", ("function",))
NEWER, OLDER, LOGGED = "2022-12-13", "2022-07-01", "2021-03-18"


@pytest.mark.parametrize(
    ("record", "schema", "content"),
    [
        (telemetry_records.init_start("f", "init"), OLDER, {**ON_DEMAND, **NAMES}),
        (telemetry_records.init_runtime_done("init", "success"), NEWER, {**ON_DEMAND, "status": "success"}),
        (INIT_REPORT, NEWER, {**ON_DEMAND, "status": "success", "metrics": {"durationMs": 5.0}}),
        (INIT_REPORT, LOGGED, None),
        (telemetry_records.start(REQUEST), "2025-01-29", {"requestId": "r", "version": "$LATEST", **TRACING}),
        (telemetry_records.start(REQUEST), LOGGED, {"requestId": "r", "version": "$LATEST"}),
        (DONE, NEWER, {**FAILED, "metrics": DONE_METRICS, **TRACING}),
        (DONE, OLDER, {"requestId": "r", "status": "failure", "metrics": DONE_METRICS, **TRACING}),
        (DONE, LOGGED, {"requestId": "r", "status": "failure"}),
        (DONE, "2020-08-15", None),
        (END, NEWER, None),
        (END, LOGGED, {"requestId": "r"}),
        (TOLD, NEWER, {**FAILED, "metrics": METRICS, **TRACING}),
        (TOLD, LOGGED, {"requestId": "r", "metrics": METRICS}),
        (READY, OLDER, {"name": "x", "state": "Ready", "events": ["INVOKE"]}),
        (SUBSCRIBED, OLDER, {"name": "x", "state": "Subscribed", "types": ["function"]}),
        (Record(kind="function", content='{"a": 1}'), NEWER, {"a": 1}),
        (Record(kind="function", content='{"a": 1}'), OLDER, '{"a": 1}'),
        (Record(kind="extension", content="[1]"), NEWER, "[1]"),
        (Record(kind="function", content="plain"), LOGGED, "plain"),
    ],
)
def test_each_record_has_its_form_in_each_schema(record: Record, schema: str, content: object) -> None:
    found = record.rendered(schema, json_lines=True)
    assert (found and found["record"]) == content
    if found:
        assert found["type"] == record.kind
        assert found["time"].endswith("Z")


def test_who_subscribes_in_the_init_phase_gets_what_was_told_before() -> None:
    async def check() -> None:
        async with subscriber() as (telemetry, subscribe), listening() as listener:
            telemetry.tell(telemetry_records.init_start("f", "init"))
            await subscribe(wanted(listener.port, buffering={"timeoutMs": 25}))
            telemetry.tell_lines("function", ["a line"])
            telemetry.tell_lines("extension", ["not wanted"])
            kinds = []
            while "function" not in kinds:
                kinds += [each["type"] for each in await listener.batches.get()]
            assert kinds == ["platform.initStart", "platform.telemetrySubscription", "function"]

    asyncio.run(check())


def test_tcp_gets_a_record_a_line() -> None:
    async def check() -> None:
        lines: asyncio.Queue[bytes] = asyncio.Queue()
        ended = asyncio.Event()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                await lines.put(line)
            writer.close()
            ended.set()

        server = await asyncio.start_server(take, LOCAL, 0)
        subscription = make(server.sockets[0].getsockname()[1], "TCP")
        for number in range(3):
            subscription.add(Record(kind="function", content=str(number)))
        assert [json.loads(await lines.get())["record"] for _ in range(3)] == ["0", "1", "2"]
        subscription.close()
        await ended.wait()
        server.close()

    asyncio.run(check())


def make(port: int, protocol: str = "HTTP", **buffering: int) -> Subscription:
    return Subscription(
        address=LOCAL,
        schema=NEWER,
        types=("function",),
        destination=Destination(protocol=protocol, port=port),
        buffering=Buffering(**{"timeout": 25, **buffering}),
    )


@pytest.mark.parametrize(
    ("buffering", "records", "size"),
    [({"items": 1_000, "timeout": 30_000}, 1_000, 1), ({"timeout": 30_000}, 3, 100_000)],
)
def test_a_full_buffer_is_sent_at_once(buffering: dict[str, int], records: int, size: int) -> None:
    async def check() -> None:
        async with listening() as listener:
            subscription = make(listener.port, "HTTP", **buffering)
            for _ in range(records):
                subscription.add(Record(kind="function", content="x" * size))
            assert len(await listener.batches.get()) == records
            subscription.close()

    asyncio.run(check())


def test_a_listener_that_does_not_keep_up_is_told_what_was_dropped() -> None:
    async def check() -> None:
        async with listening() as listener:
            subscription = make(listener.port, items=1_000)
            for _ in range(5_000):
                subscription.add(Record(kind="function", content="x"))
            batches = [await listener.batches.get() for _ in range(3)]
            lost = next(each["record"] for batch in batches for each in batch if each["type"] == "platform.logsDropped")
            assert lost["droppedRecords"] == 3_000
            assert lost["droppedBytes"] > 3_000
            subscription.close()

    asyncio.run(check())


def test_what_waits_is_sent_at_the_end_and_a_dead_listener_holds_nobody_up() -> None:
    async def check() -> None:
        async with listening() as listener:
            subscription = make(listener.port, timeout=30_000)
            subscription.add(Record(kind="function", content="last"))
            await subscription.flush(10)
            assert listener.batches.get_nowait()[0]["record"] == "last"
        writers: list[asyncio.StreamWriter] = []
        deaf = await asyncio.start_server(lambda _, writer: writers.append(writer), LOCAL, 0)
        subscription = make(deaf.sockets[0].getsockname()[1])
        subscription.add(Record(kind="function", content="unheard"))
        await subscription.flush(0.05)
        subscription.close()
        deaf.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()

    asyncio.run(check())
