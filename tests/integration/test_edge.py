"""A site behind the local CloudFront: its four functions in their environments, in the order of the walk."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests

from tests.integration.conftest import EXAMPLES, Sandboxed, interrupt, make_project, python_function, read_until

WALK = re.compile(r"[A-Z]+ \S+ \d{3} \w+: ?(.*)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    """A copy of the example, under a name of its own."""
    for project in make_project(tmp_path_factory.mktemp("edge") / "project"):
        shutil.copytree(EXAMPLES / "edge-site", project.root, dirs_exist_ok=True)
        text = (project.root / "lambdaimg.toml").read_text("utf-8")
        project.write("lambdaimg.toml", text.replace('name = "edge-site"', f'name = "{project.name}"'))
        yield project


class Edge:
    """A running `edge serve`."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process = process
        self.url = url

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers=headers, allow_redirects=False, timeout=60)

    def walk(self) -> list[str]:
        """The steps of the next request in the log."""
        assert self.process.stderr
        for line in self.process.stderr:
            if found := WALK.match(line):
                return found[1].strip().split(" > ")
        raise AssertionError("it ended without a walk")


@contextmanager
def edge(project: Sandboxed, *arguments: str) -> Iterator[Edge]:
    process = project.start("edge", "serve", "--port", "0", *arguments)
    try:
        yield Edge(process, read_until(process.stdout, "answers at").split()[-1])
    finally:
        if process.poll() is None:
            interrupt(process)


def test_the_site_walks_through_its_functions(site: Sandboxed) -> None:
    with edge(site) as served:
        miss, hit = served.get("/"), served.get("/", Cookie="group=a")
        assert served.walk() == [
            "viewer-request redirect",
            "cache miss",
            "origin-request experiment",
            "origin 200",
            "origin-response security",
            "cached 86400 s",
            "viewer-response cookie",
        ]
        assert served.walk()[1] == "cache miss", "the cookie is part of the key"
        assert (miss.status_code, miss.headers["X-Cache"]) == (200, "Miss from cloudfront")
        assert "Page A" in miss.text
        assert miss.headers["X-Frame-Options"] == "DENY"
        assert miss.headers["Set-Cookie"].startswith("group=")
        assert miss.headers["Via"] == "1.1 d111111abcdef8.cloudfront.net (CloudFront)"
        assert "Set-Cookie" not in hit.headers

        hit = served.get("/", Cookie="group=a; other=1")
        assert served.walk() == ["viewer-request redirect", "cache hit", "viewer-response cookie"]
        assert (hit.headers["X-Cache"], hit.text, hit.headers["X-Frame-Options"]) == (
            "Hit from cloudfront",
            miss.text,
            "DENY",
        )
        assert "Age" in hit.headers

        assert "Page B" in served.get("/", Cookie="group=b").text
        moved = served.get("/old/index.html?page=2")
        assert (moved.status_code, moved.headers["Location"]) == (301, "/index.html?page=2")
        lost = served.get("/nowhere")
        assert (lost.status_code, lost.reason, lost.headers["X-Cache"]) == (404, "Not Found", "Error from cloudfront")
        assert "Not here" in lost.text
        refused = requests.post(served.url, timeout=60)
        assert refused.status_code == 404, "403 has a page"
        assert interrupt(served.process)[0] == 130
    assert site.containers() == []


def test_curl_gets_what_a_browser_gets(site: Sandboxed) -> None:
    with edge(site) as served:
        words = ["curl", "-sS", "--location", "--compressed", "--write-out", "%{http_code} %{url_effective}"]
        done = subprocess.run([*words, f"{served.url}/old/index.html"], capture_output=True, text=True, check=True)
        assert "<h1>Page " in done.stdout
        assert done.stdout.endswith(f"200 {served.url}/index.html")
        subprocess.run(["curl", "-sS", f"{served.url}/assets/style.css"], capture_output=True, check=True)
        head = subprocess.run(
            ["curl", "-sSI", f"{served.url}/assets/style.css"], capture_output=True, text=True, check=True
        )
        assert "X-Cache: Hit from cloudfront" in head.stdout
        assert head.stdout.count("Content-Length: 30") == 1


def test_the_sites_own_cases_pass(site: Sandboxed) -> None:
    assert "6 passed" in site.run("test").stdout


