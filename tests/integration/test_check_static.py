"""The static rules on real images: each fires on the image that breaks it, and not on the mended one."""

import json
import os
import secrets
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from backports.zstd import compress

from lambdaimg.check.static import inspect
from lambdaimg.engine.client import Engine
from lambdaimg.images.rules.catalog import STATIC_RULES
from lambdaimg.images.rules.rule import Needs, Subject, Wanted
from lambdaimg.model.errors import RemoteError
from lambdaimg.model.settings import host_architecture
from tests.integration import check_images
from tests.integration.aws_fixtures import registry_program
from tests.integration.conftest import OURS, Sandboxed, docker
from tests.integration.oci_layouts import GZIP, INDEX, Layout, tar

RULES = {rule.id: rule for rule in STATIC_RULES}
SCRIPT = tar({"bootstrap": b"#!/bin/sh\ncurl $AWS_LAMBDA_RUNTIME_API\n"})


def no_engine() -> Engine:
    raise AssertionError("the engine was asked")


def fires(rule: str, reference: str, connect: Callable[[], Engine] = no_engine) -> bool:
    image = inspect(reference, connect, "")
    subject = Subject(image=image, wanted=Wanted(architecture=host_architecture()), today=date(2026, 11, 24))
    return any(RULES[rule].find(subject) or ())


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """All pairs, built: what their images' names begin with."""
    prefix = f"{OURS}-check-{secrets.token_hex(3)}"
    try:
        check_images.build_all(prefix, tmp_path_factory.mktemp("pairs"))
        yield prefix
    finally:  # by name: another session's images may have the same ids
        names = docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"{prefix}/*").split()
        subprocess.run(["docker", "rmi", *names], capture_output=True, check=False)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("rule", check_images.PAIRS)
def test_a_rule_fires_on_the_failing_image_alone(engine: Engine, pairs: str, rule: str) -> None:
    found = [fires(rule, check_images.name(pairs, f"{rule}-{which}"), lambda: engine) for which in (0, 1)]
    assert found == [True, False]


def windows(layout: Layout) -> None:
    layout.image(SCRIPT, os="windows")


def index_with_attestation(layout: Layout) -> None:
    """As BuildKit makes it by default."""
    image = layout.image(SCRIPT)
    layout.manifest(INDEX, {"manifests": [_for("linux", "amd64", image), _attestation(layout, image["digest"])]})


def _attestation(layout: Layout, digest: str) -> dict[str, object]:
    statement = layout.blob("application/vnd.in-toto+json", b'{"_type": "https://in-toto.io/Statement/v0.1"}')
    config = layout.blob("application/vnd.oci.image.config.v1+json", b'{"architecture": "unknown", "os": "unknown"}')
    manifest = layout.manifest("application/vnd.oci.image.manifest.v1+json", {"config": config, "layers": [statement]})
    annotations = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest}
    return _for("unknown", "unknown", manifest) | {"annotations": annotations}


def _for(os: str, architecture: str, descriptor: dict[str, object]) -> dict[str, object]:
    return {**descriptor, "platform": {"os": os, "architecture": architecture}}


def eleven_gigabytes(layout: Layout) -> None:
    """A file with a hole, which a layer carries in a few bytes (GNU tar's sparse format 1.0)."""
    headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "big",
               "GNU.sparse.realsize": str(11 * 1024**3)}  # fmt: skip
    layout.image(_sparse(headers))


def _sparse(headers: dict[str, str]) -> bytes:
    import io

    content = b"0\n".ljust(512, b"\0")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("GNUSparseFile.0/big")
        entry.size, entry.pax_headers = len(content), headers
        archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def zstd(layout: Layout) -> None:
    layout.image(SCRIPT, pack=compress, layer_type=GZIP.replace("gzip", "zstd"))


BY_HAND: dict[str, Callable[[Layout], object]] = {
    "LI001": eleven_gigabytes,
    "LI003": index_with_attestation,
    "LI004": lambda layout: layout.image(SCRIPT, config_type="application/vnd.example.config.v1+json"),
    "LI005": zstd,
    "LI006": lambda layout: layout.image(SCRIPT, annotations={"note": "x" * 26_000}),
    "LI008": windows,
}


