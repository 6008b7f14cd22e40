"""Zips of real builds: what is in them, that they come out the same, and their way to S3."""

import json
import shutil
import zipfile
from pathlib import Path

import markupsafe._speedups
import pytest

from lambdaimg.cli.main import run
from tests.integration.aws_fixtures import REGION, Aws, aws, aws_server, registry
from tests.integration.conftest import Sandboxed

__all__ = ["aws", "aws_server", "registry"]

HEAD = f'[project]\nname = "shop"\nregion = "{REGION}"\n'
PYTHON = '[functions.hello]\nlanguage = "python"\nbase = "debian-trixie"\n'
NODEJS = '[functions.named]\nlanguage = "nodejs"\nbase = "node-24-slim"\n'


def names(file: str) -> set[str]:
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_a_zip_has_code_and_dependencies_and_comes_out_the_same_elsewhere(project: Sandboxed, tmp_path: Path) -> None:
    project.write("lambdaimg.toml", f'{HEAD}{PYTHON}layers = ["common"]\n{NODEJS}[layers.common]\n')
    project.write("hello/requirements.txt", "requests==2.32.5\nmarkupsafe==3.0.3\n")
    project.write("layers/common/python/shared.py", "SHARED = 1\n")
    rows = {row["name"]: row for row in json.loads(project.run("package", "--json").stdout)}
    assert {name: row["runtime"] for name, row in rows.items()} == {
        "hello": "python3.13",
        "named": "nodejs24.x",
        "layer-common": "",
    }
    python = names(rows["hello"]["file"])
    assert {"app.py", "requests/__init__.py"} <= python
    assert any(name.startswith("markupsafe/_speedups.") for name in python)
    assert not any(name.startswith(("awslambdaric", "task/")) or "__pycache__" in name for name in python)
    nodejs = names(rows["named"]["file"])
    assert {"index.mjs", "node_modules/uuid/package.json"} <= nodejs
    assert not any("aws-lambda-ric" in name for name in nodejs)
    assert names(rows["layer-common"]["file"]) == {"python/shared.py"}

    shutil.copytree(project.root, tmp_path / "copy", ignore=shutil.ignore_patterns(".lambdaimg"))
    copy = Sandboxed(root=tmp_path / "copy", name=project.name)
    for row in json.loads(copy.run("package", "--json", "-o", str(tmp_path / "zips")).stdout):
        assert Path(row["file"]).read_bytes() == Path(rows[row["name"]]["file"]).read_bytes()


def test_a_zip_goes_to_the_functions_own_region(project: Sandboxed, aws: Aws) -> None:
    project.write("lambdaimg.toml", HEAD + PYTHON)
    (project.root / "hello" / "requirements.txt").unlink()
    for bucket, region in (("here", REGION), ("there", "eu-central-1")):
        place = {"LocationConstraint": region}
        aws.client("s3", region).create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    done = project.run("package", "--s3", "here", "--endpoint-url", aws.url)
    assert "uploading" in done.stderr
    address = done.stdout.split()[0]
    key = address.removeprefix("s3://here/")
    found = aws.client("s3").get_object(Bucket="here", Key=key)["Body"].read()
    assert found == (project.root / ".lambdaimg" / "package" / "hello.zip").read_bytes()
    again = project.run("package", "--s3", "here", "--endpoint-url", aws.url)
    assert (again.stdout.split()[0], "uploading" in again.stderr) == (address, False)
    project.write("hello/app.py", "def handler(event, context):\n    return 2\n")
    assert project.run("package", "--s3", "here", "--endpoint-url", aws.url).stdout.split()[0] != address
    refused = project.run("package", "--s3", "there", "--endpoint-url", aws.url, code=2)
    assert f"the bucket there is in eu-central-1, the functions in {REGION}" in refused.stderr


def test_what_lambdas_runtime_can_t_run_is_refused_by_name(
    project: Sandboxed, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    project.write("lambdaimg.toml", f'{HEAD}{PYTHON}packages = ["tzdata"]\n')
    (project.root / "hello" / "requirements.txt").unlink()
    library = Path(str(markupsafe._speedups.__file__)).read_bytes()
    (project.root / "hello" / "own.so").write_bytes(library.replace(b"GLIBC_2.", b"GLIBC_9."))
    refused = project.run("package", code=4)
    assert "own.so needs glibc 9." in refused.stderr
    assert "OS packages are in images alone; its zip is without tzdata" in refused.stderr
    project.write("lambdaimg.toml", HEAD + PYTHON)
    (project.root / "hello" / "own.so").unlink()
    monkeypatch.setattr("lambdaimg.model.quotas.ZIP_BYTES", 10)
    assert run(["-C", str(project.root), "package"]) == 0
    assert "use --s3 BUCKET" in capfd.readouterr().err
    monkeypatch.setattr("lambdaimg.model.quotas.UNZIPPED_BYTES", 10)
    assert run(["-C", str(project.root), "package"]) == 4
    assert "The largest: app.py" in capfd.readouterr().err
