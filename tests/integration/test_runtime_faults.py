"""What can go wrong around a running function: each caller is told at once, and nothing is left behind."""

import asyncio
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from lambdaimg.engine.client import Engine
from lambdaimg.model.invocation import Request
from lambdaimg.runtime import container
from lambdaimg.runtime.sweep import sweep
from tests.integration.conftest import Sandboxed, docker, python_function, read_until, serving
from tests.integration.lab import Lab, Stage

pytestmark = pytest.mark.anyio


async def until_it_says(stage: Stage, text: str) -> None:
    while not any(text in line for line in stage.lines):
        await asyncio.sleep(0.01)


def made(lab: Lab, *, role: str) -> list[str]:
    labels = ("project", lab.project.name), ("role", role)
    filters = [word for name, value in labels for word in ("--filter", f"label=lambdaimg.{name}={value}")]
    return docker("ps", "-aq", *filters).split()


def volumes(lab: Lab) -> list[str]:
    return docker("volume", "ls", "-q", "--filter", f"label=lambdaimg.project={lab.project.name}").split()


@pytest.mark.parametrize("language", ["python", "nodejs"])
async def test_a_container_that_is_killed_from_outside(lab: Lab, language: str) -> None:
    async with lab.stage(language, timeout=60) as stage:
        await stage.do("count", "kept")
        running = asyncio.ensure_future(stage.do("wait", 60))
        await until_it_says(stage, "it waits")
        (killed,) = made(lab, role="environment")
        docker("kill", killed)
        begun = time.monotonic()
        answer = await running
        assert time.monotonic() - begun < 20, "long before the timeout"
        assert answer.error[0] == "Runtime.ExitError"
        assert answer.error[1].endswith("Runtime exited with error: signal: killed")
        assert "kept" in (await stage.do("count")).payload["tmp"]
        assert killed not in made(lab, role="environment")
    assert made(lab, role="environment") + made(lab, role="tmp") + volumes(lab) == []


async def test_children_that_are_left_end_with_the_environment(lab: Lab) -> None:
    async with lab.stage("python") as stage:
        assert (await stage.do("abandon")).payload["zombies"] == 0
        found = (await stage.do("abandon")).payload
        assert found["processes"] >= 6, "a runtime that goes on keeps its children, as on Lambda"
        assert found["zombies"] == 0
        process = docker("inspect", "--format", "{{.State.Pid}}", *made(lab, role="environment"))
        children = docker("top", *made(lab, role="environment"), "-o", "pid").split()[1:]
        assert process in children
    assert not [child for child in children if Path("/proc", child).exists()]


async def test_a_flood_of_lines_takes_no_memory_of_ours(lab: Lab) -> None:
    """100 MB; Linux counts the process's peak in KB."""
    seen = 0

    class Counted(list[str]):
        def append(self, line: str) -> None:
            nonlocal seen
            seen += len(line) + 1

    async with lab.stage("python", timeout=120, lines=Counted(), memory=1769) as stage:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert (await stage.do("flood", 100)).payload == "flooded"
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000
        assert seen >= 100 * 1024 * 1024, "nothing of it is lost"
        assert (await stage.do("echo", 1)).payload == 1


@pytest.mark.parametrize("rights", [True, False])
async def test_the_log_is_whole_with_and_without_the_right_to_mark_it(
    lab: Lab, rights: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without: the engine's processes are not ours to write to."""
    if not rights:
        monkeypatch.setattr(container, "write_to_both", lambda process, text: False)
    elif os.geteuid():
        pytest.skip("takes root's rights")
    async with lab.stage("python") as stage:
        for number in range(5):
            answer = await stage.do("wait", 0)
            assert answer.log == ["it waits"], number
            assert "\0" not in "".join(stage.lines)


async def test_a_start_that_is_cancelled_leaves_nothing(lab: Lab) -> None:
    """At whatever moment: before the container is made, while it starts, in its init phase."""
    for delay in (0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4):
        starting = asyncio.ensure_future(start(lab))
        await asyncio.sleep(delay)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert made(lab, role="environment") + made(lab, role="tmp") + volumes(lab) == [], delay


async def start(lab: Lab) -> None:
    async with lab.stage("python", {"INIT": "sleeps"}):
        raise AssertionError("it was cancelled before")


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.1, 0.3])
async def test_a_stop_while_a_fresh_runtime_begins_leaves_nothing(lab: Lab, delay: float) -> None:
    async with lab.stage("python") as stage:
        await stage.do("leave", 1)
        beginning = asyncio.ensure_future(stage.environment.invoke(Request(event=b'{"do": "wait", "with": 60}')))
        await asyncio.sleep(delay)
        await stage.environment.stop()
        with pytest.raises(Exception, match="stopped"):
            await beginning
        assert made(lab, role="environment") == []
    assert made(lab, role="tmp") + volumes(lab) == []


def test_what_a_killed_process_left_is_swept_with_its_volumes(project: Sandboxed, engine: Engine) -> None:
    python_function(project, "def handler(event, context):\n    return 1\n")
    mine = {"lambdaimg.project": project.name}
    with serving(project) as served:
        while sum(each.running for each in engine.containers(mine)) < 2:
            assert served.process.poll() is None, "it starts the environment, and what keeps its /tmp"
        os.kill(served.process.pid, signal.SIGKILL)
        served.process.communicate(timeout=60)
    assert len(engine.containers(mine)) >= 2, "one that held /tmp at first may be there too"
    assert engine.volumes(mine)
    sweep(engine)
    assert (engine.containers(mine), engine.volumes(mine)) == ([], [])


def test_an_interrupted_start_leaves_no_half_made_container(project: Sandboxed, engine: Engine) -> None:
    python_function(project, "import time\nprint('init', flush=True)\ntime.sleep(60)\ndef handler(e, c): pass\n")
    project.run("build")
    process = project.start("run", "--port", "0")
    read_until(process.stderr, "init")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    mine = {"lambdaimg.project": project.name}
    assert (engine.containers(mine), engine.volumes(mine)) == ([], [])
