"""A breakpoint stops the function: through the debug adapter protocol, and through Node.js' inspector."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from tests.integration.conftest import Sandboxed, interrupt, make_project, python_function, read_until, serving

SOURCE = 'def handler(event, context):\n    name = event["name"]\n    return f"Hello, {name}"\n'
NODE = "export const handler = async (event) => {\n  const name = event.name;\n  return `Hello, ${name}`;\n};\n"
EVENT = '{"name": "Ada"}'


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Adapter:
    """A client of the debug adapter protocol."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._file = self._socket.makefile("rb")
        self._number = 0

    def send(self, command: str, **arguments: Any) -> None:
        self._number += 1
        message = {"seq": self._number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def until(self, **wanted: Any) -> Any:
        """Reads on to the message with these keys."""
        while True:
            header = self._file.readline()
            assert header, "the debugger has gone away"
            self._file.readline()
            message = json.loads(self._file.read(int(header.split()[1])))
            if wanted.items() <= message.items():
                return message

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    for project in make_project(tmp_path_factory.mktemp("debug") / "project"):
        python_function(project, SOURCE, "timeout = 1\n")
        project.run("build")
        yield project


def test_a_breakpoint_stops_python_before_its_first_event(python: Sandboxed) -> None:
    port = free_port()
    process = python.start("invoke", "-d", EVENT, "--debug-port", str(port))
    settings = json.loads(read_until(process.stderr, '"pathMappings"'))
    assert settings["connect"] == {"host": "127.0.0.1", "port": port}
    adapter = connected(port, process.poll)
    adapter.send("initialize", adapterID="test", pathFormat="path")
    adapter.until(command="initialize", success=True)
    adapter.send("attach", pathMappings=settings["pathMappings"], justMyCode=False)
    adapter.until(event="initialized")
    adapter.send("setBreakpoints", source={"path": "${workspaceFolder}/hello/app.py"}, breakpoints=[{"line": 3}])
    adapter.send("configurationDone")
    stopped = adapter.until(event="stopped")["body"]
    assert stopped["reason"] == "breakpoint"
    adapter.send("stackTrace", threadId=stopped["threadId"])
    frame = adapter.until(command="stackTrace", success=True)["body"]["stackFrames"][0]
    adapter.send("evaluate", expression="name", frameId=frame["id"])
    assert adapter.until(command="evaluate", success=True)["body"]["result"] == "'Ada'"
    adapter.send("continue", threadId=stopped["threadId"])
    out, err = process.communicate(timeout=60)
    adapter.close()
    assert (out, process.returncode) == ('"Hello, Ada"', 0), err


def connected(port: int, ended: Any) -> Adapter:
    """The debugger listens once its container has started; before, the engine may take a connection and drop it."""
    while ended() is None:
        time.sleep(0.05)  # between two attempts
        with contextlib.suppress(OSError):
            adapter = Adapter(port)
            try:
                adapter.until(event="output")
                return adapter
            except (OSError, AssertionError):
                adapter.close()
    raise AssertionError("the command has ended")


def test_a_breakpoint_stops_nodejs(tmp_path_factory: pytest.TempPathFactory) -> None:
    for project in make_project(tmp_path_factory.mktemp("debug-node") / "project"):
        project.write("named/index.mjs", NODE)
        text = '[functions.own]\nlanguage = "nodejs"\nsource = "named"\nbase = "node-24-slim"\nmemory = 256\n'
        project.write("lambdaimg.toml", f'[project]\nname = "{project.name}"\n{text}timeout = 1\n')
        project.run("build")
        port = free_port()
        with serving(project, "--debug-port", str(port)) as served:
            answer = asyncio.run(stopped_and_let_go(port, served.url))
            assert answer == "Hello, Ada"
            interrupt(served.process)


async def stopped_and_let_go(port: int, url: str) -> Any:
    async with aiohttp.ClientSession() as client:
        async with client.get(f"http://127.0.0.1:{port}/json") as found:
            target = (await found.json())[0]["webSocketDebuggerUrl"]
        async with client.ws_connect(target.replace("localhost", "127.0.0.1")) as inspector:
            await inspector.send_json({"id": 1, "method": "Debugger.enable"})
            place = {"lineNumber": 2, "urlRegex": ".*/var/task/index.mjs"}
            await inspector.send_json({"id": 2, "method": "Debugger.setBreakpointByUrl", "params": place})
            while (await inspector.receive_json()).get("id") != 2:
                pass
            path = "/2015-03-31/functions/function/invocations"
            posted = asyncio.ensure_future(client.post(url + path, data=EVENT))
            while (message := await inspector.receive_json()).get("method") != "Debugger.paused":
                pass
            assert message["params"]["callFrames"][0]["functionName"] == "handler"
            await inspector.send_json({"id": 3, "method": "Debugger.resume"})
            async with await posted as answer:
                return await answer.json()
