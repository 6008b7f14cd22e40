"""What the local CloudFront answers: requests out of its cache, and what a viewer-request function adds to them."""

import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

from benchmarks.programs import output
from benchmarks.scenario import LAMBDAIMG, Contestant, Failed, Goal, Scenario
from benchmarks.workspace import Workspace, workspace

_SITE: Final = """
[edge]
origin = "site"
[edge.behaviors."function/*"]
viewer-request = "hello"
"""
_SOURCE: Final = "def handler(event, context):\n    return event['Records'][0]['cf']['request']\n"
_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_AT_MOST: Final = 2e-3
"""Seconds that a warm viewer-request function may add, at the median."""
_RATE: Final = 2_000
"""Requests in a second."""


def _wrk(url: str, connections: int) -> str:
    """One thread that keeps its connections alive. Raises Failed where an answer is none."""
    found = output(["wrk", "--threads", "1", "--connections", str(connections), "--duration", "2s", "--latency", url])
    if "Non-2xx" in found or "Socket errors" in found:
        raise Failed("not every request was answered with 200")
    return found


def _each(url: str) -> float:
    """Seconds for one request of many, eight at once."""
    rate = re.search(r"Requests/sec: +([0-9.]+)", _wrk(url, 8))
    return 1 / float(rate[1]) if rate else 0.0


def _median(url: str) -> float:
    """The median of seconds from a request to its answer, one at a time."""
    found = re.search(r"50% +([0-9.]+)(us|ms|s)", _wrk(url, 1))
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def _make(project: Workspace) -> None:
    file = project.root / "lambdaimg.toml"
    file.write_text(file.read_text("utf-8") + _SITE, "utf-8")
    (project.root / "hello" / "app.py").write_text(_SOURCE, "utf-8")
    for page in ("page.html", "function/page.html"):
        place = project.root / "site" / page
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("<h1>Hello</h1>\n", "utf-8")


@contextmanager
def _serving() -> Iterator[str]:
    """A distribution's URL."""
    with workspace(1_769) as project:
        _make(project)
        project.lambdaimg("build")
        command = [project.program, "edge", "serve", "--port", "0"]
        process = subprocess.Popen(
            command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "answers at" not in line:
                raise Failed("edge serve did not start")
            yield line.split()[-1]
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


@contextmanager
def _hits() -> Iterator[Sequence[Contestant]]:
    with _serving() as url:
        yield [
            Contestant(name=LAMBDAIMG, measure=partial(_each, f"{url}/page.html")),
            Contestant(name=f"{_RATE:,} a second", measure=lambda: 1 / _RATE),
        ]


@contextmanager
def _functions() -> Iterator[Sequence[Contestant]]:
    with _serving() as url:
        yield [
            Contestant(name=LAMBDAIMG, measure=partial(_median, f"{url}/function/page.html")),
            Contestant(name="without, and 2 ms", measure=lambda: _median(f"{url}/page.html") + _AT_MOST),
        ]


SCENARIOS: Final = (
    Scenario(
        name="`edge serve`: a request out of the cache",
        contestants=_hits,
        goal=Goal(at_most=1.0, beside=f"{_RATE:,} a second"),
        repeat=5,
    ),
    Scenario(
        name="`edge serve`: the same with a warm viewer-request function",
        contestants=_functions,
        goal=Goal(at_most=1.0, beside="without, and 2 ms"),
        repeat=5,
    ),
)
