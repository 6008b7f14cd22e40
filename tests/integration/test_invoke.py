"""`invoke`: the payload on stdout alone, the log and REPORT on stderr, and how each failure ends."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import Sandboxed, docker, interrupt, make_project, python_function, read_until

SOURCE = """
import os, sys, time

def echo(event, context):
    print("a line of the function")
    print("a line of its errors", file=sys.stderr)
    return event

def fail(event, context):
    raise ValueError("no such order")

def leave(event, context):
    os._exit(7)

def slow(event, context):
    print("it waits", flush=True)
    time.sleep(600)

def variables(event, context):
    return {name: os.environ.get(name) for name in event}
"""
HANDLERS = {
    "echo": "app.echo",
    "fail": "app.fail",
    "leave": "app.leave",
    "late": "app.slow",
    "slow": "app.slow",
    "variables": "app.variables",
    "unknown-function": "app.nothing",
    "unknown-module": "gone.handler",
}
SECRET = "s3cr3t-access-key-of-the-test"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": SECRET}


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxed]:
    """A project of one source and a function for each of its handlers, built."""
    for project in make_project(tmp_path_factory.mktemp("invoke") / "project"):
        python_function(project, SOURCE)
        lines = [f'[project]\nname = "{project.name}"\n[defaults]\nlanguage = "python"\nsource = "hello"\n']
        for name, handler in HANDLERS.items():
            lines.append(f'[functions.{name}]\nhandler = "{handler}"\ntimeout = {1 if name == "late" else 60}\n')
        project.write("lambdaimg.toml", "".join(lines))
        project.write("event.json", '{"name": "Ada"}')
        project.run("build")
        yield project


@pytest.fixture(params=["lambdaimg", "rie"])
def emulator(request: pytest.FixtureRequest) -> list[str]:
    """The option that chooses each of the emulators: what holds for one holds for the other."""
    return ["--rie"] if request.param == "rie" else []


def invoked(project: Sandboxed, function: str, event: object = None, *arguments: str, **environment: str) -> object:
    words = ["invoke", function, "-d", json.dumps(event or {}), *arguments]
    done = project.run(*words, code=0, stdin="", **environment)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "stdin", "payload"),
    [
        (["-d", '{"name": "Ada"}'], "", {"name": "Ada"}),
        (["-d", "-"], '["é"]', ["é"]),
        (["-e", "event.json"], "", {"name": "Ada"}),
        (["-e", "-"], "null", None),
        ([], "", {}),
    ],
)
def test_the_payload_alone_is_on_stdout(
    functions: Sandboxed, emulator: list[str], arguments: list[str], stdin: str, payload: object
) -> None:
    done = functions.run("invoke", "echo", *emulator, *arguments, stdin=stdin)
    assert json.loads(done.stdout) == payload
    log = done.stderr.splitlines()
    begin = next(number for number, line in enumerate(log) if line.startswith("START RequestId: "))
    assert sorted(log[begin + 1 : begin + 3]) == ["a line of its errors", "a line of the function"]
    request = log[begin].split()[2]
    assert log[begin + 3] == f"END RequestId: {request}"
    figures = r"Duration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: (\d+) MB\tInit Dur"
    report = re.match(rf"REPORT RequestId: {request}\t{figures}", log[begin + 4])
    assert report, log
    assert 5 < int(report[1]) < 128, "measured, not made up"
    assert functions.containers() == []


@pytest.mark.parametrize(
    ("function", "kind", "message"),
    [
        ("fail", "ValueError", "no such order"),
        ("unknown-module", "Runtime.ImportModuleError", "Unable to import module 'gone'"),
        ("unknown-function", "Runtime.HandlerNotFound", "nothing"),
        ("leave", "Runtime.ExitError", "exit status 7"),
        ("late", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
    ],
)
def test_a_functions_failure_is_the_payload_and_exit_code_1(
    functions: Sandboxed, emulator: list[str], function: str, kind: str, message: str
) -> None:
    done = functions.run("invoke", function, *emulator, code=1)
    payload = json.loads(done.stdout)
    assert payload["errorType"] == kind
    assert message in payload["errorMessage"]
    assert "REPORT RequestId: " in done.stderr
    assert functions.containers() == []


def test_an_unknown_handler_is_warned_of_before_the_build(functions: Sandboxed) -> None:
    said = functions.run("build", "unknown-function", "unknown-module").stderr
    assert "warning: unknown-function: hello/app.py defines no 'nothing', which the handler names" in said
    assert "warning: unknown-module: the handler's module is not there: hello/gone.py" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-d", "{name: 1}"], "error: --data:1:2: not JSON"),
        (["-d", "NaN"], "error: --data:1:1: not JSON: NaN is not a JSON value"),
        (["-e", "lambdaimg.toml"], "error: lambdaimg.toml:1:2: not JSON"),
        (["-e", "none.json"], "error: can't read the event none.json: No such file or directory"),
        (["-e", "-"], "error: stdin:1:1: not JSON"),
        (["-d", "{}", "-e", "event.json"], "error: --data and --event exclude each other"),
        (["--env", "NAME"], "error: --env 'NAME' has no value"),
        (["--credentials", "mine"], "error: --credentials 'mine' is not known"),
        (["--env-file", "lambdaimg.toml"], "is not an env file"),
    ],
)
def test_a_wrong_event_or_option_is_exit_code_2(functions: Sandboxed, arguments: list[str], said: str) -> None:
    done = functions.run("invoke", "echo", "--rie", *arguments, code=2)
    assert said in done.stderr
    assert done.stdout == ""


def test_variables_of_each_origin(functions: Sandboxed, emulator: list[str]) -> None:
    nasty = "a ${X} $(id) \\ \" ' # é"
    functions.write("some.env", "# a comment\nFILE=of the file\nBOTH=file\n")
    event = ["FILE", "BOTH", "NASTY", "AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "HOME_OF_TEST"]
    options = ["--env-file", "some.env", "--env", f"NASTY={nasty}", "--env", "BOTH=option"]
    assert invoked(functions, "variables", event, *emulator, *options, HOME_OF_TEST="not passed on") == {
        "FILE": "of the file",
        "BOTH": "option",
        "NASTY": nasty,
        "AWS_LAMBDA_FUNCTION_NAME": "variables",
        "AWS_REGION": "us-east-1",
        "HOME_OF_TEST": None,
    }


def test_credentials_reach_the_function_and_no_command_line(
    functions: Sandboxed, emulator: list[str], tmp_path: Path
) -> None:
    assert invoked(functions, "variables", list(KEYS), *emulator, "--credentials", "env", **KEYS) == KEYS
    profile = tmp_path / "credentials"
    profile.write_text(f"[dev]\naws_access_key_id = AKIATEST\naws_secret_access_key = {SECRET}\n")
    found = invoked(
        functions, "variables", list(KEYS), "--credentials", "profile:dev", AWS_SHARED_CREDENTIALS_FILE=str(profile)
    )
    assert found == KEYS
    assert SECRET not in json.dumps(invoked(functions, "variables", list(KEYS), **KEYS)), "none is the default"
    process = functions.start("invoke", "slow", *emulator, "--credentials", "env", **KEYS)
    read_until(process.stderr, "it waits")
    container = functions.containers()[0]
    shown = docker("inspect", "--format", "{{.Path}} {{json .Args}} {{json .Config.Labels}} {{.Name}}", container)
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    code, out, err = interrupt(process)
    assert SECRET not in shown + processes + out + err
    assert code == 130


@pytest.mark.parametrize("what", ["shell", "run"])
def test_credentials_are_not_in_the_command_that_docker_is_given(functions: Sandboxed, what: str) -> None:
    if what == "run":
        options = ["--rie", "--print", "--credentials", "env"]
        done = functions.run("run", "variables", *options, code=0, stdin="", **KEYS)
        assert SECRET not in done.stdout + done.stderr
        assert "--env=AWS_SECRET_ACCESS_KEY " in done.stdout
    else:
        shown = functions.run("shell", "--credentials", "env", "variables", "env", code=0, stdin="", **KEYS).stdout
        assert f"AWS_SECRET_ACCESS_KEY={SECRET}\n" in shown


def test_an_interrupted_invocation_leaves_no_container(functions: Sandboxed, emulator: list[str]) -> None:
    process = functions.start("invoke", "slow", *emulator)
    read_until(process.stderr, "it waits")
    code, out, err = interrupt(process)
    assert (code, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted"
    assert functions.containers() == []


def test_an_image_is_built_when_it_is_missing(project: Sandboxed) -> None:
    python_function(project, "def handler(event, context):\n    return 1\n")
    done = project.run("invoke", "--rie")
    assert done.stdout == "1"
    assert f"{project.image()} is not built yet: building it" in done.stderr
