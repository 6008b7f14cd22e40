"""The commands around build and run, as a new user types them: what they print where, and how they end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambdaimg.cli.main import COMMANDS
from lambdaimg.engine.client import Engine
from lambdaimg.runtime import doctor
from lambdaimg.runtime.networks import DEFAULT
from lambdaimg.runtime.reach import Reach, reach_of
from tests.integration.conftest import Sandboxed, docker, python_function

HANDLER = "def handler(event, context):\n    return 1\n"
READY = ("engine", "buildx", "compose", "network to containers", "network from containers")
WORDS = [[name] for name in COMMANDS] + [
    *(["base", name] for name in ("list", "show", "bootstrap")),
    *(["rie", name] for name in ("path", "install")),
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_help_of_each_command_has_an_example(project: Sandboxed, words: list[str]) -> None:
    shown = project.run(*words, "--help").stdout
    assert shown.startswith(f"Usage: lambdaimg {' '.join(words)}")
    if words not in (["base"], ["rie"]):
        assert f"\n    lambdaimg {' '.join(words)}" in shown


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_a_wrong_option_is_exit_code_2(project: Sandboxed, words: list[str]) -> None:
    assert "No such option '--nonsense'" in project.run(*words, "--nonsense", code=2).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["biuld"], "no such command 'biuld'; did you mean \"build\"?"),
        (["build", "helo"], "has no function 'helo'"),
        (["show"], "has 2 functions"),
        (["-C", "/no/such/folder", "show"], "can't work in the folder /no/such/folder"),
        (["--config", "none.toml", "show", "hello"], "none.toml: No such file or directory"),
        (["run", "hello", "--port", "65536"], "65536 is not in the range"),
        (["base", "show", "debian-trixy"], "the catalog has no base 'debian-trixy'\ndid you mean \"debian-trixie\"?"),
        (["rie", "install", "--from", "none"], "can't read none: No such file or directory"),
        (["rie", "install", "--from", "a", "--version", "1.30"], "--from and --version exclude each other"),
        (["render", "-o", ".."], "is not a folder inside the project"),
        (["render", "--stdout=nothing"], "there is no file 'nothing' to print"),
        (["init", "x", "--language", "pyhton"], "there is no language 'pyhton'\ndid you mean \"python\"?"),
    ],
)
def test_wrong_arguments_name_the_right_ones(project: Sandboxed, words: list[str], said: str) -> None:
    done = project.run(*words, code=2)
    assert said in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) <= 4


def test_a_typo_in_the_project_file_is_found_with_its_line(project: Sandboxed) -> None:
    python_function(project, HANDLER, "memroy = 256\ntimeout = 901\n")
    for command in ("build", "run", "invoke", "show", "render", "clean"):
        said = project.run(command, code=2).stderr.splitlines()
        assert said[0] == "error: lambdaimg.toml has 2 problems:"
        assert said[1].startswith("  lambdaimg.toml:6: functions.hello.memroy: ")
        assert 'did you mean "memory"?' in said[1]
        assert said[2].startswith("  lambdaimg.toml:7: functions.hello.timeout: ")


def test_a_new_project_builds_and_answers(project: Sandboxed) -> None:
    for language in ("python", "nodejs"):
        made = project.run("init", f"new-{language}", "--language", language)
        assert f"new-{language}/lambdaimg.toml" in made.stdout.split()
        again = project.run("init", f"new-{language}", "--language", language, code=2)
        assert "exist already" in again.stderr
    file = project.root / "new-python" / "lambdaimg.toml"
    file.write_text(file.read_text().replace('"new-python"', f'"{project.name}"'))
    done = project.run("-C", "new-python", "invoke", "--rie", "-e", "events/hello.json")
    assert json.loads(done.stdout)


def test_init_overwrites_nothing(project: Sandboxed) -> None:
    before = {file: file.read_bytes() for file in project.root.rglob("*") if file.is_file()}
    assert "lambdaimg.toml, hello/app.py exist already" in project.run("init", "--language", "python", code=2).stderr
    assert {file: file.read_bytes() for file in project.root.rglob("*") if file.is_file()} == before


def test_render_writes_over_nothing_of_the_users(project: Sandboxed) -> None:
    first = project.run("render", "hello").stdout.split()
    assert sorted(first) == sorted(
        f".lambdaimg/{name}"
        for name in ("hello.Dockerfile", "hello.Dockerfile.dockerignore", "bake.json", "compose.yaml")
    )
    assert project.run("render", "hello").stdout == "", "nothing has changed"
    project.write(".lambdaimg/hello.Dockerfile", "FROM mine\n")
    refused = project.run("render", "hello", code=2)
    assert ".lambdaimg/hello.Dockerfile is not as `render` left it" in refused.stderr
    assert (project.root / ".lambdaimg" / "hello.Dockerfile").read_text() == "FROM mine\n"
    printed = project.run("render", "hello", "--stdout").stdout
    assert printed.startswith("# ") and "FROM debian:trixie-slim" in printed
    assert "services:" in project.run("render", "--stdout=compose.yaml").stdout
    assert project.run("render", "hello", "-o", "deploy/local").stdout.startswith("deploy/local/")


def test_show_says_where_each_setting_comes_from(project: Sandboxed) -> None:
    found = json.loads(project.run("show", "hello", "--json").stdout)
    assert found["memory"] == {"value": 256, "from": "lambdaimg.toml:6"}
    assert found["ephemeral-storage"] == {"value": 512, "from": "default"}
    table = project.run("show", "hello").stdout.splitlines()
    assert table[0] == f"{project.name}/hello  image {project.image()}"
    assert any(line.split()[:3] == ["memory", "256", "lambdaimg.toml:6"] for line in table)


def test_shell_runs_a_command_in_the_sandbox(project: Sandboxed) -> None:
    python_function(project, HANDLER)
    assert project.run("shell", "hello", "id", "-u").stdout == "993\n"
    assert "read-only file system" in project.run("shell", "touch", "/x", code=1).stderr.lower()
    assert project.run("shell", "--unsandboxed", "id", "-u").stdout == "0\n"
    assert project.run("shell", "--env", "A=1 $B", "printenv", "A").stdout == "1 $B\n"
    assert project.run("shell", "sh", "-c", "exit 9", code=9).stdout == ""
    assert project.run("shell", stdin="echo from the shell\n").stdout == "from the shell\n"
    assert project.containers() == []


def test_clean_removes_what_is_the_projects(project: Sandboxed, tmp_path: Path) -> None:
    python_function(project, HANDLER)
    project.run("build")
    process = project.start("run", "--rie", "--port", "0")
    assert process.stdout and process.stdout.readline()
    assert project.run("clean").stdout == "removed 1 container\n"
    process.terminate()
    process.communicate(timeout=60)
    assert project.containers() == []
    assert project.run("clean").stdout == "nothing to remove\n"
    assert project.run("clean", "--images").stdout == "removed 1 image\n"
    assert docker("images", "-q", project.image()) == ""


def test_doctor_finds_this_machine_ready(project: Sandboxed) -> None:
    findings = {row["subject"]: row for row in json.loads(project.run("doctor", "--json").stdout)}
    assert {findings[each]["verdict"] for each in READY} == {"ok"}
    assert "Docker Engine" in project.run("doctor").stdout


def test_the_emulator_is_found_and_installed_from_a_file(project: Sandboxed, tmp_path: Path) -> None:
    path = project.run("rie", "path").stdout.strip()
    assert Path(path).is_file()
    home = {"HOME": str(tmp_path)}
    assert "is not in" in project.run("rie", "path", code=2, stdin="", **home).stderr
    installed = project.run("rie", "install", "--from", path, code=0, stdin="", **home).stdout.strip()
    assert installed == str(tmp_path / ".aws-lambda-rie" / Path(path).name)
    assert Path(installed).read_bytes() == Path(path).read_bytes()
    wrong = project.run("rie", "install", "--from", path, "--sha256", "0" * 64, code=6, stdin="", **home)
    assert "it was not installed" in wrong.stderr


def test_the_catalog_is_shown(project: Sandboxed) -> None:
    assert "debian-trixie" in project.run("base", "list").stdout
    shown = project.run("base", "show", "debian-trixie").stdout
    assert "debian:trixie-slim" in shown and "python" in shown


def test_a_pipe_that_closes_early_is_no_error_of_ours(project: Sandboxed) -> None:
    line = f"{sys.executable} -m lambdaimg render hello --stdout | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=project.root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("0", "1")
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "lambdaimg", "show", "hello"]
    ended = subprocess.run(command, cwd=project.root, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (ended.returncode, ended.stderr + done.stderr.encode()) == (1, b"")


@pytest.mark.parametrize(
    ("options", "environment", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "never"], {}, False),
        ([], {"NO_COLOR": "1"}, False),
    ],
)
def test_colours(project: Sandboxed, options: list[str], environment: dict[str, str], colored: bool) -> None:
    python_function(project, HANDLER, 'handler = "gone.handler"\n')
    done = project.run(*options, "render", code=0, stdin="", **environment)
    assert ("\x1b[" in done.stderr) is colored
    assert "warning: " in done.stderr
    assert "\x1b[" not in done.stdout


def test_doctor_says_when_no_container_reaches_this_machine(engine: Engine) -> None:
    """As where a firewall refuses them: what listens there is not for them."""
    gateway = reach_of(engine, DEFAULT).name
    assert doctor.way_back(engine, reach_of(engine, DEFAULT)).verdict == "ok"
    shut = doctor.way_back(engine, Reach(listen="127.0.0.1", name=gateway))
    assert (shut.verdict, shut.what) == ("warn", f"none reaches {gateway}")
    assert "--rie" in shut.remedy
