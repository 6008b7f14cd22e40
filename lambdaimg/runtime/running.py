"""Finding the environment that a `lambdaimg run` keeps, and invoking it through its endpoint."""

import base64
import json
from collections.abc import Callable
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from lambdaimg.engine import labels
from lambdaimg.engine.client import Engine
from lambdaimg.model.errors import EnvironmentFailed
from lambdaimg.model.invocation import Invocation
from lambdaimg.model.project import Function, Project
from lambdaimg.runtime import event_stream

STREAM_PATH: Final = "/2021-11-15/functions/function/response-streaming-invocations"
RESPONSE_TYPE: Final = "X-Lambdaimg-Response-Type"
"""The content type that the function gave its response, which no header of Lambda's tells."""


def find(engine: Engine, project: Project, function: Function) -> str | None:
    """The URL of a function's running environment, if a living `run` of this checkout has one."""
    wanted = {
        labels.PROJECT: project.name,
        labels.PATH: project.path_hash,
        labels.FUNCTION: function.name,
        labels.ENDPOINT: "",
    }
    for container in engine.containers(wanted):
        if container.running and not labels.owner_is_dead(container.labels):
            return container.labels[labels.ENDPOINT]
    return None


def invoke(url: str, event: bytes, begin: Callable[[str], None], write: Callable[[bytes], None]) -> Invocation:
    """One invocation at an endpoint of `run`, its log tail included.

    The response goes to `write` as it comes, after `begin` has its content type; the payload is the error alone.
    Raises EnvironmentFailed when the endpoint refuses or goes away.
    """
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy is not asked for what is on this machine
            headers = {"X-Amz-Log-Type": "Tail"}
            answer = session.post(url + STREAM_PATH, data=event, headers=headers, timeout=1_000, stream=True)
            if answer.status_code != 200:
                raise EnvironmentFailed(f"`lambdaimg run` at {url} answered {answer.status_code}: {answer.text}")
            begin(answer.headers.get(RESPONSE_TYPE, ""))
            for message in event_stream.events(answer.raw.stream()):
                if message.kind == "InvokeComplete":
                    return _completed(message.payload)
                write(message.payload)
    except (requests.RequestException, HTTPError) as error:
        raise EnvironmentFailed(f"`lambdaimg run` at {url} did not answer: {error}") from None
    raise EnvironmentFailed(f"`lambdaimg run` at {url} ended within its answer")


def _completed(payload: bytes) -> Invocation:
    complete = json.loads(payload)
    log = base64.b64decode(complete.get("LogResult", "")).decode("utf-8", "replace")
    return Invocation(
        payload=complete.get("ErrorDetails", "").encode(),
        function_error="ErrorCode" in complete,
        log=tuple(log.splitlines()),
        report=None,
    )
