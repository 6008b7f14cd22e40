"""The distribution over HTTP, with an origin of files: what is sent, and what of a folder never is."""

import asyncio
import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import aiohttp
import pytest

from lambdaimg.edge.origins import Origins, opened, origin_of
from lambdaimg.edge.server import serving
from lambdaimg.model.edge.messages import Request, Response
from lambdaimg.model.edge.settings import BehaviorSettings, EdgeSettings, ErrorPageSettings
from lambdaimg.model.invocation import Invocation
from lambdaimg.model.invocation import Request as InvocationRequest

PAGE = "<h1>Grüezi</h1>"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {"site/index.html": PAGE, "other/index.html": "other", "secret.txt": "secret"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "site" / "link.txt").symlink_to(tmp_path / "secret.txt")
    return tmp_path


async def no_function(_: str, __: InvocationRequest) -> Invocation:
    raise AssertionError("there is no function")


@contextmanager
def served(root: Path, edge: EdgeSettings) -> Iterator[http.client.HTTPConnection]:
    ready, done = Event(), []
    listening = socket.create_server(("127.0.0.1", 0))

    async def serve() -> None:
        stop = asyncio.Event()
        done.append((asyncio.get_running_loop(), stop))
        async with opened(root, edge, no_function) as distribution, serving(distribution, listening, lambda _: None):
            ready.set()
            await stop.wait()

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10), "it does not serve"
    client = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1])
    try:
        yield client
    finally:
        client.close()
        ((loop, stop),) = done
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def test_answers_have_what_cloudfront_adds_and_one_length(root: Path) -> None:
    edge = EdgeSettings(origin="site", default_root_object="index.html")
    with served(root, edge) as client:
        found = []
        for method in ("GET", "GET", "HEAD"):
            client.request(method, "/")
            answer = client.getresponse()
            found.append((answer.status, answer.getheader("X-Cache"), answer.getheader("Age"), answer.read().decode()))
            assert answer.headers.get_all("Content-Length") == [str(len(PAGE.encode()))]
            assert answer.headers.get_all("Via") == ["1.1 d111111abcdef8.cloudfront.net (CloudFront)"]
            assert answer.headers.get_content_type() == "text/html"
            tag = answer.getheader("ETag")
        assert found == [
            (200, "Miss from cloudfront", None, PAGE),
            (200, "Hit from cloudfront", "0", PAGE),
            (200, "Hit from cloudfront", "0", ""),
        ]
        client.request("GET", "/", headers={"If-None-Match": str(tag)})
        unmodified = client.getresponse()
        assert (unmodified.status, unmodified.read(), unmodified.getheader("ETag")) == (304, b"", tag)


def test_a_header_that_is_not_utf_8_is_converted(root: Path) -> None:
    seen: list[bytes] = []

    async def invoke(_: str, request: InvocationRequest) -> Invocation:
        seen.append(request.event)
        return Invocation(payload=b"null", function_error=False, log=(), report=None)

    edge = EdgeSettings(origin="site", behaviors={"*": BehaviorSettings(viewer_request="hello")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.unit.test_edge_server.no_function", invoke)
        with served(root, edge) as client:
            for value in (b"caf\xc3\xa9", b"caf\xe9"):
                client.putrequest("GET", "/")
                client.putheader("X-A", value)
                client.endheaders()
                assert client.getresponse().read()
    assert [b'"caf\\u00e9"' in event for event in seen] == [True, True]


def test_a_replaced_body_has_its_own_length(root: Path) -> None:
    async def invoke(_: str, request: InvocationRequest) -> Invocation:
        response = json.loads(request.event)["Records"][0]["cf"]["response"] | {"body": "longer than the origin's"}
        return Invocation(payload=json.dumps(response).encode(), function_error=False, log=(), report=None)

    edge = EdgeSettings(origin="site", behaviors={"*": BehaviorSettings(origin_response="hello")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.unit.test_edge_server.no_function", invoke)
        with served(root, edge) as client:
            client.request("GET", "/index.html")
            assert client.getresponse().read() == b"longer than the origin's"


async def asked(root: Path, uri: str, method: str = "GET", bucket: str = "site", path: str = "") -> Response:
    origin = dict(origin_of(EdgeSettings(origin="site")))
    origin["s3"] |= {"domainName": f"{bucket}.s3.us-east-1.amazonaws.com", "path": path}
    async with aiohttp.ClientSession() as client:
        return await Origins(client=client, folder=root / "site").fetch(Request(method=method, uri=uri), origin)


@pytest.mark.parametrize(
    ("uri", "more", "status", "says"),
    [
        ("/index.html", {}, 200, PAGE),
        ("/index%2Ehtml", {}, 200, PAGE),
        ("/index.html", {"bucket": "other"}, 200, "other"),
        ("/index.html", {"bucket": "nowhere"}, 404, "NoSuchBucket"),
        ("/index.html", {"path": "/deep"}, 403, "AccessDenied"),
        ("/index.html", {"method": "POST"}, 405, "MethodNotAllowed"),
        ("/", {}, 403, "AccessDenied"),
        ("/index.html/", {}, 403, "AccessDenied"),
        ("/nowhere", {}, 403, "AccessDenied"),
        ("/../secret.txt", {}, 403, "AccessDenied"),
        ("/%2e%2e/secret.txt", {}, 403, "AccessDenied"),
        ("/link.txt", {}, 403, "AccessDenied"),
        ("/a%00b", {}, 403, "AccessDenied"),
    ],
)
def test_a_folder_answers_as_a_bucket_does(root: Path, uri: str, more: dict[str, str], status: int, says: str) -> None:
    response = asyncio.run(asked(root, uri, **more))
    assert response.status == status
    assert says in response.body.decode()


def test_an_error_page_keeps_the_viewers_status(root: Path) -> None:
    edge = EdgeSettings(origin="site", error_pages={"403": ErrorPageSettings(path="/index.html", status=404)})
    with served(root, edge) as client:
        client.request("GET", "/nowhere")
        answer = client.getresponse()
        assert (answer.status, answer.reason, answer.read().decode()) == (404, "Not Found", PAGE)
        assert answer.getheader("X-Cache") == "Error from cloudfront"


@pytest.mark.parametrize(
    ("origin", "custom"),
    [
        ("http://localhost:8000/shop", {"domainName": "localhost", "port": 8000, "protocol": "http", "path": "/shop"}),
        ("https://example.org", {"domainName": "example.org", "port": 443, "protocol": "https", "path": ""}),
        ("http://example.org", {"domainName": "example.org", "port": 80, "protocol": "http", "path": ""}),
    ],
)
def test_a_url_is_a_custom_origin(origin: str, custom: dict[str, object]) -> None:
    found = origin_of(EdgeSettings(origin=origin, origin_headers={"X-A": "1"}))["custom"]
    assert found.items() >= custom.items()
    assert found["customHeaders"] == {"x-a": [{"key": "X-A", "value": "1"}]}
