"""Finding the environment that a `lambdaimg run` keeps, and invoking it through its endpoint."""

import base64

import requests

from lambdaimg.engine import labels
from lambdaimg.engine.client import Engine
from lambdaimg.model.errors import EnvironmentFailed
from lambdaimg.model.invocation import Invocation
from lambdaimg.model.project import Function, Project
from lambdaimg.model.rie import INVOKE_PATH


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


def invoke(url: str, event: bytes) -> Invocation:
    """One invocation at an endpoint of `run`, its log tail included.

    Raises EnvironmentFailed when it refuses or goes away.
    """
    with requests.Session() as session:
        session.trust_env = False  # a proxy is not asked for what is on this machine
        try:
            answer = session.post(url + INVOKE_PATH, data=event, headers={"X-Amz-Log-Type": "Tail"}, timeout=1_000)
        except requests.RequestException as error:
            raise EnvironmentFailed(f"`lambdaimg run` at {url} did not answer: {error}") from None
    if answer.status_code != 200:
        raise EnvironmentFailed(f"`lambdaimg run` at {url} answered {answer.status_code}: {answer.text}")
    log = base64.b64decode(answer.headers.get("X-Amz-Log-Result", "")).decode("utf-8", "replace")
    return Invocation(
        payload=answer.content,
        function_error="X-Amz-Function-Error" in answer.headers,
        log=tuple(log.splitlines()),
        report=None,
    )