@pytest.mark.parametrize("rule", BY_HAND)
def test_an_archive_shows_what_the_engine_does_not(rule: str, tmp_path: Path) -> None:
    failing, mended = Layout(), Layout()
    BY_HAND[rule](failing)
    mended.image(SCRIPT)
    assert fires(rule, failing.write(tmp_path / "failing.tar"))
    assert not fires(rule, mended.write(tmp_path / "mended.tar"))


def test_every_rule_has_a_pair() -> None:
    assert {*check_images.PAIRS, *BY_HAND} == RULES.keys()


def test_the_client_is_found_in_every_kind_of_layer(tmp_path: Path) -> None:
    for number, make in enumerate((zstd, index_with_attestation)):
        layout = Layout()
        make(layout)
        assert not fires("LI020", layout.write(tmp_path / f"{number}.tar"))


def test_an_index_with_an_attestation_in_a_registry(registry: str, project: Sandboxed) -> None:
    failing, mended = Layout(), Layout()
    index_with_attestation(failing)
    mended.image(SCRIPT)
    done = project.run("check", "--select", "LI003", "--image", failing.push(registry, "shop/failing"), code=4)
    assert "an index of x86_64, an attestation" in done.stdout
    assert "--provenance=false" in done.stdout
    project.run("check", "--select", "LI003", "--image", mended.push(registry, "shop/mended"))
    missing = project.run("check", "--image", f"registry:{registry}/shop/none:latest", code=6)
    assert "answers 404" in missing.stderr


def test_what_is_known_of_a_layer_is_not_read_again(tmp_path: Path) -> None:
    """The second archive has the first one's manifest, and not its layer."""
    layout = Layout()
    layout.image(SCRIPT)
    assert not fires("LI020", layout.write(tmp_path / "whole.tar"))
    manifest = json.loads(layout.manifests[-1][1])
    del layout.blobs[manifest["layers"][0]["digest"]]
    assert not fires("LI020", layout.write(tmp_path / "without.tar"))


def test_a_large_image_is_read_in_little_memory(tmp_path: Path) -> None:
    script = (
        "import re, sys\nfrom lambdaimg.cli.main import run\n"
        "run(['check', '--json', '--no-run', '--image', 'node:24-slim'])\n"  # getrusage's peak is the parent's too
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1], file=sys.stderr)"
    )
    cold = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300, cwd=tmp_path, env=cold
    )
    assert int(done.stderr.splitlines()[-1]) <= 150 * 1024
    assert json.loads(done.stdout)[0]["name"] == "node:24-slim"


def test_no_false_alarm_on_the_images_of_the_templates(project: Sandboxed, tmp_path: Path) -> None:
    done = project.run("build")
    assert "LI0" not in done.stderr
    verdicts = json.loads(
        project.run("check", "--json", "--ignore", "LI1", XDG_CACHE_HOME=str(tmp_path / "cache")).stdout
    )
    assert [verdict["name"] for verdict in verdicts] == ["hello", "named"]
    for verdict in verdicts:
        raised = [row for row in verdict["rules"] if row["state"] not in ("pass", "not visible here")]
        assert raised == []
        hidden = [row["id"] for row in verdict["rules"] if row["state"] == "not visible here"]
        assert hidden == [rule.id for rule in STATIC_RULES if rule.needs is Needs.MANIFEST]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry of this test's own, on the loopback: its host and port."""
    config = tmp_path / "registry.yml"
    config.write_text(
        "version: 0.1\nlog: {level: info}\nhttp: {addr: '127.0.0.1:0'}\n"
        f"storage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}\n"
    )
    with subprocess.Popen(
        [registry_program(tmp_path), "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        listening = next(line for line in process.stderr if "listening on" in line)
        yield listening.partition("listening on ")[2].split('"')[0].strip()
        process.kill()


def test_a_registry_that_is_not_there() -> None:
    with pytest.raises(RemoteError, match="can't be reached"):
        inspect("registry:127.0.0.1:1/x:latest", no_engine, "")
