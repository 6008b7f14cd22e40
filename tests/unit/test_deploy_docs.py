"""docs/settings.md: a row for every setting of a Lambda function, and every key of the project file in some row."""

import re
from pathlib import Path

import pytest

from lambdaimg.model.declare import NOTHING, settings_of
from lambdaimg.model.settings import FunctionSettings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
SETTINGS = (
    "runtime",
    "handler",
    "layers",
    "memory",
    "timeout",
    "ephemeral storage",
    "execution role",
    "existing role",
    "triggers that call",
    "triggers that are read",
    "permissions",
    "asynchronous invocation",
    "destinations",
    "dead-letter queue",
    "environment variables",
    "encryption key",
    "reserved concurrency",
    "provisioned concurrency",
    "function URL",
    "VPC",
    "file system",
    "tracing (X-Ray)",
    "Lambda Insights",
    "logging",
    "aliases and versions",
    "description and tags",
    "architecture",
    "image configuration",
)
"""What AWS lets be set of a function, in its own words."""

ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.read_text("utf-8").splitlines() if "|" in line
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_has_a_row_that_says_all(setting: str) -> None:
    (row,) = [row for row in ROWS if row[0] == setting]
    assert len(row) == 6
    assert all(row)
    assert "`" in row[1], "the row names the project file's key"


KEYS = [
    name
    for key, setting in settings_of(FunctionSettings).items()
    for name in ([f"{key}.{inner}" for inner in settings_of(setting.table)] if setting.table else [key])
]


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_in_a_row(key: str) -> None:
    assert any(f"`{key}`" in row[1] or f"`{key} " in row[1] for row in ROWS), f"docs/settings.md: no row has {key}"


def here(key: str) -> str:
    """What a key does on this machine, or the table that it stands in."""
    table, _, inner = key.partition(".")
    setting = settings_of(FunctionSettings)[table]
    own = settings_of(setting.table)[inner].local if setting.table and inner else setting.local
    return setting.local if own == NOTHING else own


def test_no_row_says_that_nothing_happens_here_where_something_does() -> None:
    for row in ROWS[2:]:
        keys = [name.split()[0] for name in re.findall(r"`([^`]+)`", row[1])]
        assert not row[2].startswith("nothing") or {here(key) for key in keys} == {NOTHING}, row[0]


def test_every_key_of_the_page_is_one() -> None:
    named = {name.split()[0] for row in ROWS[2:] for name in re.findall(r"`([^`]+)`", row[1])}
    assert named <= set(KEYS)
