"""All tier-1 examples in one cold build, beside one after the other from the same cold cache."""

import json
import secrets
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.scenario import FLOOR, LAMBDAIMG, Contestant, Goal, Scenario, seconds
from benchmarks.workspace import Workspace, workspace
from lambdaimg.catalog import languages

_EXAMPLES: Final = Path(__file__).parents[2] / "examples"
_MEMORY: Final = 512


def _examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """The examples that are built and invoked by the project's own checks: name, settings."""
    for file in sorted(_EXAMPLES.glob("*-hello/lambdaimg.toml")):
        settings = tomllib.loads(file.read_text("utf-8"))["functions"]["hello"]
        settings.pop("tests", None)
        if settings["base"] in languages.read(settings["language"]).tier_1:
            yield file.parent.name.removesuffix("-hello"), settings


def _fill(project: Workspace) -> list[str]:
    """Puts a function for each example into a project; returns their names. Their builds start from nothing."""
    named = dict(_examples())
    said = [f'[project]\nname = "{project.name}"\n[build.args]\nBUILDKIT_CACHE_MOUNT_NS = "{secrets.token_hex(8)}"']
    for name, settings in named.items():
        shutil.copytree(_EXAMPLES / f"{name}-hello" / "hello", project.root / name, dirs_exist_ok=True)
        said += [f"[functions.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
    (project.root / "lambdaimg.toml").write_text("\n".join(said), "utf-8")
    return list(named)


def _together(project: Workspace) -> float:
    _fill(project)
    return seconds(lambda: project.lambdaimg("build"))


def _one_by_one(project: Workspace) -> float:
    names = _fill(project)
    return seconds(lambda: [project.lambdaimg("build", name) for name in names])


@contextmanager
def _all() -> Iterator[Sequence[Contestant]]:
    with workspace(_MEMORY) as joint, workspace(_MEMORY) as single:
        yield [
            Contestant(name=LAMBDAIMG, measure=lambda: _together(joint)),
            Contestant(name=FLOOR, measure=lambda: _one_by_one(single)),
        ]


SCENARIOS: Final = (
    Scenario(
        name="the examples of all languages in one cold build; the floor builds one after the other",
        contestants=_all,
        goal=Goal(at_most=0.85),
        repeat=1,
        quick=0,
        warms_up=False,
    ),
)
