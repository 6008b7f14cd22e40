"""The sandbox as a function sees it: each row of the table of limits, in Python and Node.js, under both emulators."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests

from lambdaimg.model.environment import DUMMY_CREDENTIALS
from lambdaimg.model.rie import INVOKE_PATH, PORT
from lambdaimg.model.sandbox import CPU_PERIOD, HOSTNAME, LIMITS, USER, sandbox_of
from lambdaimg.model.settings import FunctionSettings
from tests.integration.conftest import Sandboxed, docker, make_project

PROBES = Path(__file__).parent / "probes"
LANGUAGES = ("python", "nodejs")
EMULATORS = ("lambdaimg", "rie", "compose")
MIB = 1024 * 1024
SETTINGS = FunctionSettings(memory=512, ephemeral_storage=600, timeout=30)
PROJECT = f"""\
[defaults]
memory = {SETTINGS.memory}
ephemeral-storage = {SETTINGS.ephemeral_storage}
timeout = {SETTINGS.timeout}
[functions.python]
language = "python"
base = "debian-trixie"
[functions.nodejs]
language = "nodejs"
base = "node-24-slim"
[functions.on-disk]
language = "python"
base = "debian-trixie"
source = "python"
handler = "disk.handler"
memory = 128
tmp-on-disk = true
"""
DISK = """
import errno, os

def handler(event, context):
    with open("/tmp/large", "wb") as file:
        for _ in range(200):
            file.write(os.urandom(1024) * 1024)
    with open("/tmp/larger", "wb", buffering=0) as file:
        file.truncate(600 * 1024 * 1024)
        file.seek(600 * 1024 * 1024)
        try:
            file.write(b"x")
        except OSError as error:
            return [os.stat("/tmp/large").st_size, errno.errorcode[error.errno]]
"""
Report = dict[str, Any]
See = Callable[..., Report]


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    """A project of both probes, and of one that fills /tmp; built."""
    for project in make_project(tmp_path_factory.mktemp("sandbox") / "project"):
        for language in LANGUAGES:
            shutil.copytree(PROBES / language, project.root / language, ignore=shutil.ignore_patterns("__pycache__"))
        project.write("python/disk.py", DISK)
        project.write("lambdaimg.toml", f'[project]\nname = "{project.name}"\n{PROJECT}')
        project.run("build")
        yield project


@pytest.fixture(scope="module")
def see(probes: Sandboxed) -> See:
    """What the function of a language sees, asked once of each emulator."""

    @cache
    def ask(language: str, emulator: str, *options: str) -> Report:
        event = json.dumps({"credentials": sorted(DUMMY_CREDENTIALS), "spawn": "--unsandboxed" not in options})
        if emulator == "compose":
            return composed(probes, language, event)
        rie = ["--rie"] if emulator == "rie" else []
        done = probes.run("invoke", language, "-d", event, *rie, *options, THE_HOSTS_OWN="seen")
        report: Report = json.loads(done.stdout)
        return report

    return ask


def composed(project: Sandboxed, service: str, event: str) -> Report:
    """The answer of a service of the rendered compose file."""
    project.run("render")
    project.write("ports.yaml", f'services: {{{service}: {{ports: !override ["127.0.0.1::{PORT}"]}}}}\n')
    files = ("-f", str(project.root / ".lambdaimg" / "compose.yaml"), "-f", str(project.root / "ports.yaml"))
    compose = ("compose", "-p", f"{project.name}-{service}", *files)
    try:
        docker(*compose, "up", "--no-build", "--detach", "--wait", service)
        address = docker(*compose, "port", service, str(PORT))
        report: Report = requests.post(f"http://{address}{INVOKE_PATH}", data=event, timeout=60).json()
        return report
    finally:
        docker(*compose, "down", "--volumes", "--timeout", "1")


def expected(limit: str, emulator: str) -> Any:
    """What the row of that name promises: a value, or a test of one."""
    sandbox = sandbox_of(SETTINGS)
    most = CPU_PERIOD * (os.cpu_count() or 1)
    return {
        "file system": dict.fromkeys(("/", "/opt", "/var/task", "/etc"), "EROFS"),
        "`/tmp`": [["tmpfs"], sandbox.temporary_files, "executed"],
        "user": USER.split(":"),
        "capabilities": ["0" * 16] * 5,
        "privileges": "1",
        "memory": [SETTINGS.memory * MIB, 0],
        "processor": round(min(sandbox.cpu_quota, most) / CPU_PERIOD, 3),
        "file descriptors": "1024",
        "processes and threads": lambda seen: 900 < seen < 1_024,
        "time": lambda seen: 0 < seen <= SETTINGS.timeout * 1_000,
        "variables": lambda seen: "AWS_LAMBDA_FUNCTION_NAME" in seen and "THE_HOSTS_OWN" not in seen,
        "credentials": lambda seen: set(seen) <= {"none", ""},
        "host name": HOSTNAME,
        "working directory": "/var/task",
        "clock": "+0000",
        "inbound network": [] if emulator == "lambdaimg" else [PORT],
    }[limit]


@pytest.mark.parametrize("limit", [limit.name for limit in LIMITS])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("emulator", EMULATORS)
def test_a_function_sees(see: See, emulator: str, language: str, limit: str) -> None:
    seen, promised = see(language, emulator)[limit], expected(limit, emulator)
    assert promised(seen) if callable(promised) else seen == promised, seen


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("emulator", ["lambdaimg", "rie"])
def test_unsandboxed_leaves_the_limits_out(see: See, emulator: str, language: str) -> None:
    seen = see(language, emulator, "--unsandboxed")
    assert seen["file system"] == dict.fromkeys(("/", "/opt", "/var/task", "/etc"), "")
    assert (seen["user"][0], seen["privileges"], seen["processor"]) == ("0", "0", 0)
    assert seen["memory"][0] > SETTINGS.memory * MIB
    assert int(seen["capabilities"][2], 16) > 0


@pytest.mark.parametrize("emulator", [[], ["--rie"]], ids=["lambdaimg", "rie"])
def test_tmp_on_disk_takes_no_memory_and_bounds_each_file(probes: Sandboxed, emulator: list[str]) -> None:
    """More than the function's memory is written; a file of more than its ephemeral storage is refused."""
    done = probes.run("invoke", "on-disk", *emulator)
    assert json.loads(done.stdout) == [200 * MIB, "EFBIG"]
