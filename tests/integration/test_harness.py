"""`lambdaimg test` on the real engine: verdicts, faults, interruptions, two runs at once, and the example shop."""

import json
import shutil
import signal
from pathlib import Path
from xml.etree import ElementTree

import xmlschema

from tests.integration.conftest import EXAMPLES, ROOT, Sandboxed, docker, interrupt, python_function

SOURCE = """\
import os, time
count = 0
def handler(event, context):
    global count
    count += 1
    print("got", event)
    if event.get("exit"):
        os._exit(3)
    time.sleep(event.get("sleep", 0))
    return {"count": count, "echo": event, "stage": os.environ.get("STAGE", "")}
"""

CASES = """
[[functions.hello.tests]]
name = "first"
expect = { payload = { count = 1, stage = "" }, log-contains = ["got {}"] }

[[functions.hello.tests]]
name = "second"
expect = { payload = { count = 2 } }

[[functions.hello.tests]]
name = "wrong"
event = { a = "<b>\\u001b[31m" }
expect = { payload = { count = 7, echo = { a = { "$length" = 1 } } } }

[[functions.hello.tests]]
name = "alone"
environment = { STAGE = "test" }
expect = { payload = { count = 1, stage = "test" }, max-init-ms = 20000, max-memory-mb = 128 }

[[functions.hello.tests]]
name = "two at once"
concurrency = 2
repeat = 2
expect = { payload = { echo = {} } }

[[functions.hello.tests]]
name = "it ends"
event = { exit = true }
expect = { error = { type = "Runtime.ExitError" } }

[[functions.hello.tests]]
name = "and begins anew"
expect = { payload = { count = 1 } }
"""


WRONG = '[[functions.hello.tests]]\nname = "wrong"'


def suite(project: Sandboxed, cases: str = CASES, settings: str = "memory = 128\ntimeout = 10\n") -> None:
    python_function(project, SOURCE, settings + cases)


def test_verdicts_and_reports(project: Sandboxed) -> None:
    suite(project)
    done = project.run("test", "--junit", "out/report.xml", "--json", "-", code=1)
    found = {each["name"]: each for each in json.loads(done.stdout)["cases"]}
    assert {name: each["outcome"] for name, each in found.items() if each["outcome"] != "passed"} == {"wrong": "failed"}
    paths = [difference["path"] for difference in found["wrong"]["failures"][0]["differences"]]
    assert paths == ["payload.count", "length of payload.echo.a"]
    assert any("got {'a':" in line for line in found["wrong"]["log"])
    assert found["alone"]["init_ms"] > 0
    assert found["alone"]["memory_mb"] > 0
    xmlschema.XMLSchema(str(ROOT / "tests" / "data" / "junit-10.xsd")).validate(str(project.root / "out/report.xml"))
    assert ElementTree.parse(project.root / "out/report.xml").getroot().get("failures") == "1"
    assert "1 failed, 6 passed" in done.stderr

    done = project.run("test", "--last-failed", code=1)
    assert "1 failed in" in done.stdout
    assert "lambdaimg.toml:17" in done.stdout
    assert "\x1b" not in done.stdout
    assert "1 failed, 2 passed, 4 not run" in project.run("test", "-x", "--jobs", "1", code=1).stdout
    assert project.containers() == []


def test_a_function_that_cannot_be_built_fails_its_own_cases(project: Sandboxed) -> None:
    suite(project, CASES.split('[[functions.hello.tests]]\nname = "wrong"', maxsplit=1)[0])
    text = (project.root / "lambdaimg.toml").read_text()
    project.write("lambdaimg.toml", text + '[functions.bad]\nlanguage = "python"\nbase = "debian-trixie"\n'
                  '[[functions.bad.tests]]\nname = "never"\n')  # fmt: skip
    project.write("bad/app.py", "")
    project.write("bad/requirements.txt", "no-such-distribution-of-lambdaimg==1\n")
    done = project.run("test", code=1)
    assert "1 error, 2 passed" in done.stdout
    assert "No matching distribution found for no-such-distribution-of-lambdaimg==1" in done.stdout


