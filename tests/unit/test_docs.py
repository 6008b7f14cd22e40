"""The documentation is complete: what is generated is up to date, what is written by hand lacks nothing."""

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdaimg.cli.main import BUG, COMMANDS, INTERRUPTED
from lambdaimg.model import errors
from tests.unit import reference

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*/README.md"))]


@pytest.mark.parametrize("page", reference.PAGES)
def test_the_reference_is_up_to_date(page: str, request: pytest.FixtureRequest) -> None:
    """Commands with their options, settings, bases: `make golden` writes them, from --help, model/settings.py, …"""
    file = DOCS / "reference" / page
    written = file.read_text("utf-8")
    wanted = reference.placed(written, reference.PAGES[page]())
    if request.config.getoption("--update-golden"):
        file.write_text(wanted, "utf-8")
        written = wanted
    assert written == wanted, f"docs/reference/{page} is out of date: run `make golden`, and read the diff"


def exit_codes() -> Iterator[int]:
    yield from (0, BUG, INTERRUPTED)
    for _, found in inspect.getmembers(errors, inspect.isclass):
        if issubclass(found, errors.LambdaimgError):
            yield found.exit_code


def test_every_exit_code_is_documented() -> None:
    text = (DOCS / "reference" / "exit-codes.md").read_text("utf-8")
    missing = [code for code in sorted(set(exit_codes())) if f"| {code} |" not in text]
    assert not missing, f"docs/reference/exit-codes.md has no row for {missing}"


def test_every_room_is_in_the_architecture() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    rooms = [room.strip() for layer in contract["layers"] for room in layer.split("|")]
    text = (DOCS / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert sorted(rows) == sorted(rooms), "docs/architecture.md, Rooms: a row for each room of import-linter's contract"


def test_every_command_has_a_line_and_a_reader_finds_it() -> None:
    text = (DOCS / "reference" / "commands.md").read_text("utf-8")
    missing = [name for name in COMMANDS if not re.search(rf"^## `lambdaimg {name}\b", text, re.MULTILINE)]
    assert not missing, f"docs/reference/commands.md lacks {missing}: run `make golden`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_link_is_dead(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    dead = [link for link in links if not (page.parent / link.partition("#")[0]).exists()]
    assert not dead, f"{page.relative_to(ROOT)} links to what is not there: {dead}"


def test_every_page_is_reached_from_the_index() -> None:
    linked = {(DOCS / link).resolve() for link in re.findall(r"\]\(([^)#\s]+)", (DOCS / "index.md").read_text("utf-8"))}
    lost = [
        str(page.relative_to(ROOT)) for page in DOCS.rglob("*.md") if page.name != "index.md" and page not in linked
    ]
    assert not lost, f"docs/index.md does not lead to {lost}"
