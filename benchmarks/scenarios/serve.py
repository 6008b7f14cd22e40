"""What `serve` answers with: how soon, how many at once, and what it takes of the machine meanwhile."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from typing import Final

from benchmarks.floor import Floor
from benchmarks.load import Client, at_once, percentile
from benchmarks.sam import SAM, serving_on_demand
from benchmarks.scenario import FLOOR, LAMBDAIMG, Contestant, Failed, Goal, Scenario, seconds
from benchmarks.servers import Server
from benchmarks.workspace import Workspace, workspace

_MEMORY: Final = 1_769
_BURST: Final = 16
_BLOCK: Final = 200
_FEW: Final = 30
"""Posts of one who takes up to a second for each."""
_EACH: Final = 10
_WAIT: Final = 0.2
_LONG: Final = 8.0
_IDEAL: Final = "ideal"
_WARM: Final = ("--warm-containers", "EAGER")
_POLL: Final = 0.02
_MOST_GROWTH: Final = "5 MB"
_P50: Final = "its own p50"
_APP: Final = """\
import time


def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return {"message": "Hello, world"}
"""


@contextmanager
def _project() -> Iterator[Workspace]:
    """One whose function sleeps as long as the event says."""
    with workspace(_MEMORY) as made:
        (made.root / "hello" / "app.py").write_text(_APP, "utf-8")
        yield made


@contextmanager
def _served() -> Iterator[Server]:
    with _project() as made:
        made.lambdaimg("build")
        with made.serving() as server:
            yield server


@contextmanager
def _warm() -> Iterator[Sequence[Contestant]]:
    with _served() as server, _project() as floors, _project() as sams, serving_on_demand(sams, *_WARM) as sam:
        floor = Floor(floors)
        floor.answer()
        yield [
            _percentile(LAMBDAIMG, 50, lambda: server.url),
            _percentile(SAM, 50, lambda: sam().url, _FEW),
            _percentile(FLOOR, 50, lambda: floor.url),
        ]


@contextmanager
def _tail() -> Iterator[Sequence[Contestant]]:
    with _served() as server, _project() as sams, serving_on_demand(sams, *_WARM) as sam:
        yield [
            _percentile(LAMBDAIMG, 99, lambda: server.url),
            _percentile(_P50, 50, lambda: server.url),
            _percentile(SAM, 99, lambda: sam().url, _FEW),
        ]


def _percentile(name: str, number: int, url: Callable[[], str], count: int = _BLOCK) -> Contestant:
    def measure() -> float:
        with closing(Client(url())) as client:
            client.post({})
            return percentile(number, client, count)

    return Contestant(name=name, measure=measure)


@contextmanager
def _concurrent(clients: int) -> Iterator[Sequence[Contestant]]:
    with _served() as server, _project() as sams, serving_on_demand(sams, *_WARM) as sam:
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: _sleeping(server.url, clients)),
            Contestant(name=SAM, measure=lambda: _sleeping(sam().url, clients)),
            Contestant(name=_IDEAL, measure=lambda: _EACH * _WAIT),
        ]


def _sleeping(url: str, clients: int) -> float:
    return at_once(url, clients, _EACH, {"sleep": _WAIT})


@contextmanager
def _burst() -> Iterator[Sequence[Contestant]]:
    with _project() as ours, _project() as floors, _project() as sams, serving_on_demand(sams) as sam:
        ours.lambdaimg("build")
        floor = Floor(floors)
        many = [floor.another() for _ in range(_BURST)]
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: _cold_burst(ours)),
            Contestant(name=SAM, measure=lambda: _burst_at(sam().url)),
            Contestant(name=FLOOR, measure=lambda: _all_started(many)),
        ]


def _cold_burst(project: Workspace) -> float:
    with project.serving() as server:
        return _burst_at(server.url)


def _burst_at(url: str) -> float:
    """Seconds beyond what the function sleeps: so long that each request needs an environment of its own."""
    return at_once(url, _BURST, 1, {"sleep": _LONG}) - _LONG


def _all_started(many: Sequence[Floor]) -> float:
    try:
        with ThreadPoolExecutor(len(many)) as pool:
            return seconds(lambda: list(pool.map(Floor.answer, many)))
    finally:
        for each in many:
            each.remove()


def _loaded(url: str) -> float:
    return at_once(url, _BURST, _EACH, {})


@contextmanager
def _memory(*, loaded: bool) -> Iterator[Sequence[Contestant]]:
    with _served() as server, _project() as sams, serving_on_demand(sams, *_WARM) as sam:
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: _megabytes(server, loaded)),
            Contestant(name=SAM, measure=lambda: _megabytes(sam(), loaded)),
        ]


def _megabytes(server: Server, loaded: bool) -> float:
    """The most that is seen while clients ask, or what it takes when nobody does."""
    if not loaded:
        return server.megabytes()
    with ThreadPoolExecutor(1) as pool:
        asking, seen = pool.submit(_loaded, server.url), [0.0]
        while not asking.done():
            seen.append(server.megabytes())
            time.sleep(_POLL)
        asking.result()
    return max(seen)


@contextmanager
def _growth() -> Iterator[Sequence[Contestant]]:
    with _project() as made:
        made.lambdaimg("build")
        with made.serving() as server:
            yield [
                Contestant(name=LAMBDAIMG, measure=lambda: _grown(made, server)),
                Contestant(name=_MOST_GROWTH, measure=lambda: 5.0),
            ]


def _grown(project: Workspace, server: Server) -> float:
    """Megabytes from the 1,000th invocation to the 10,000th. Raises Failed for one more descriptor or container."""
    with closing(Client(server.url)) as client:
        _post(client, 1_000)
        before, held = server.megabytes(), _held(project, server)
        _post(client, 9_000)
        if (holds := _held(project, server)) != held:
            raise Failed(f"descriptors and containers: {held} after 1,000, {holds} after 10,000")
        return server.megabytes() - before


def _post(client: Client, count: int) -> None:
    for _ in range(count):
        client.post({})


def _held(project: Workspace, server: Server) -> tuple[int, int]:
    return server.descriptors(), len(project.containers())


def _concurrency(clients: int) -> Scenario:
    name = f"`serve`: {clients} at once × {_EACH} requests of {_WAIT * 1000:.0f} ms"
    goal = Goal(at_most=1.05, beside=_IDEAL)
    return Scenario(name=name, contestants=partial(_concurrent, clients), goal=goal, repeat=3, quick=int(clients == 8))


SCENARIOS: Final = (
    Scenario(
        name="`serve`: warm invocation, p50",
        contestants=_warm,
        goal=Goal(at_most=1.5),
        unit="ms",
        repeat=9,
        quick=3,
    ),
    Scenario(
        name="`serve`: warm invocation, p99",
        contestants=_tail,
        goal=Goal(at_most=5.0, beside=_P50),
        unit="ms",
        repeat=9,
        quick=3,
    ),
    *map(_concurrency, (1, 2, 4, 8, 16)),
    Scenario(
        name=f"`serve`: {_BURST} at once to a cold function, an environment for each, all answered",
        contestants=_burst,
        goal=Goal(at_most=1.2),
        repeat=7,
        quick=1,
    ),
    Scenario(
        name="`serve`: memory, idle",
        contestants=partial(_memory, loaded=False),
        goal=Goal(at_most=0.5, beside=SAM),
        unit="MB",
        repeat=3,
        quick=0,
    ),
    Scenario(
        name=f"`serve`: memory, {_BURST} clients at once",
        contestants=partial(_memory, loaded=True),
        goal=Goal(at_most=0.5, beside=SAM),
        unit="MB",
        repeat=3,
        quick=0,
    ),
    Scenario(
        name="`serve`: memory that it grows by from 1,000 invocations to 10,000",
        contestants=_growth,
        goal=Goal(at_most=1.0, beside=_MOST_GROWTH),
        unit="MB",
        repeat=1,
        quick=0,
    ),
)
