"""Extensions that others publish, as they are: one that ships telemetry, and one within the runtime's process."""

import hashlib
import io
import shutil
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lambdaimg.engine.client import Engine
from tests.integration.conftest import Sandboxed, python_function

pytestmark = pytest.mark.slow
OTEL = "@serverless/aws-lambda-otel-extension-dist@0.1.11"
OTEL_SHA256 = "724a032abd8a5310f27c5e2c34c7b78c32fa85f2a1538623affc7ad872fffe8a"
TRACED = """
const { gzipSync } = require("node:zlib");

// What the extension's own wrapper around a handler tells it at the end of an invocation.
exports.handler = async (event, context) => {
  const time = new Date();
  const told = {
    function: { functionName: context.functionName, startTime: time, endTime: time },
    traces: { resourceSpans: [{ instrumentationLibrarySpans: [] }] },
  };
  const packed = gzipSync(JSON.stringify(told)).toString("base64");
  const record = [time.toISOString(), context.awsRequestId, `⚡.${packed}`].join("\\t");
  await fetch("http://localhost:2772", { method: "POST", body: JSON.stringify([{ time, type: "function", record }]) });
  return event;
};
"""
INNER = """
import lambda_sigterm, os, signal

def end(*_):
    print("it has time to tidy up", flush=True)
    os._exit(0)

signal.signal(signal.SIGTERM, end)
lambda_sigterm.register()

def handler(event, context):
    return event
"""


@pytest.fixture
def collector(engine: Engine) -> Iterator["Collector"]:
    with Collector((engine.gateway("bridge"), 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Collector(HTTPServer):
    """An endpoint for telemetry, at an address that containers reach."""

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.received: list[tuple[str, bytes]] = []
        self.news = threading.Condition()

    def wait_for(self, path: str, text: bytes) -> None:
        with self.news:
            assert self.news.wait_for(lambda: any(at == path and text in body for at, body in self.received), 60)


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.news:
            self.server.received.append((self.path, body))
            self.server.news.notify_all()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def unpacked(package: str, sha256: str, folder: Path) -> None:
    """The layer in a package of npm's: the zip that Lambda would get."""
    if not shutil.which("npm"):
        pytest.skip("there is no npm")
    done = subprocess.run(["npm", "pack", "--silent", package], cwd=folder, capture_output=True, text=True, check=True)
    archive = (folder / done.stdout.split()[-1]).read_bytes()
    assert hashlib.sha256(archive).hexdigest() == sha256
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = tar.extractfile("package/extension.zip")
        assert found
        layer = folder / "layers" / "otel"
        with zipfile.ZipFile(io.BytesIO(found.read())) as files:
            files.extractall(layer)
    for program in ("extensions/otel-extension", "otel-extension/index.js"):
        (layer / program).chmod(0o755)


def test_an_extension_of_opentelemetry_ships_what_lambda_tells_it(project: Sandboxed, collector: Collector) -> None:
    unpacked(OTEL, OTEL_SHA256, project.root)
    project.write("traced/index.js", TRACED)
    settings = (
        'language = "nodejs"\nbase = "node-24-slim"\nlayers = ["otel"]\nmemory = 512\ntimeout = 20\n[layers.otel]\n'
    )
    project.write("lambdaimg.toml", f'[project]\nname = "{project.name}"\n[functions.traced]\n{settings}')
    project.run("build")
    urls = [f"SLS_OTEL_REPORT_{kind.upper()}_URL={collector.url}/{kind}" for kind in ("metrics", "traces")]
    done = project.run("invoke", "-d", '{"name": "Ada"}', *(word for url in urls for word in ("--env", url)))
    assert done.stdout == '{"name":"Ada"}'
    assert "EXTENSION\tName: otel-extension\tState: Ready\tEvents: [INVOKE, SHUTDOWN]" in done.stderr
    assert "LOGS\tName: otel-extension\tState: Subscribed\tTypes: [Platform]" in done.stderr
    collector.wait_for("/traces", b"traced")
    collector.wait_for("/metrics", b"faas.billed_duration")  # which it has from platform.report alone


def test_an_extension_within_the_runtime_gives_it_time_at_the_end(project: Sandboxed) -> None:
    """Python's client looks for a signal while it waits only where it knows its Lambda runtime."""
    requirements = {"hello/requirements.txt": "lambda-sigterm==0.1.2\nurllib3==2.5.0\n"}
    python_function(project, INNER, "memory = 256\n", **requirements)
    project.run("build")
    done = project.run("invoke", "-d", '{"a": 1}', "--env", "AWS_EXECUTION_ENV=AWS_Lambda_python3.13")
    assert done.stdout == '{"a": 1}'
    assert "EXTENSION\tName: lambda-sigterm\tState: Ready\tEvents: []" in done.stderr
    assert "it has time to tidy up" in done.stderr
