"""`serve` under load: everything is answered, by no more environments than the machine holds, and nothing grows."""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.integration.conftest import make_project
from tests.integration.serve_fixtures import Serve, functions, serve, until

pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serve]:
    for project in make_project(tmp_path / "project"):
        functions(project, does="timeout = 60\n")
        with serve(project, "--max-environments", "16") as running:
            yield running


def invoke(served: Serve, times: int, event: object, clients: int) -> Counter[int]:
    """How often each status was answered."""

    def ask(count: int) -> Counter[int]:
        url = f"{served.url}/2015-03-31/functions/does/invocations"
        with requests.Session() as session:
            return Counter(session.post(url, json=event, timeout=300).status_code for _ in range(count))

    with ThreadPoolExecutor(clients) as threads:
        return sum(threads.map(ask, [times // clients] * clients), Counter[int]())


def test_five_thousand_requests_to_a_function_that_sleeps_are_all_answered(served: Serve) -> None:
    assert invoke(served, 5_000, {"sleep": 0.05}, 100) == {200: 5_000}
    assert len(served.environments()) <= 16


MB = 1_000_000


def resident(served: Serve) -> int:
    """Bytes."""
    pages = Path(f"/proc/{served.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def held(served: Serve) -> tuple[int, int]:
    """Its file descriptors, and its project's containers."""
    return len(list(Path(f"/proc/{served.process.pid}/fd").iterdir())), len(served.project.containers())


def test_ten_thousand_invocations_leave_nothing_behind(served: Serve) -> None:
    assert resident(served) <= 80 * MB, "idle"
    assert invoke(served, 1_000, {}, 1) == {200: 1_000}
    before, kept = resident(served), held(served)
    assert invoke(served, 9_000, {}, 1) == {200: 9_000}
    until(lambda: held(served) == kept, f"{kept} descriptors and containers, as after 1,000")
    assert resident(served) - before < 2 * MB
