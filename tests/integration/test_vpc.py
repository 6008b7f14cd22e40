"""A function's place on the network, seen from inside: outside a VPC, inside one with a NAT gateway, and without."""

import json
import secrets
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from lambdaimg.images.bootstrap import debian_mirror
from tests.integration.conftest import Sandboxed, docker, make_project, python_function

SOURCE = """
import socket

def handler(event, context):
    return {"reached": reached(event["outside"]), "name": name_of(event["name"])}

def reached(address):
    try:
        with socket.create_connection(address, timeout=5):
            return True
    except OSError:
        return False

def name_of(name):
    try:
        return socket.gethostbyname(name)
    except OSError:
        return "unknown"
"""


def outside() -> tuple[str, int]:
    """An address beyond this machine: the package mirror's, from which the base images are made."""
    mirror = urlsplit(debian_mirror())
    assert mirror.hostname
    return socket.gethostbyname(mirror.hostname), mirror.port or 80


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    """A network of the engine, with a container on it that is called `database`."""
    name = f"test-{secrets.token_hex(4)}"
    docker("network", "create", name)
    container = docker(
        "run", "-d", "--network", name, "--network-alias", "database", "python:3.13-slim", "sleep", "600"
    )
    yield name
    docker("rm", "-f", container)
    docker("network", "rm", name)


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory, network: str) -> Iterator[Sandboxed]:
    for project in make_project(tmp_path_factory.mktemp("vpc") / "project"):
        python_function(project, SOURCE)
        project.run("build")
        image = f'image = "{project.image()}"\ntimeout = 30\n'
        project.write(
            "lambdaimg.toml",
            f'[project]\nname = "{project.name}"\n'
            f"[functions.outside]\n{image}"
            f"[functions.inside]\n{image}vpc = {{ nat = true }}\n"
            f"[functions.closed]\n{image}vpc = {{ nat = false }}\n"
            f'[functions.joined]\n{image}vpc = {{ network = "{network}" }}\n'
            f'[functions.lost]\n{image}vpc = {{ network = "no-such-network" }}\n',
        )
        yield project


@pytest.mark.parametrize(
    ("function", "leads_out", "knows_database"),
    [("outside", True, False), ("inside", True, False), ("closed", False, False), ("joined", True, True)],
)
def test_what_a_function_reaches(functions: Sandboxed, function: str, leads_out: bool, knows_database: bool) -> None:
    event = json.dumps({"outside": outside(), "name": "database"})
    found = json.loads(functions.run("invoke", function, "-d", event).stdout)
    assert found["reached"] is leads_out
    assert (found["name"] != "unknown") is knows_database
    assert docker("network", "ls", "-q", "--filter", f"label=lambdaimg.project={functions.name}") == ""


def test_a_network_that_is_not_there_is_named(functions: Sandboxed) -> None:
    said = functions.run("invoke", "lost", code=2).stderr
    assert "the engine has no network 'no-such-network', which vpc.network names" in said


def test_the_rie_is_not_reached_where_nothing_leads_in(functions: Sandboxed) -> None:
    assert "leave --rie" in functions.run("invoke", "closed", "--rie", code=2).stderr
    event = json.dumps({"outside": outside(), "name": "database"})
    assert json.loads(functions.run("invoke", "inside", "--rie", "-d", event).stdout)["reached"]
