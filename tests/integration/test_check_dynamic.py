"""The dynamic rules on real functions: each fires on the function that breaks it, and on no good one."""

import json
from typing import NamedTuple

from tests.integration.conftest import Sandboxed

GOOD = """\
import pathlib, subprocess
kept = "x" * 1_000_000
def handler(event, context):
    pathlib.Path("/tmp/written").write_text("x")
    subprocess.run(["/bin/true"], check=True)
    with open(__file__) as source:
        return {"read": len(source.read()), "event": event}
"""


class Broken(NamedTuple):
    """A function that breaks a rule: its source, settings, and what the finding says."""

    source: str
    said: str
    settings: str = ""


BROKEN = {
    "LI101": Broken('raise RuntimeError("no such table")\n', "no such table"),
    "LI102": Broken("import os\ndef handler(event, context):\n    os._exit(3)\n", "exit status 3"),
    "LI103": Broken("def handler(event, context):\n    open('/var/task/cache', 'w')\n", "/var/task/cache"),
    "LI104": Broken(
        "import contextlib\ndef handler(event, context):\n"
        "    with contextlib.suppress(OSError):\n        open('/var/cache/mine', 'w').close()\n",
        "/var/cache/mine",
    ),
    "LI105": Broken("def handler(event, context):\n    open('/etc/shadow')\n", "/etc/shadow"),
    "LI106": Broken(
        "import os\ndef handler(event, context):\n    open('/tmp/x', 'w').close()\n    os.chown('/tmp/x', 0, 0)\n",
        "Operation not permitted",
    ),
    "LI107": Broken(
        "kept = b'x' * 240_000_000\ndef handler(event, context): ...\n", "of 256 MB: set 3", settings="memory = 256"
    ),
    "LI108": Broken(
        "kept = []\ndef handler(event, context):\n    kept.extend(open(__file__) for _ in range(30))\n", "30 more"
    ),
    "LI109": Broken(
        "import subprocess\ndef handler(event, context):\n    subprocess.Popen(['/bin/sleep', '60'])\n", "/bin/sleep 60"
    ),
    "LI110": Broken(
        "calls = []\ndef handler(event, context):\n    calls.append(1)\n"
        "    if len(calls) > 1:\n        raise ValueError('the pool is closed')\n",
        "the pool is closed",
    ),
    "LI111": Broken(
        "import os, signal\nsignal.signal(signal.SIGTERM, lambda *_: os._exit(7))\ndef handler(event, context): ...\n",
        "does not end it within 2 s",  # the client waits in native code, where no handler of Python's runs
    ),
    "LI112": Broken("import slow\ndef handler(event, context): ...\n", "slow 2"),
}  # fmt: skip


def write(project: Sandboxed) -> None:
    text = [
        f'[project]\nname = "{project.name}"\n[defaults]\nlanguage = "python"\nbase = "debian-trixie"\ntimeout = 10\n'
    ]
    for name, broken in {"good": Broken(GOOD, ""), **BROKEN}.items():
        project.write(f"{name.lower()}/app.py", broken.source)
        text.append(f"[functions.{name.lower()}]\n{broken.settings}\n")
    text.append('[[functions.good.tests]]\nname = "asks"\nevent = { name = "Ada" }\n')
    text.append('[functions.required]\nlanguage = "nodejs"\nbase = "node-24-slim"\n')
    project.write("li112/slow.py", "import time\ntime.sleep(2.1)\n")
    project.write("required/index.mjs", 'import slow from "./slow.cjs";\nexport const handler = async () => slow;\n')
    project.write(
        "required/slow.cjs", "const end = Date.now() + 2100;\nwhile (Date.now() < end);\nmodule.exports = 1;\n"
    )
    project.write("lambdaimg.toml", "".join(text))


def test_a_rule_fires_on_what_breaks_it_and_not_on_a_good_function(project: Sandboxed) -> None:
    write(project)
    project.run("build")
    verdicts = json.loads(project.run("check", "--json", "--select", "LI1", code=4).stdout)
    found = {verdict["name"]: {row["id"]: row for row in verdict["rules"]} for verdict in verdicts}
    assert {row["state"] for row in found["good"].values()} == {"pass"}
    assert [*BROKEN] == [*found["good"]]
    for rule, broken in BROKEN.items():
        row = found[rule.lower()][rule]
        assert row["state"] in ("fail", "warn"), (rule, row)
        assert broken.said in json.dumps(row["findings"]), (rule, row)
    assert "slow.cjs 2" in json.dumps(found["required"]["LI112"]["findings"])
    figures = {verdict["name"]: verdict["figures"] for verdict in verdicts}
    assert 10 <= figures["good"]["max_memory_used"] <= 100
    assert figures["good"]["advised_memory"] == 128
    assert figures["good"]["init_ms"] < figures["li112"]["init_ms"]
    assert project.containers() == []


def test_an_image_is_run_without_a_project(project: Sandboxed) -> None:
    project.run("build", "hello")
    project.write("lambdaimg.toml", "")
    project.write("event.json", '{"name": "Eve"}')
    done = project.run("check", "--image", project.image(), "--event", "event.json", "-v")
    assert "pass              LI102" in done.stdout
    assert "would do" in done.stdout
    assert "not visible here  LI102" in project.run("check", "--image", project.image(), "--no-run", "-v").stdout
    assert project.containers() == []
