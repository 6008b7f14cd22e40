"""The image with the emulator in it, run with exactly the constraints of the exported manifest."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml

from lambdaimg.model.rie import INVOKE_PATH
from tests.integration.conftest import Sandboxed, docker, python_function

HANDLER = """
import os

def refused(path):
    try:
        open(path, "w").close()
    except OSError as error:
        return error.strerror

def handler(event, context):
    return {
        "event": event,
        "user": [os.getuid(), os.getgid()],
        "refused": [refused("/tmp/x"), refused("/var/task/x")],
        "greeting": os.environ["GREETING"],
        "memory": context.memory_limit_in_mb,
    }
"""
PATIENCE = 30


def run_arguments(service: dict[str, Any]) -> list[str]:
    """`docker run`'s words for a Service's pod: each constraint from the manifest, none of our own."""
    pod = service["spec"]["template"]["spec"]
    (container,), (volume,) = pod["containers"], pod["volumes"]
    (mounted,), context = container["volumeMounts"], container["securityContext"]
    limits = container["resources"]["limits"]
    assert mounted["name"] == volume["name"]
    size = volume["emptyDir"]["sizeLimit"].replace("Mi", "m")
    return [
        f"--user={context['runAsUser']}:{context['runAsGroup']}",
        *(["--read-only"] if context["readOnlyRootFilesystem"] else []),
        *(["--security-opt=no-new-privileges"] if context["allowPrivilegeEscalation"] is False else []),
        *(f"--cap-drop={capability}" for capability in context["capabilities"]["drop"]),
        f"--tmpfs={mounted['mountPath']}:size={size},mode=1777,exec",
        f"--memory={limits['memory'].replace('Mi', 'm')}",
        f"--cpus={int(limits['cpu'].removesuffix('m')) / 1000}",
        *(f"--env={each['name']}={each['value']}" for each in container["env"]),
        f"--publish=127.0.0.1::{container['ports'][0]['containerPort']}",
        container["image"],
    ]


@pytest.fixture
def service(project: Sandboxed) -> dict[str, Any]:
    python_function(project, HANDLER, 'memory = 512\n[functions.hello.environment]\nGREETING = "hi"\n')
    built = json.loads(project.run("build", "hello", "--with-rie", "--json").stdout)
    assert built[0]["rie"] == f"{project.name}/hello:rie"
    found: dict[str, Any] = yaml.safe_load(project.run("export", "hello", "--format", "knative").stdout)
    return found


@pytest.fixture
def address(project: Sandboxed, service: dict[str, Any]) -> Iterator[str]:
    label = f"--label=lambdaimg.project={project.name}"
    container = docker("run", "--detach", label, *run_arguments(service))
    try:
        yield f"http://{docker('port', container, '8080/tcp')}"
    finally:
        docker("rm", "-f", container)


def ready(address: str) -> None:
    """Something of the container's answers; a TCP connection alone may be the engine's proxy."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            assert requests.get(address, timeout=PATIENCE).status_code == 404
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "nothing listens"
        else:
            return


def test_it_answers_inside_the_manifests_constraints(project: Sandboxed, service: dict[str, Any], address: str) -> None:
    ready(address)
    for event in ({"n": 1}, {"n": 2}):
        answer = requests.post(f"{address}{INVOKE_PATH}", json=event, timeout=PATIENCE)
        assert answer.json() == {
            "event": event,
            "user": [993, 990],
            "refused": [None, "Read-only file system"],
            "greeting": "hi",
            "memory": "512",
        }
    before = docker("image", "inspect", "--format", "{{.Id}}", f"{project.name}/hello:rie")
    assert project.run("build", "--with-rie").stdout.endswith(f"{project.name}/hello:rie  with the emulator\n")
    assert docker("image", "inspect", "--format", "{{.Id}}", f"{project.name}/hello:rie") == before


def test_clean_removes_it_too(project: Sandboxed, service: dict[str, Any]) -> None:
    assert "removed 2 images" in project.run("clean", "--images").stdout
    assert docker("images", "-q", f"{project.name}/hello") == ""