def test_a_result_that_cloudfront_refuses_fails_its_case(project: Sandboxed) -> None:
    python_function(
        project,
        "def handler(event, context):\n    return {**event['Records'][0]['cf']['request'], 'uri': 'nowhere'}\n",
        "[[functions.hello.tests]]\nname = 'stays'\nedge = { trigger = 'viewer-request', url = '/' }\n",
    )
    done = project.run("test", code=1)
    assert "CloudFront refuses the result: viewer-request: uri begins with /" in done.stdout
    done = project.run("edge", "invoke", "viewer-request", "hello", "--url", "/a?b=c", code=1)
    assert '"uri": "nowhere"' in done.stdout
    assert "error: viewer-request: uri begins with /" in done.stderr


def test_an_edit_is_answered_by_the_new_code(project: Sandboxed) -> None:
    source = "def handler(event, context):\n    return {'status': '200', 'body': 'BODY'}\n"
    python_function(project, source.replace("BODY", "old"), '[edge]\norigin = "hello"\n[edge.behaviors."*"]\n' + VIEWER)
    with edge(project, "--watch") as served:
        assert served.get("/").text == "old"
        project.write("hello/app.py", source.replace("BODY", "new"))
        read_until(served.process.stderr, "the new code answers")
        assert served.get("/").text == "new"


VIEWER = 'viewer-request = "hello"\n'


def test_a_single_trigger_is_invoked(site: Sandboxed) -> None:
    words = ("edge", "invoke", "viewer-request", "redirect", "--url")
    assert '"value": "/a?b=c"' in site.run(*words, "https://example.org/old/a?b=c").stdout
    assert "has no value" in site.run(*words, "/", "--header", "x", code=2).stderr
    assert "is no URL" in site.run(*words, "nowhere", code=2).stderr


class _Origin(BaseHTTPRequestHandler):
    """Says what it was asked, with a body of its own compression's and a cookie."""

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        text = f"{self.command} {self.path} {sorted(self.headers.items())} {body!r}".encode()
        self.send_response(500 if "fail" in self.path else 200)
        self.send_header("Cache-Control", "max-age=60")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Origin)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_origin_behind_a_url_is_asked_as_cloudfront_asks(project: Sandboxed, origin: str) -> None:
    python_function(project, "")
    project.write(
        "lambdaimg.toml",
        (project.root / "lambdaimg.toml").read_text("utf-8")
        + f'[edge]\norigin = "{origin}/shop"\norigin-headers = {{ X-Secret = "s3cret" }}\n'
        '[edge.behaviors."*"]\nquery-strings = ["size"]\nheaders = ["X-Kept"]\n'
        'allowed-methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]\n',
    )
    with edge(project) as served:
        answer = served.get("/a%20b?size=1&x=2", **{"X-Kept": "k", "X-Lost": "l"})
        assert answer.text.startswith("GET /shop/a%20b?size=1 ")
        for header in ("('X-Kept', 'k')", "('X-Secret', 's3cret')", "('User-Agent', 'Amazon CloudFront')", "'Via'"):
            assert header in answer.text
        assert "X-Lost" not in answer.text
        assert served.walk()[-1] == "cached 60 s"
        posted = requests.post(f"{served.url}/a", data=b"body", timeout=60)
        assert posted.text.endswith("b'body'")
        assert served.get("/fail").status_code == 500
    project.write(
        "lambdaimg.toml", (project.root / "lambdaimg.toml").read_text("utf-8").replace(origin, "http://localhost:1")
    )
    with edge(project) as served:
        answer = served.get("/")
        assert (answer.status_code, answer.headers["X-Cache"]) == (502, "Error from cloudfront")
        assert "unable to connect" not in answer.text
        read_until(served.process.stderr, "origin: http://localhost:1/shop/")


def test_a_project_without_a_distribution_is_told_so(project: Sandboxed) -> None:
    assert "has no distribution" in project.run("edge", "serve", code=2).stderr


@pytest.fixture(scope="session")
def browser() -> Path:
    """A Chromium of this machine."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium on this machine: install the package chromium")
    return Path(found)


@pytest.mark.slow
def test_a_browser_keeps_to_its_group(site: Sandboxed, browser: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with edge(site) as served, playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=str(browser), args=["--no-sandbox"])
        page = opened.new_page()
        assert page.goto(f"{served.url}/old/index.html").status == 200
        assert page.url == f"{served.url}/index.html"
        assert page.text_content("h1") == "Page A", "the first visit has no group yet"
        (cookie,) = page.context.cookies()
        page.reload()
        assert page.text_content("h1") == f"Page {cookie['value'].upper()}"
        color = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
        assert color == "rgb(0, 128, 0)"
        assert page.goto(f"{served.url}/nowhere").status == 404
        opened.close()
