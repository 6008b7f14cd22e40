"""The generated parts of docs/reference: made of the commands, the settings and the catalog themselves."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Final

import click

from lambdaimg.catalog import bases, languages
from lambdaimg.check.rules import ALL_RULES
from lambdaimg.cli.main import COMMANDS, cli
from lambdaimg.images.rules.rule import SOURCES
from lambdaimg.model import samples, sandbox, settings
from lambdaimg.model.cases import CASE_KEYS, EDGE_KEYS, ERROR_KEYS, EXPECT_KEYS
from lambdaimg.model.declare import settings_of
from lambdaimg.model.edge.settings import EdgeSettings
from lambdaimg.model.matching import MATCHERS
from tests.differences import DIFFERENCES

BEGIN: Final = "<!-- written by `make golden` from here -->"
END: Final = "<!-- to here -->"


def placed(page: str, text: str) -> str:
    """The page with the text between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"the page has no place for what is generated: {BEGIN} … {END}"
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def commands() -> str:
    """Each command: its usage, its help text, its options."""
    root = click.Context(cli, info_name="lambdaimg")
    everywhere = f"## Everywhere\n\n{_options(cli, root)}"
    found = [(name, cli.get_command(root, name)) for name in COMMANDS]
    return "\n".join([everywhere, *(_command(name, command, root) for name, command in found if command)])


def _command(name: str, command: click.Command, parent: click.Context, level: str = "##") -> str:
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join(command.collect_usage_pieces(context)[1:])
    head = f"{level} `{context.command_path} {usage}".rstrip() + "`\n"
    below = command.commands.items() if isinstance(command, click.Group) else ()
    parts = [head, _help(command), _options(command, context)]
    return "\n".join(part for part in parts if part) + "".join(
        f"\n{_command(name, each, context, level + '#')}" for name, each in below
    )


def _help(command: click.Command) -> str:
    """The help text, its example as code."""
    text, _, example = inspect.cleandoc(command.help or "").partition("\b\nExample:\n")
    code = "".join(f"{line.removeprefix('  ')}\n" for line in example.strip("\n").splitlines())
    return text.replace("\b\n", "").strip() + "\n" + (f"\n```sh\n{code}```\n" if code else "")


def _options(command: click.Command, context: click.Context) -> str:
    """A table of what can be given; empty where that is nothing but `--help`."""
    given = [each for each in command.get_params(context) if "--help" not in each.opts]
    records = [record for each in given if (record := each.get_help_record(context)) and record[1]]
    rows = [[f"`{option}`", " ".join(text.split())] for option, text in records]
    return _table(["option", "does"], rows) if rows else ""


def setting_tables() -> str:
    """Each table of the project file, and the tables in it."""
    declared = (each for each in vars(settings).values() if isinstance(each, type))
    roots = [each for each in declared if each.__module__ == settings.__name__ and _is_table(each)]
    return "\n".join(text for root in [*roots, EdgeSettings] for text in _tables(root))


def _is_table(found: type) -> bool:
    return is_dataclass(found) and all("check" in declared.metadata for declared in fields(found))


def _tables(table: type) -> Iterator[str]:
    head = re.fullmatch(r"(`\[.*?\]`)\W*(.*)", inspect.cleandoc(table.__doc__ or ""), re.DOTALL)
    assert head, f"the docstring of {table.__name__} begins with its `[table]`"
    heading, about = head.groups()
    defaults = [_default(declared) for declared in fields(table)]
    rows = [
        [f"`{key}`", default, each.local, each.deployed]
        for default, (key, each) in zip(defaults, settings_of(table).items(), strict=True)
    ]
    text = f"{about[0].upper()}{about[1:]}\n\n" if about else ""
    yield f"## {heading}\n\n{text}{_table(['key', 'default', 'here', 'deployed'], rows)}"
    for each in settings_of(table).values():
        if each.table is not None:
            yield from _tables(each.table)


def _default(declared: Any) -> str:
    value = declared.default_factory() if declared.default_factory is not MISSING else declared.default
    if value is None or value in ("", (), {}):
        return "-"
    if isinstance(value, tuple):
        value = list(value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def base_table() -> str:
    """The catalog's bases."""
    rows = [
        [
            f"`{base.name}`",
            f"`{base.reference}`",
            *(", ".join(languages.of_tier(tier, base)) or "-" for tier in (1, 2)),
            str(base.deprecated or "-"),
            "yes" if base.bootstrap else "no",
        ]
        for base in map(bases.read, bases.names())
    ]
    return _table(["base", "image", "tier 1", "tier 2", "deprecated by AWS", "made from packages"], rows)


def language_table() -> str:
    """The languages: the usual handler, the client, and the bases of tier 1."""
    rows = []
    for language in map(languages.read, languages.names()):
        version = language.ric("9999", "").version or "the function's own dependency"
        bases_of_tier_1 = ", ".join(f"`{base}`" for base in language.tier_1) or "-"
        rows.append([language.title, f"`{language.name}`", f"`{language.ric_package}` {version}", bases_of_tier_1])
    return _table(["", "`language`", "runtime interface client", "built and invoked on"], rows)


def cases() -> str:
    """The keys of a test case, its matchers, and the sample events."""
    tables = (
        ("A case", "key", CASE_KEYS),
        ("`edge`", "key", EDGE_KEYS),
        ("`expect`", "key", EXPECT_KEYS),
        ("`expect.error`", "key", ERROR_KEYS),
        ("Matchers", "matcher", MATCHERS),
    )
    written = [
        f"## {title}\n\n{_table([what, 'says'], [[f'`{name}`', each.says] for name, each in keys.items()])}"
        for title, what, keys in tables
    ]
    rows = [[f"`{name}`", samples.read(name).title] for name in samples.names()]
    return "\n".join([*written, f"## Sample events\n\n{_table(['name', 'is'], rows)}"])


def rules() -> str:
    """Each rule of check: what must hold, where it can look, why, and what to do."""
    return "\n".join(
        f"## {rule.id}: {rule.title}\n\n"
        f"{rule.severity} · looks at {rule.needs.value} · visible in {', '.join(SOURCES[rule.needs])}\n\n"
        f"{rule.why}\n\nRemedy: {rule.remedy}\n\nSource: {rule.document}.\n"
        for rule in ALL_RULES
    )


def limits() -> str:
    """Each limit of the sandbox, and the pages that say so."""
    rows = [[each.name, each.on_lambda, each.here, _sourced(each.source)] for each in sandbox.LIMITS]
    pages = "".join(f"[{name}]: {address}\n" for name, address in sandbox.SOURCES.items() if address)
    return f"{_table(['limit', 'on Lambda', 'here', 'source'], rows)}\n{pages}"


def _sourced(source: str) -> str:
    return f"[{source}]" if sandbox.SOURCES[source] else source


def differences() -> str:
    """How the two emulators differ."""
    rows = [[each.what, each.on_lambda, each.lambdaimg, each.rie] for each in DIFFERENCES]
    return _table(["what", "Lambda", "lambdaimg", "the RIE"], rows)


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "commands.md": commands,
    "settings.md": setting_tables,
    "bases.md": base_table,
    "cases.md": cases,
    "../../README.md": language_table,
    "rules.md": rules,
    "../sandbox.md": limits,
    "../rie-differences.md": differences,
}
