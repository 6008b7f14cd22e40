"""The Telemetry API and the Logs API: subscriptions, schemas, buffers and deliveries."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
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
from lambdaimg.runtime.telemetry_records import TELEMETRY_SCHEMAS, InitPhase, Record

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
    door = socket.create_server((LOCAL, 0))
    await api.serve(door)
    port = door.getsockname()[1]
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
        ({"buffering": {"maxItems": 1_000, "maxBytes": 262_144, "timeoutMs": 25}}, 200, "OK"),
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
TRACING = {"tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1"}}
BEGAN = datetime(2026, 1, 2, tzinfo=UTC)
SPANS = telemetry_records.response_spans(BEGAN, BEGAN + timedelta(milliseconds=2), BEGAN + timedelta(milliseconds=3))
SHOWN_SPANS = [
    {"name": "responseLatency", "start": "2026-01-02T00:00:00.000Z", "durationMs": 2.0},
    {"name": "responseDuration", "start": "2026-01-02T00:00:00.002Z", "durationMs": 1.0},
]


def ended(status: str = "", error_type: str = "") -> tuple[Record, Record, Record]:
    report = Report(
        request_id="r", duration_ms=1.5, memory_size=128, max_memory_used=20, status=status, error_type=error_type
    )
    return telemetry_records.ended(REQUEST, report, 7, SPANS)


DONE, END, TOLD = ended("error", "Runtime.ExitError")
FAILED = {"requestId": "r", "status": "failure"}
ERROR_TYPE = {"errorType": "Runtime.ExitError"}
METRICS = {"metrics": {"durationMs": 1.5, "billedDurationMs": 2, "memorySizeMB": 128, "maxMemoryUsedMB": 20}}
DONE_METRICS = {"spans": SHOWN_SPANS, "metrics": {"durationMs": 1.5, "producedBytes": 7}}
ON_DEMAND = {"initializationType": "on-demand", "phase": "init"}
PROVISIONED = {"initializationType": "provisioned-concurrency", "phase": "init"}
AGAIN = {"initializationType": "on-demand", "phase": "invoke"}
INIT = InitPhase(initialization="on-demand")
NAMES = {"functionName": "f", "functionVersion": "$LATEST", "instanceId": "i", "instanceMaxMemory": 134_217_728}
TOOK = {"metrics": {"durationMs": 5.0}}
TIMED_OUT = {"status": "timeout", "errorType": "Sandbox.Timedout"}
DROPPED = telemetry_records.dropped(3, 40)
READY = telemetry_records.extension("x", "Ready", ("INVOKE",))
SUBSCRIBED = telemetry_records.subscription("platform.telemetrySubscription", "x", ("function",))
LOGS_SUBSCRIBED = telemetry_records.subscription("platform.logsSubscription", "x", ("function",))
OLDEST, NEWER, NEWEST = TELEMETRY_SCHEMAS
OLDER_LOGS, LOGGED = "2020-08-15", "2021-03-18"
ALL = (OLDEST, NEWER, NEWEST)


@pytest.mark.parametrize(
    ("record", "schemas", "content"),
    [
        (INIT.start("f", "i", 128), ALL, {**ON_DEMAND, **NAMES}),
        (InitPhase(initialization="on-demand", phase="invoke").start("f", "i", 128), ALL, {**AGAIN, **NAMES}),
        (INIT.start("f", "i", 128), (OLDER_LOGS, LOGGED), None),
        (INIT.runtime_done("success"), ALL, {**ON_DEMAND, "status": "success"}),
        (INIT.runtime_done("error", "Runtime.ExitError"), (OLDEST,), {**ON_DEMAND, "status": "error"}),
        (INIT.runtime_done("error", "Runtime.ExitError"), ALL[1:], {**ON_DEMAND, "status": "error", **ERROR_TYPE}),
        (INIT.runtime_done("timeout", "Sandbox.Timedout"), ALL[1:], {**ON_DEMAND, **TIMED_OUT}),
        (INIT.report("success", 5.0), (OLDEST,), {**ON_DEMAND, **TOOK}),
        (INIT.report("success", 5.0), ALL[1:], {**ON_DEMAND, "status": "success", **TOOK}),
        (INIT.report("timeout", 5.0, "Sandbox.Timedout"), (OLDEST,), {**ON_DEMAND, **TOOK}),
        (INIT.report("timeout", 5.0, "Sandbox.Timedout"), ALL[1:], {**ON_DEMAND, **TIMED_OUT, **TOOK}),
        (
            InitPhase(initialization="provisioned-concurrency").report("error", 5.0, "Runtime.ExitError"),
            ALL[1:],
            {**PROVISIONED, "status": "error", **ERROR_TYPE, **TOOK},
        ),
        (INIT.report("success", 5.0), (OLDER_LOGS, LOGGED), None),
        (telemetry_records.start(REQUEST, "arn"), ALL[:2], {"requestId": "r", "version": "$LATEST", **TRACING}),
        (
            telemetry_records.start(REQUEST, "arn"),
            (NEWEST,),
            {"requestId": "r", "functionArn": "arn", "version": "$LATEST", **TRACING},
        ),
        (telemetry_records.start(REQUEST, "arn"), (OLDER_LOGS, LOGGED), {"requestId": "r", "version": "$LATEST"}),
        (ended()[0], ALL, {"requestId": "r", "status": "success", **DONE_METRICS, **TRACING}),
        (DONE, (OLDEST,), {**FAILED, **DONE_METRICS, **TRACING}),
        (DONE, ALL[1:], {**FAILED, **ERROR_TYPE, **DONE_METRICS, **TRACING}),
        (DONE, (LOGGED,), {"requestId": "r", "status": "failure"}),
        (DONE, (OLDER_LOGS,), None),
        (END, ALL, None),
        (END, (OLDER_LOGS, LOGGED), {"requestId": "r"}),
        (ended()[2], ALL, {"requestId": "r", "status": "success", **METRICS, **TRACING}),
        (
            ended("error", "KeyError")[2],
            ALL[1:],
            {"requestId": "r", "status": "error", "errorType": "KeyError", **METRICS, **TRACING},
        ),
        (ended("timeout", "Sandbox.Timedout")[2], ALL[1:], {"requestId": "r", **TIMED_OUT, **METRICS, **TRACING}),
        (TOLD, (OLDEST,), {**FAILED, **METRICS, **TRACING}),
        (TOLD, ALL[1:], {**FAILED, **ERROR_TYPE, **METRICS, **TRACING}),
        (TOLD, (OLDER_LOGS, LOGGED), {"requestId": "r", **METRICS}),
        (READY, (*ALL, OLDER_LOGS, LOGGED), {"name": "x", "state": "Ready", "events": ["INVOKE"]}),
        (SUBSCRIBED, ALL, {"name": "x", "state": "Subscribed", "types": ["function"]}),
        (SUBSCRIBED, (OLDER_LOGS, LOGGED), None),
        (LOGS_SUBSCRIBED, ALL, None),
        (LOGS_SUBSCRIBED, (OLDER_LOGS, LOGGED), {"name": "x", "state": "Subscribed", "types": ["function"]}),
        (DROPPED, (*ALL, OLDER_LOGS, LOGGED), DROPPED.content),
        (Record(kind="function", content='{"a": 1}'), ALL[1:], {"a": 1}),
        (Record(kind="function", content='{"a": 1}'), (OLDEST, OLDER_LOGS, LOGGED), '{"a": 1}'),
        (Record(kind="extension", content="[1]"), ALL, "[1]"),
        (Record(kind="function", content="plain"), (*ALL, OLDER_LOGS, LOGGED), "plain"),
    ],
)
def test_each_record_has_its_form_in_each_schema(record: Record, schemas: tuple[str, ...], content: object) -> None:
    for schema in schemas:
        found = record.rendered(schema, json_lines=True)
        assert (found and found["record"]) == content, schema
        if found:
            assert found["type"] == record.kind
            assert found["time"].endswith("Z")


def test_who_subscribes_in_the_init_phase_gets_what_was_told_before() -> None:
    async def check() -> None:
        async with subscriber() as (telemetry, subscribe), listening() as listener:
            telemetry.tell(INIT.start("f", "i", 128))
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


def test_word_of_what_was_dropped_is_not_lost_with_a_batch() -> None:
    async def check() -> None:
        refused = asyncio.Event()
        heard: asyncio.Queue[Any] = asyncio.Queue()

        async def take(request: web.BaseRequest) -> web.StreamResponse:
            batch = await request.json()
            if not refused.is_set():
                refused.set()
                return web.Response(status=500)
            await heard.put(batch[0])
            return web.Response()

        web_server = web.Server(take)
        server = await asyncio.get_running_loop().create_server(web_server, LOCAL, 0)
        subscription = make(server.sockets[0].getsockname()[1])
        for _ in range(2_500):
            subscription.add(Record(kind="function", content="x"))
        assert (await heard.get())["record"]["droppedRecords"] == 500 + 999
        subscription.close()
        server.close()
        await web_server.shutdown(0.001)

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
