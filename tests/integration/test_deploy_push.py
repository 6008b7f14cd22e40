"""Pushing to a real registry with TLS and a password, which ECR's API (moto's) gives a token for."""

import base64
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lambdaimg.cli.main import run
from tests.integration.aws_fixtures import REGION, TOKEN, Aws, Registry, aws, aws_server, registry
from tests.integration.conftest import Sandboxed, docker, python_function

__all__ = ["aws", "aws_server", "registry"]
ANSWERS = "def handler(event, context):\n    return {answer}\n"


@pytest.fixture
def built(project: Sandboxed) -> Sandboxed:
    python_function(project, ANSWERS.format(answer=1))
    text = (project.root / "lambdaimg.toml").read_text()
    project.write("lambdaimg.toml", text.replace("[functions", f'region = "{REGION}"\n[functions'))
    project.run("build")
    return project


def tag_of(project: Sandboxed) -> str:
    return "hello-" + docker("image", "inspect", "--format", "{{.Id}}", project.image())[7:19]


def test_a_push_makes_the_repository_and_prints_the_digest(built: Sandboxed, aws: Aws, registry: Registry) -> None:
    done = built.run("push", "--endpoint-url", aws.url)
    tag = tag_of(built)
    assert registry.tags(built.name) == [tag]
    digest = registry.digest(built.name, tag)
    assert done.stdout == f"{registry.host}/{built.name}@{digest}\n"
    (found,) = aws.client("ecr").describe_repositories()["repositories"]
    assert (found["imageTagMutability"], found["imageScanningConfiguration"]) == ("IMMUTABLE", {"scanOnPush": True})
    policy = json.loads(aws.client("ecr").get_repository_policy(repositoryName=built.name)["policyText"])
    assert policy["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert "untagged" in aws.client("ecr").get_lifecycle_policy(repositoryName=built.name)["lifecyclePolicyText"]
    assert registry.host not in docker("images", "--format", "{{.Repository}}")

    again = json.loads(built.run("push", "--json", "--endpoint-url", aws.url).stdout)
    assert [(row["tag"], row["digest"]) for row in again] == [(tag, digest)]
    built.write("hello/app.py", ANSWERS.format(answer=2))
    pushed = json.loads(built.run("build", "--push", "--json", AWS_ENDPOINT_URL=aws.url).stdout)
    assert pushed[0]["pushed"] != f"{registry.host}/{built.name}@{digest}"
    assert sorted(registry.tags(built.name)) == sorted([tag, tag_of(built)])


def test_what_is_there_is_not_pushed_again(built: Sandboxed, aws: Aws) -> None:
    client = aws.client("ecr")
    client.create_repository(repositoryName=built.name)
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": "sha256:" + "0" * 64}, "layers": []})
    client.put_image(
        repositoryName=built.name,
        imageManifest=manifest,
        imageManifestMediaType="application/vnd.docker.distribution.manifest.v2+json",
        imageTag=tag_of(built),
    )
    done = built.run("push", "--endpoint-url", aws.url)
    assert "pushing" not in done.stderr
    assert "@sha256:" in done.stdout


def test_the_token_is_in_no_file_and_no_process_list(
    built: Sandboxed, aws: Aws, registry: Registry, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    process = built.start("push", "--endpoint-url", aws.url, HOME=str(home), TMPDIR=str(home))
    words = (TOKEN.encode(), base64.b64encode(f"AWS:{TOKEN}".encode()))
    while process.poll() is None:
        for entry in Path("/proc").glob("[0-9]*"):
            assert not any(word in seen(entry / "cmdline") for word in words)
        time.sleep(0.01)
    process.communicate()
    assert process.returncode == 0
    assert registry.tags(built.name)
    for folder in (home, built.root):
        for file in folder.rglob("*"):
            assert not (file.is_file() and any(word in file.read_bytes() for word in words)), file


def seen(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # the process has ended
        return b""


def test_another_registry_takes_the_docker_programs_login(built: Sandboxed, registry: Registry, tmp_path: Path) -> None:
    refused = built.run("push", "--registry", registry.host, code=6, DOCKER_CONFIG=str(tmp_path))
    assert f"did not take {registry.host}/{built.name}:{tag_of(built)}" in refused.stderr
    assert f"docker login {registry.host}" in refused.stderr
    login = {"auth": base64.b64encode(f"AWS:{TOKEN}".encode()).decode()}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.host: login}}))
    done = built.run("push", "--registry", registry.host, DOCKER_CONFIG=str(tmp_path))
    assert done.stdout.startswith(f"{registry.host}/{built.name}@sha256:")
    assert registry.host not in docker("images", "--format", "{{.Repository}}")


def test_what_cant_be_pushed_is_refused(
    built: Sandboxed, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    nobody = built.run("push", "--registry", "127.0.0.1:1", code=6)
    assert "check the registry's name, and that the engine reaches it" in nobody.stderr
    emulated = built.run("push", "--registry", "127.0.0.1:1", "--with-rie", code=2)
    assert "lambdaimg build hello --with-rie" in emulated.stderr
    monkeypatch.setattr("lambdaimg.model.quotas.IMAGE_BYTES", 1_000_000)
    assert run(["-C", str(built.root), "push", "--registry", "127.0.0.1:1"]) == 4
    assert "GB uncompressed; Lambda takes" in capfd.readouterr().err


def test_without_boto3_the_line_to_install_it_is_given(built: Sandboxed) -> None:
    code = "import sys; sys.modules['boto3'] = None; from lambdaimg.cli.main import run; sys.exit(run(['push']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=built.root, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'lambdaimg[aws]'" in done.stderr
