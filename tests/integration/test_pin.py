"""`base pin`: the digest that a registry has for a base, in the catalog; and a pinned base pulled by it."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lambdaimg import resources
from lambdaimg.catalog import bases
from lambdaimg.engine.client import Engine
from lambdaimg.images.bases import pull
from lambdaimg.images.pin import pin
from lambdaimg.model.errors import RemoteError
from tests.integration.aws_fixtures import listening, registry_program
from tests.integration.conftest import docker

CONFIGURATION = """\
version: 0.1
log: {{level: info}}
http: {{addr: "127.0.0.1:0"}}
storage: {{filesystem: {{rootdirectory: {folder}/storage}}}}
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """The host of a registry without TLS and password, which engines take on this machine's own address."""
    tmp_path.chmod(0o755)
    (tmp_path / "config.yml").write_text(CONFIGURATION.format(folder=tmp_path))
    program = [registry_program(tmp_path), "serve", str(tmp_path / "config.yml")]
    log = tmp_path / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(program, stdout=stream, stderr=stream)
    try:
        yield f"127.0.0.1:{listening(process, log)}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog of the test's own."""
    shutil.copytree(resources.base_images(), tmp_path / "base_images")
    monkeypatch.setattr(resources, "base_images", lambda: tmp_path / "base_images")
    return tmp_path / "base_images"


def test_a_base_is_pinned_and_pulled_by_its_digest(engine: Engine, registry: str, catalog: Path) -> None:
    reference = f"{registry}/base:1"
    docker("tag", "debian:bookworm-slim", reference)
    try:
        docker("push", "-q", reference)
        base = replace(bases.read("debian-bookworm"), reference=reference)
        digest = pin(engine, base)
        lines = (catalog / "debian-bookworm.toml").read_text().splitlines()
        assert lines[1] == f'digest = "{digest}"'
        assert pin(engine, base) == digest
        assert (catalog / "debian-bookworm.toml").read_text().splitlines() == lines, "once more changes nothing"
        docker("tag", "debian:trixie-slim", reference)
        docker("push", "-q", reference)  # the tag moves on
        docker("rmi", reference)
        said: list[str] = []
        pull(engine, reference, "x86_64", "", said.append, digest=digest)
        assert said == [f"pulling {registry}/base@{digest}"]
        pulled, expected = engine.image(reference), engine.image("debian:bookworm-slim")
        assert pulled
        assert expected
        assert pulled.id == expected.id
    finally:
        for name in docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"{registry}/base").split():
            docker("rmi", name.replace(":<none>", f"@{digest}"))


def test_a_registry_that_is_not_there_is_named(engine: Engine, catalog: Path) -> None:
    before = (catalog / "debian-trixie.toml").read_text()
    with pytest.raises(RemoteError, match="debian-trixie: the registry was not asked"):
        pin(engine, replace(bases.read("debian-trixie"), reference="127.0.0.1:1/base:1"))
    assert (catalog / "debian-trixie.toml").read_text() == before
