"""`lambdaimg show`."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.session import Session, pass_session

if TYPE_CHECKING:
    from lambdaimg.model.project import Function


@click.command("show")
@click.argument("function", required=False, metavar="[FN]")
@click.option("--json", "as_json", is_flag=True, help="Print the settings as JSON.")
@pass_session
def command(session: Session, function: str | None, as_json: bool) -> None:
    """Show every setting in force for the function FN: where it comes from, what it does here and when deployed.

    \b
    Example:
      lambdaimg show hello
    """
    chosen = session.project.one(function)
    rows = _rows(session, chosen)
    if as_json:
        click.echo(json.dumps({key: {"value": value, "from": origin} for key, value, origin, *_ in rows}, indent=2))
        return
    click.echo(f"{session.project.name}/{chosen.name}  image {session.project.image(chosen)}")
    click.echo(f"{session.project.arn(chosen)}")
    titles = ("SETTING", "VALUE", "FROM", "HERE", "DEPLOYED")
    lines = [titles, *((key, _shown(value), *rest) for key, value, *rest in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _rows(session: Session, function: "Function") -> list[tuple[str, object, str, str, str]]:
    """Key, value, origin, local and deployed meaning of each setting; an empty value as what stands for it."""
    from lambdaimg.model.declare import field_of, settings_of
    from lambdaimg.model.settings import FunctionSettings

    stand_ins = _defaults(session, function)
    rows: list[tuple[str, object, str, str, str]] = []
    for key, setting in settings_of(FunctionSettings).items():
        value = getattr(function.settings, field_of(key))
        if setting.table and value:
            rows += [
                (f"{key}.{inner}", getattr(value, field_of(inner)), function.origins[key], each.local, each.deployed)
                for inner, each in settings_of(setting.table).items()
            ]
            continue
        value = stand_ins.get(key, "") if value in (None, "") else value
        value = dict(value) if isinstance(value, Mapping) else value
        rows.append((key, value, function.origins[key], setting.local, setting.deployed))
    return rows


def _defaults(session: Session, function: "Function") -> dict[str, str]:
    """What an empty setting stands for."""
    from lambdaimg.catalog import bases, languages
    from lambdaimg.images.plan import base_name

    defaults = {"source": function.source, "architecture": function.architecture}
    if function.settings.dockerfile or not function.settings.language:
        return defaults
    language = languages.read(function.settings.language)
    defaults |= {"handler": language.handler, "base": base_name(function)}
    entry = bases.find(base_name(function))
    runtime = entry.runtimes.get(language.name) if entry else None
    if entry and runtime and not runtime.ric:
        defaults["ric-version"] = language.ric(runtime.version, entry.package_manager).version
    return defaults


def _shown(value: object) -> str:
    if isinstance(value, dict | tuple):
        return json.dumps(value) if value else "-"
    return str(value) if value != "" else "-"