def test_snapshots_are_written_and_hold(project: Sandboxed) -> None:
    suite(project, "")
    project.write("events/hello/one.json", '{"a": 1}')
    assert "no test case" in project.run("test", code=2).stderr
    project.run("test", "--update")
    expected = project.root / "events" / "hello" / "one.expected.json"
    assert json.loads(expected.read_text()) == {"count": 1, "echo": {"a": 1}, "stage": ""}
    project.run("test")
    project.write("events/hello/one.json", '{"a": 2}')
    assert "payload.echo.a" in project.run("test", code=1).stdout


def test_ctrl_c_ends_in_a_partial_report_and_no_container(project: Sandboxed) -> None:
    hang = '\n[[functions.hello.tests]]\nname = "hangs"\ncold = {cold}\nevent = {{ sleep = 300 }}\n'
    first = '\n[[functions.hello.tests]]\nname = "first"\n'
    suite(project, first + hang.format(cold="false"), "memory = 128\ntimeout = 900\n")
    process = project.start("test", "--junit", "report.xml")
    assert process.stdout
    for line in process.stdout:
        if "first" in line:
            break
    code, out, _ = interrupt(process, signal.SIGINT)
    assert code == 130
    assert "1 passed, 1 not run" in out
    assert (project.root / "report.xml").is_file()
    assert project.containers() == []


def test_an_environment_that_is_killed_fails_its_case_alone(project: Sandboxed) -> None:
    events = {"first": "{}", "killed": "{ sleep = 100 }", "next": "{}"}
    cases = "".join(f'[[functions.hello.tests]]\nname = "{name}"\nevent = {event}\n' for name, event in events.items())
    suite(project, cases, "memory = 128\ntimeout = 300\n")
    process = project.start("test", "--json", "-")
    assert process.stderr
    for line in process.stderr:
        if "first" in line:
            break
    mine = (f"label=lambdaimg.project={project.name}", "label=lambdaimg.role=environment")
    environment = docker("ps", "-q", *(f"--filter={each}" for each in mine))
    while "'sleep': 100" not in docker("logs", environment):  # the second case is under way then
        assert process.poll() is None
    docker("kill", environment)
    out, _ = process.communicate(timeout=120)
    found = {each["name"]: each["outcome"] for each in json.loads(out)["cases"]}
    assert found["killed"] in ("failed", "error")
    assert (found["first"], found["next"]) == ("passed", "passed")
    assert project.containers() == []


def test_two_runs_in_one_project_do_not_disturb_each_other(project: Sandboxed) -> None:
    suite(
        project,
        CASES.replace("count = 7", 'count = { "$any" = true }').replace('{ "$length" = 1 }', '{ "$any" = true }'),
    )
    project.run("build")
    both = [project.start("test", "--json", f"{name}.json") for name in "ab"]
    outputs = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    for name in "ab":
        assert {each["outcome"] for each in json.loads((project.root / f"{name}.json").read_text())["cases"]} == {
            "passed"
        }
    assert project.containers() == []


def test_github_is_told_where_a_case_failed(project: Sandboxed, tmp_path: Path) -> None:
    suite(project)
    page = tmp_path / "summary.md"
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page), "GITHUB_WORKSPACE": str(project.root)}
    done = project.run("test", "-k", "wrong", code=1, **environment)
    assert "::error file=lambdaimg.toml,line=17,title=hello%3A%3Awrong::the payload differs%0A" in done.stdout
    assert "| hello | 1 | 1 |" in page.read_text()


def test_the_example_shop_is_as_well_under_both_emulators(project: Sandboxed) -> None:
    shutil.rmtree(project.root)
    shutil.copytree(EXAMPLES / "shop", project.root, ignore=shutil.ignore_patterns(".lambdaimg"))
    text = (project.root / "lambdaimg.toml").read_text()
    project.write("lambdaimg.toml", text.replace('name = "shop"', f'name = "{project.name}"'))
    for options in ((), ("--rie",)):
        found = json.loads(project.run("test", "--json", "-", *options).stdout)["cases"]
        assert len(found) >= 40
        assert {each["outcome"] for each in found} == {"passed", "skipped", "xfailed"}


def test_an_edit_is_built_before_it_is_tested(project: Sandboxed) -> None:
    cases = "tests = [{ name = 'answers', expect = { payload = 1 } }]\n"
    python_function(project, "def handler(event, context):\n    return 1\n", cases)
    project.run("test")
    project.write("hello/app.py", "def handler(event, context):\n    return 2\n")
    project.run("test", code=1)
