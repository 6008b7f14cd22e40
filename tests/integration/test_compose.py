"""The rendered compose file alone serves both functions: plain `docker compose up --build`, no lambdaimg."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pytest_docker.plugin import Services

from lambdaimg.model.rie import INVOKE_PATH, PORT
from tests.integration.conftest import Sandboxed, docker, make_project


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    yield from make_project(tmp_path_factory.mktemp("compose") / "project")


@pytest.fixture(scope="session")
def docker_compose_project_name(both: Sandboxed) -> str:
    return both.name


@pytest.fixture(scope="session")
def docker_compose_file(both: Sandboxed) -> list[str]:
    """The rendered file; ports of the engine's choice, so that two runs at once don't collide."""
    both.run("render")
    ports = f'["127.0.0.1::{PORT}"]'
    services = "".join(f"  {name}: {{ports: !override {ports}}}\n" for name in ("hello", "named"))
    both.write("ports.yaml", f"services:\n{services}")
    return [str(both.root / ".lambdaimg" / "compose.yaml"), str(both.root / "ports.yaml")]


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    return ["up --build --detach --wait"]  # waits for the health checks, which invoke nothing


@pytest.fixture(scope="session")
def docker_cleanup() -> list[str]:
    return ["down --volumes --timeout 3"]


def invoke(services: Services, name: str, event: object) -> object:
    port = services.port_for(name, PORT)
    return requests.post(f"http://127.0.0.1:{port}{INVOKE_PATH}", json=event, timeout=30).json()


def test_both_functions_answer(docker_services: Services) -> None:
    assert invoke(docker_services, "hello", {"name": "Ada"}) == {"message": "Hello, Ada", "requests": "2.34.2"}
    assert invoke(docker_services, "named", {"name": "Ada"}) == {
        "message": "Hello, Ada",
        "id": "3f04992b-15d0-5981-b58c-6c343bcb1745",
    }


def test_they_run_in_lambdas_sandbox(docker_services: Services, both: Sandboxed) -> None:
    container = docker("ps", "-q", "--filter", f"label=com.docker.compose.project={both.name}").split()[0]
    facts = docker(
        *("inspect", container, "--format"),
        "{{.HostConfig.ReadonlyRootfs}} {{.Config.User}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} "
        "{{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.PidsLimit}} {{.HostConfig.CpuQuota}}",
    )
    memory = 256 * 1024 * 1024
    assert facts == f"true 993:990 {memory} {memory} [ALL] [no-new-privileges:true] 1024 2894"


def test_a_missing_emulator_is_not_made_a_folder(both: Sandboxed, docker_services: Services, tmp_path: Path) -> None:
    compose = ["docker", "compose", "-p", f"{both.name}-x", "-f", str(both.root / ".lambdaimg" / "compose.yaml")]
    environment = {**os.environ, "HOME": str(tmp_path), "DOCKER_CONFIG": str(Path.home() / ".docker")}
    done = subprocess.run([*compose, "create", "hello"], env=environment, capture_output=True, text=True, check=False)
    subprocess.run([*compose, "down"], env=environment, capture_output=True, check=False)
    assert done.returncode != 0
    assert "bind source path does not exist" in done.stderr
    assert not (tmp_path / ".aws-lambda-rie").exists()
