"""Installed as a wheel, and editable, outside the checkout: the data files are found, and a project answers."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import OURS, PATIENCE, ROOT

RESOURCES = "from lambdaimg import resources as r; print(r.templates()); print(r.base_images())"


def run(*arguments: str | Path, folder: Path, code: int = 0) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, ROOT, folder=folder)
    [found] = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment that holds the wheel, and what it depends on, alone."""
    folder = tmp_path_factory.mktemp("empty")
    pins = re.findall(r"^\S+==\S+", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    (folder / "pins.txt").write_text("\n".join(pins))
    run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
    pip = folder / "venv" / "bin" / "pip"
    run(pip, "--disable-pip-version-check", "install", "-q", "-c", folder / "pins.txt", wheel, folder=folder)
    return folder / "venv" / "bin"


def test_a_project_is_made_built_and_run_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    name = f"{OURS}-wheel"
    command = [str(installed / "lambdaimg"), "-C", str(tmp_path / name)]
    run(installed / "lambdaimg", "init", tmp_path / name, "--language", "python", folder=tmp_path)
    try:
        assert f"{name}/hello:latest" in run(*command, "build", folder=tmp_path)
        answer = run(*command, "invoke", "--rie", "-e", "events/hello.json", folder=tmp_path)
        assert "Hello" in json.dumps(json.loads(answer))
        assert run(*command, "clean", "--images", folder=tmp_path) == "removed 1 image\n"
    finally:
        subprocess.run(["docker", "rmi", "-f", f"{name}/hello:latest"], capture_output=True, check=False)


def test_data_files_are_found_in_a_wheel_and_an_editable_install(installed: Path, tmp_path: Path) -> None:
    package = run(installed / "python", "-c", "import lambdaimg; print(lambdaimg.__path__[0])", folder=tmp_path).strip()
    assert not Path(package).is_relative_to(ROOT)
    for python, beside in ((installed / "python", Path(package, "data")), (Path(sys.executable), ROOT)):
        found = run(python, "-c", RESOURCES, folder=tmp_path).split()
        assert found == [str(beside / "templates"), str(beside / "base_images")]


def test_data_files_are_found_in_a_checkout_that_is_not_installed(installed: Path, tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {RESOURCES}"
    assert run(installed / "python", "-c", code, folder=tmp_path).split()[0] == str(ROOT / "templates")


def test_only_what_is_needed_is_installed(installed: Path, tmp_path: Path) -> None:
    names = {
        row["name"].lower() for row in json.loads(run(installed / "pip", "list", "--format=json", folder=tmp_path))
    }
    assert not names & {"boto3", "pytest", "pytest-docker", "watchfiles", "hatchling"}
