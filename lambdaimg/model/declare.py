"""How a setting is declared: a field of a dataclass, with its check and what it does here and when deployed."""

from dataclasses import dataclass, field, fields
from typing import Any, Final

from lambdaimg.model.checks import Check
from lambdaimg.model.checks import table as table_of_keys


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is known of one key. `local` and `deployed` say in words what it does there.

    `table` is the settings class of a key that is a table of settings.
    """

    key: str
    check: Check
    local: str
    deployed: str
    table: type | None = None


NOTHING: Final = "nothing"
"""What a setting does here that is for the deployed function alone."""


def setting(default: Any, check: Check, *, local: str, deployed: str = "", table: type | None = None) -> Any:
    """Declares a setting: the dataclass field of its default, with what is known of it."""
    metadata = {"check": check, "local": local, "deployed": deployed, "table": table}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


def settings_of(table: type) -> dict[str, Setting]:
    """The keys of a settings class, in the file's spelling, in the order of their declaration."""
    return {
        (key := declared.name.rstrip("_").replace("_", "-")): Setting(key=key, **declared.metadata)
        for declared in fields(table)
    }


def field_of(key: str) -> str:
    """The attribute of a key: `async` is a word of Python's own."""
    return "async_" if key == "async" else key.replace("-", "_")


def settings_table(table: type) -> Check:
    """A table of settings; the setting's default is None, for a file without that table."""
    checked = table_of_keys({key: each.check for key, each in settings_of(table).items()})

    def check(value: Any) -> Any:
        return table(**{field_of(key): found for key, found in checked(value).items()})

    return check
