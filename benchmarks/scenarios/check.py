"""How long the static rules take on a large image."""

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.programs import discarded
from benchmarks.scenario import FLOOR, LAMBDAIMG, Contestant, Goal, Scenario, seconds
from benchmarks.workspace import Workspace, workspace

_LIMIT: Final = "0.5 s"
_DOCKERFILE: Final = """\
FROM {image}
RUN ["/usr/bin/python3.13", "-c", "{script}"]
"""
_SCRIPT: Final = (
    "import base64, os, pathlib\\n"
    "for number in range(30000):\\n"
    " file = pathlib.Path('/opt/data', str(number // 500), str(number))\\n"
    " file.parent.mkdir(parents=True, exist_ok=True)\\n"
    " content = os.urandom(30000)\\n"
    " file.write_bytes(content if number % 2 else base64.encodebytes(content))"
)
"""1 GB in 30,000 files, one half of them text."""


@contextmanager
def _large() -> Iterator[tuple[Workspace, str]]:
    with workspace(1_769) as made:
        made.lambdaimg("build")
        (made.root / "Dockerfile").write_text(_DOCKERFILE.format(image=made.image, script=_SCRIPT), "utf-8")
        image = f"{made.name}/large:latest"
        made.docker("build", "--quiet", "--tag", image, ".")
        yield made, image


def _check(made: Workspace, image: str, cache: Path) -> float:
    command = ("env", f"XDG_CACHE_HOME={cache}", made.program, "check", "--no-run", "--image", image)
    return seconds(lambda: discarded(command))


@contextmanager
def _first() -> Iterator[Sequence[Contestant]]:
    with _large() as (made, image), tempfile.TemporaryDirectory() as folder:
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: _check(made, image, Path(folder, secrets.token_hex(4)))),
            Contestant(name=FLOOR, measure=lambda: seconds(lambda: discarded(("docker", "save", image)))),
        ]


@contextmanager
def _second() -> Iterator[Sequence[Contestant]]:
    with _large() as (made, image), tempfile.TemporaryDirectory() as folder:
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: _check(made, image, Path(folder))),
            Contestant(name=_LIMIT, measure=lambda: 0.5),
        ]


SCENARIOS: Final = (
    Scenario(name="`check` of 1 GB in 30,000 files", contestants=_first, goal=Goal(at_most=2.0), repeat=5, quick=1),
    Scenario(name="the same again", contestants=_second, goal=Goal(at_most=1.0, beside=_LIMIT), repeat=5, quick=1),
)
