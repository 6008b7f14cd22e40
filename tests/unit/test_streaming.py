"""Streamed responses: what a runtime posts in pieces, and the encodings around it."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from botocore.eventstream import EventStreamBuffer

from lambdaimg.model import quotas
from lambdaimg.model.errors import EnvironmentFailed, MalformedResponse
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.model.response_stream import ResponseStream
from lambdaimg.runtime import event_stream, streaming
from lambdaimg.runtime.emulator import Settings
from lambdaimg.runtime.environment_api import EnvironmentApi
from lambdaimg.runtime.http_response import HttpResponse, Prelude
from lambdaimg.runtime.outcome import Answer, Cut, Outcome

STREAMING = "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\nContent-Type: text/x\r\n"
ERROR = base64.b64encode(b'{"errorType":"E"}').decode()


class Runtime:
    """The runtime's side of a Runtime API, at the level of bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    def post(self, path: str, headers: str) -> None:
        self.writer.write(f"POST /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())

    def chunk(self, piece: bytes) -> None:
        self.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def last(self, trailers: str = "") -> None:
        self.writer.write(f"0\r\n{trailers}\r\n".encode())

    async def status(self) -> int:
        return int((await self._reader.readline()).split()[1])


@asynccontextmanager
async def runtime(stream: ResponseStream | None) -> AsyncIterator[tuple[Runtime, "asyncio.Future[Outcome]"]]:
    """A runtime that has an event whose response is wanted in `stream`."""
    api = EnvironmentApi(Settings(function="f", arn="arn", memory=128, timeout=3, cpu_quota=0))
    door = socket.create_server(("127.0.0.1", 0))
    await api.serve(door)
    port = door.getsockname()[1]
    api.allow("")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield (
            Runtime(reader, writer),
            api.runtime.deliver(Request(event=b"{}", request_id="r", stream=stream), "arn", 0),
        )
    finally:
        writer.close()
        await api.close()


def test_a_piece_is_there_before_the_next_is_written() -> None:
    async def check() -> None:
        stream = ResponseStream()
        async with runtime(stream) as (posting, outcome):
            posting.post("invocation/r/response", STREAMING)
            assert await stream.content_type() == "text/x"
            for piece in (b"first", b"\r\n0\r\n: like the end", b"last"):
                posting.chunk(piece)
                assert await anext(stream) == piece
                assert not outcome.done()
            posting.last()
            assert await outcome == Answer(payload=b"")
            assert await posting.status() == 202

    asyncio.run(check())


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(
    ("trailers", "found"),
    [
        ("Lambda-Runtime-Function-Error-Type: E\r\n" f"Lambda-Runtime-Function-Error-Body: {ERROR}\r\n",
         Answer(payload=b'{"errorType":"E"}', is_error=True, error_type="E")),
        ("lambda-runtime-function-error-body: not base64\r\n", Answer(payload=b"not base64", is_error=True)),
        ("X-Other: 1\r\n", None),
    ],
)  # fmt: skip
def test_an_error_in_the_trailers_is_the_answer(streamed: bool, trailers: str, found: Answer | None) -> None:
    async def check() -> None:
        async with runtime(ResponseStream() if streamed else None) as (posting, outcome):
            posting.post("invocation/r/response", STREAMING)
            posting.chunk(b"piece")
            posting.last(trailers)
            assert await outcome == (found or Answer(payload=b"" if streamed else b"piece"))

    asyncio.run(check())


@pytest.mark.parametrize(
    ("streamed", "size", "status"), [(True, 2_001, 413), (True, 2_000, 202), (False, 1_001, 413), (False, 1_000, 202)]
)
def test_a_stream_may_be_longer_than_a_payload(
    monkeypatch: pytest.MonkeyPatch, streamed: bool, size: int, status: int
) -> None:
    monkeypatch.setattr(quotas, "STREAMED_RESPONSE_BYTES", 2_000)
    monkeypatch.setattr(quotas, "RESPONSE_BYTES", 1_000)

    async def check() -> None:
        async with runtime(ResponseStream() if streamed else None) as (posting, outcome):
            posting.post("invocation/r/response", STREAMING)
            posting.chunk(b"x" * size)
            posting.last()
            assert await posting.status() == status
            assert isinstance(await outcome, Answer if status == 202 else Cut)

    asyncio.run(check())


def test_200_megabytes_stream() -> None:
    piece = bytes(1024 * 1024)

    async def check() -> None:
        stream, size = ResponseStream(), 0
        async with runtime(stream) as (posting, outcome):
            posting.post("invocation/r/response", STREAMING)
            while size < quotas.STREAMED_RESPONSE_BYTES:
                posting.chunk(piece)
                size += len(piece)
                read = 0
                while read < len(piece):
                    read += len(await anext(stream))
            posting.last()
            assert await outcome == Answer(payload=b"")

    asyncio.run(check())


def test_a_broken_connection_cuts_the_stream() -> None:
    async def check() -> None:
        stream = ResponseStream()
        async with runtime(stream) as (posting, outcome):
            posting.post("invocation/r/response", STREAMING)
            posting.chunk(b"first")
            assert await anext(stream) == b"first"
            posting.writer.close()
            assert await outcome == Cut()

    asyncio.run(check())


def test_a_reader_that_went_away_holds_nobody_up() -> None:
    async def check() -> None:
        stream = ResponseStream()
        async with runtime(stream) as (posting, outcome):
            posting.post("invocation/r/response", STREAMING)
            for _ in range(100):
                posting.chunk(b"x" * 100_000)
            assert await anext(stream)
            stream.abandon()
            posting.last()
            assert await outcome == Answer(payload=b"")

    asyncio.run(check())


def test_a_stream_ends_when_its_invocation_fails() -> None:
    async def failing(request: Request) -> Invocation:
        assert request.stream is not None
        await request.stream.put(b"first")
        raise EnvironmentFailed("gone")

    async def check() -> None:
        answer = streaming.invoke(failing, Request(event=b"{}"))
        assert await answer.response.content_type() == ""
        assert [piece async for piece in answer.response] == [b"first"]
        with pytest.raises(EnvironmentFailed):
            await answer.invocation

    asyncio.run(check())


def test_an_sdk_reads_our_event_stream_and_so_do_we() -> None:
    body = event_stream.payload_chunk(b"\x00piece" * 50) + event_stream.invoke_complete("Unhandled", "{}", "bG9n")
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    found = [(message.headers[":event-type"], message.payload) for message in buffer]
    assert found == [
        ("PayloadChunk", b"\x00piece" * 50),
        ("InvokeComplete", b'{"ErrorCode": "Unhandled", "ErrorDetails": "{}", "LogResult": "bG9n"}'),
    ]

    def pieces(size: int) -> Iterator[bytes]:
        return (body[at : at + size] for at in range(0, len(body), size))

    for size in (1, 7, len(body)):
        assert [(event.kind, event.payload) for event in event_stream.events(pieces(size))] == found


@pytest.mark.parametrize(
    ("text", "prelude", "body"),
    [
        (
            b'{"statusCode":404,"headers":{"a":"b"},"cookies":["c=d"]}',
            Prelude(status=404, headers={"a": "b"}, cookies=("c=d",)),
            b"x",
        ),
        (b"{}", Prelude(), b""),
        (b'{"headers":null}', Prelude(), bytes(8)),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1_000])
def test_the_head_of_an_http_response_is_told_from_its_body(
    text: bytes, prelude: Prelude, body: bytes, size: int
) -> None:
    whole, response = text + bytes(8) + body, HttpResponse()
    found = b"".join(response.add(whole[at : at + size]) for at in range(0, len(whole), size))
    assert (response.prelude, found) == (prelude, body)


@pytest.mark.parametrize(
    "whole", [b"no json" + bytes(8), b"[]" + bytes(8), b'{"statusCode":"x"}' + bytes(8), b"x" * 2_000_000]
)
def test_a_response_without_head_is_refused(whole: bytes) -> None:
    with pytest.raises(MalformedResponse):
        HttpResponse().add(whole)
