"""A registry and an AWS of the tests' own: Debian's docker-registry with TLS and a password, and moto's server."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
import trustme

from tests.integration.conftest import ROOT, Sandboxed

TOKEN = "s3cr3t-registry-token"
HTPASSWD = "AWS:$2y$05$abcdefghijklmnopqrstuu1UWbkDN3qalNURgwhM2y7/WgUFBXGry\n"
REGION = "eu-west-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

CONFIGURATION = """\
version: 0.1
log: {{level: info, formatter: text}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http:
  addr: 127.0.0.1:0
  tls: {{certificate: {folder}/server.pem, key: {folder}/server.key}}
auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}
"""


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A running registry, and the CA that it is known by."""

    host: str
    ca: Path

    def get(self, path: str, **headers: str) -> requests.Response:
        url = f"https://{self.host}/v2/{path}"
        return requests.get(url, auth=("AWS", TOKEN), headers=headers, verify=str(self.ca), timeout=30)

    def tags(self, repository: str) -> list[str]:
        return list(self.get(f"{repository}/tags/list").json().get("tags") or [])

    def digest(self, repository: str, tag: str) -> str:
        accepted = "application/vnd.docker.distribution.manifest.v2+json"
        return self.get(f"{repository}/manifests/{tag}", Accept=accepted).headers["Docker-Content-Digest"]


def registry_program(folder: Path) -> str:
    """Debian's docker-registry: the installed one, or the package's, unpacked."""
    if found := shutil.which("docker-registry"):
        return found
    done = subprocess.run(["apt-get", "download", "docker-registry"], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        (pytest.fail if os.environ.get("LAMBDAIMG_REQUIRE_ENGINE") else pytest.skip)("there is no docker-registry")
    (package,) = folder.glob("docker-registry_*.deb")
    subprocess.run(["dpkg", "-x", str(package), str(folder / "root")], check=True)
    return str(folder / "root" / "usr" / "bin" / "docker-registry")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("registry")
    folder.chmod(0o755)  # apt's own user reads it
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    server = ca.issue_cert("127.0.0.1")
    server.private_key_pem.write_to_path(folder / "server.key")
    for certificate in server.cert_chain_pems:
        certificate.write_to_path(folder / "server.pem", append=True)
    (folder / "htpasswd").write_text(HTPASSWD)
    (folder / "config.yml").write_text(CONFIGURATION.format(folder=folder))
    program = [registry_program(folder), "serve", str(folder / "config.yml")]
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(program, stdout=stream, stderr=stream)
    try:
        yield Registry(host=f"127.0.0.1:{listening(process, log)}", ca=folder / "ca.pem")
    finally:
        process.terminate()
        process.wait()


def listening(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """The port that the registry chose, as soon as it has said so."""
    while process.poll() is None:
        if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", log.read_text()):
            return found[1]
    pytest.fail(f"the registry ended:\n{log.read_text()}")


@dataclass(frozen=True, kw_only=True)
class Aws:
    """moto's server, and clients of it."""

    url: str

    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@pytest.fixture(scope="session")
def aws_server(registry: Registry) -> Iterator[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "LAMBDAIMG_TEST_REGISTRY": registry.host,
        "LAMBDAIMG_TEST_TOKEN": TOKEN,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.aws_server"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


@pytest.fixture
def aws(aws_server: str, project: Sandboxed) -> Aws:
    """An AWS with nothing in it, which the project's commands reach with `--endpoint-url`."""
    requests.post(f"{aws_server}/moto-api/reset", timeout=30).raise_for_status()
    requests.post(
        f"{aws_server}/moto-api/config", json={"lambda": {"use_docker": False}}, timeout=30
    ).raise_for_status()
    project.environment |= CREDENTIALS
    return Aws(url=aws_server)
