"""`lambdaimg serve` as a process of a test's own, and the clients that drive it unmodified."""

import base64
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import requests
from botocore.config import Config

from tests.integration.conftest import PATIENCE, Sandboxed, docker, read_until

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}

SOURCE = """
import base64, json, os, time

count = 0

def handler(event, context):
    global count
    count += 1
    if not isinstance(event, dict):
        return event
    if "print" in event:
        print(event["print"], flush=True)
    time.sleep(event.get("sleep", 0))
    if event.get("wait"):
        while not os.path.exists("/tmp/go"):
            time.sleep(0.01)
    if "exit" in event:
        os._exit(event["exit"])
    if event.get("fail"):
        raise ValueError(event["fail"])
    if "big" in event:
        return "x" * event["big"]
    if "body" in event and "return" in event["body"]:
        return json.loads(event["body"])["return"]
    custom = context.client_context.custom if context.client_context else None
    seen = {"count": count, "event": event, "arn": context.invoked_function_arn, "custom": custom}
    seen |= {"id": context.aws_request_id, "tenant": context.tenant_id, "trace": os.environ["_X_AMZN_TRACE_ID"]}
    return {**seen, "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]}
"""
"""Does what the event says: `sleep`, `wait` for a file, `fail`, `exit`, return what is `big`; else what it saw."""


def functions(project: Sandboxed, **settings: str) -> None:
    """Makes the project one of functions by name, all of one source, each with settings of its own; builds them."""
    text = [f'[project]\nname = "{project.name}"\nregion = "{REGION}"\n']
    shared = 'language = "python"\nbase = "debian-trixie"\nsource = "does"\nmemory = 128\n'
    text += [f"[functions.{name}]\n{shared}{own}\n" for name, own in settings.items()]
    project.write("lambdaimg.toml", "".join(text))
    project.write("does/app.py", SOURCE)
    project.run("build")


@dataclass(kw_only=True)
class Serve:
    """A `lambdaimg serve` that runs, and what it has said so far."""

    project: Sandboxed
    process: "subprocess.Popen[str]"
    url: str
    said: list[str] = field(default_factory=list)

    def client(self, service: str = "lambda", **config: Any) -> Any:
        """boto3's, which sees every refusal at once."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=120, **config),
        )

    def post(self, event: object, function: str = "does", **headers: str) -> requests.Response:
        path = f"/2015-03-31/functions/{function}/invocations"
        return requests.post(self.url + path, data=json.dumps(event), headers=headers, timeout=PATIENCE)

    def environments(self, function: str = "does") -> list[str]:
        """The containers of a function that run."""
        labels = {"project": self.project.name, "function": function, "role": "environment"}
        return docker("ps", "-q", *(f"--filter=label=lambdaimg.{key}={value}" for key, value in labels.items())).split()

    def let_go(self, function: str = "does") -> None:
        """Ends the waiting in all environments of a function, for good."""
        for container in self.environments(function):
            subprocess.run(["docker", "exec", container, "touch", "/tmp/go"], capture_output=True, check=False)

    def hears(self, text: str, times: int = 1) -> None:
        """Returns as soon as so many lines of its log hold a text."""
        until(lambda: sum(text in line for line in self.said) >= times, f"{text!r} in its log")

    def read(self) -> None:
        for line in self.process.stderr or ():
            self.said.append(line.rstrip("\n"))


def until(holds: Callable[[], object], what: str, within: float = 60) -> None:
    """Returns as soon as something holds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"it did not come to {what}"
        time.sleep(0.02)


@contextmanager
def serve(project: Sandboxed, *arguments: str, **environment: str) -> Iterator[Serve]:
    """`lambdaimg serve` on a free port, interrupted at the end."""
    process = project.start("serve", *arguments, "--port", "0", **CREDENTIALS, **environment)
    said: list[str] = []
    try:
        served = Serve(project=project, process=process, url="", said=said)
        reader = threading.Thread(target=served.read, daemon=True)
        reader.start()
        served.url = read_until(process.stdout, "is served at").split()[-1]
        yield served
    finally:
        end(process)
        reader.join()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def end(process: "subprocess.Popen[str]", number: int = signal.SIGINT) -> int:
    """Sends a signal, where it still runs, and returns the exit code."""
    if process.poll() is None:
        process.send_signal(number)
    return process.wait(timeout=60)


def log_of(answer: dict[str, Any]) -> str:
    return base64.b64decode(answer["LogResult"]).decode()
