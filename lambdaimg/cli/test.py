"""`lambdaimg test`."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.check import NOT_FIT, are_fit
from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.errors import LambdaimgError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from lambdaimg.harness.selection import Shard
    from lambdaimg.harness.suite import Options, Suite
    from lambdaimg.model.project import Function
    from lambdaimg.runtime.factory import Options as Emulators


@dataclass(frozen=True, kw_only=True)
class _Reports:
    """The files that are asked for; `json` may be `-` for stdout."""

    junit: Path | None
    json: str


@click.command("test")
@click.argument("functions", nargs=-1, metavar="[FN]...")
@click.option("-k", "text", default="", help="Only cases with this text in FUNCTION::NAME.", metavar="TEXT")
@click.option("-x", "stop_at_first", is_flag=True, help="Stop at the first failure.")
@click.option("--tags", default="", help="Only cases with one of these tags.", metavar="TAG,TAG")
@click.option("--last-failed", is_flag=True, help="Only what failed the last time; everything when nothing did.")
@click.option("--shard", default="1/1", help="Only part I of N of the cases; a case stays in its part.", metavar="I/N")
@click.option(
    "--jobs", type=click.IntRange(1), help="Environments at once.  [default: by processors and memory]", metavar="N"
)
@click.option("--update", is_flag=True, help="Write what functions return into .expected.json files.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write a JUnit XML report.", metavar="FILE")
@click.option("--json", default="", help="Write a JSON report; - for stdout.", metavar="FILE")
@click.option("--watch", is_flag=True, help="Test again whenever a file of the project is edited.")
@click.option("--check", "checks", is_flag=True, help="Then require that the images pass the static rules of check.")
@click.option("--rie", is_flag=True, help="Under AWS's Runtime Interface Emulator instead of lambdaimg's own.")
@pass_session
@click.pass_context
def command(
    ctx: click.Context,
    session: Session,
    functions: tuple[str, ...],
    text: str,
    stop_at_first: bool,
    tags: str,
    last_failed: bool,
    shard: str,
    jobs: int | None,
    update: bool,
    junit: Path | None,
    json: str,
    watch: bool,
    checks: bool,
    rie: bool,
) -> None:
    """Build the functions FN (default: all), run them, and check their answers to the events of their test cases.

    Exits with 1 when a case fails; with --check, with 4 when an image is not fit for Lambda.

    \b
    Example:
      lambdaimg test hello -k greets --junit report.xml
    """
    from lambdaimg.harness.selection import Selection
    from lambdaimg.harness.suite import Options
    from lambdaimg.runtime.factory import Options as Emulators

    options = Options(
        functions=functions,
        selection=Selection(text=text, tags=frozenset(filter(None, tags.split(",")))),
        shard=_shard(shard),
        last_failed=last_failed,
        stop_at_first=stop_at_first,
        jobs=jobs,
        update=update,
    )
    emulator = Emulators(rie=rie)
    reports = _Reports(junit=junit, json=json)
    if watch:
        _again_and_again(session, options, emulator, reports)
    if _test(session, options, emulator, reports):
        ctx.exit(1)
    ctx.exit(NOT_FIT if checks and not are_fit(session, functions) else 0)


def _shard(text: str) -> "Shard":
    """`I/N`. Raises UsageError."""
    from lambdaimg.harness.selection import Shard

    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise UsageError(f"--shard {text!r} is no part of a whole", remedy="write --shard 1/4 to --shard 4/4")
    return Shard(index=int(index), count=int(count))


def _test(session: Session, options: "Options", emulator: "Emulators", reports: _Reports) -> bool:
    """One run, reported even when it is interrupted; says whether a case failed."""
    from lambdaimg.harness.environments import ProjectEnvironments
    from lambdaimg.harness.live_report import LiveReport
    from lambdaimg.harness.suite import Suite, choose
    from lambdaimg.runtime.factory import EnvironmentFactory
    from lambdaimg.runtime.sweep import sweep

    cases = choose(session.project, options)
    sweep(session.engine)
    console = _console(session, to_stderr=reports.json == "-")
    live = LiveReport(console, [case.function for case in cases])
    with EnvironmentFactory(session.engine, session.project, emulator, session.say) as factory:
        suite = Suite(
            session.project,
            cases,
            options,
            build=lambda functions: _build(session, functions),
            environments=ProjectEnvironments(factory=factory, project=session.project),
            on_result=live.result,
        )
        try:
            suite.run()
        finally:
            if suite.results:
                live.summary(session.project, suite.results, suite.seconds)
                _report(suite, reports, console)
                for file in suite.remember():
                    session.say(f"wrote {file}")
    return suite.failed


def _build(session: Session, functions: "Sequence[Function]") -> None:
    """Builds what the project builds, as the sources are now; pulls what it merely names, where it is missing."""
    session.build(functions)
    session.provide_images([function for function in functions if not function.is_built])


def _console(session: Session, *, to_stderr: bool) -> "Console":
    """Where people read the results: stdout, unless the JSON report goes there."""
    from rich.console import Console

    force = None if session.color == "auto" else session.color == "always"
    return Console(
        stderr=to_stderr,
        force_terminal=force,
        no_color=True if session.color == "never" else None,
        highlight=False,
        soft_wrap=True,
    )


def _report(suite: "Suite", reports: _Reports, console: "Console") -> None:
    from lambdaimg.harness.github import annotations, step_summary
    from lambdaimg.harness.reports import as_json, junit

    about = (suite.project, suite.results, suite.seconds)
    if reports.junit:
        _write(reports.junit, junit(*about))
    if reports.json == "-":
        click.echo(as_json(*about), nl=False)
    elif reports.json:
        _write(Path(reports.json), as_json(*about))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations(suite.project, suite.results):
            click.echo(line, err=console.stderr)
        if page := os.environ.get("GITHUB_STEP_SUMMARY"):
            with Path(page).open("a", encoding="utf-8") as stream:
                stream.write(step_summary(*about))


def _write(file: Path, text: str) -> None:
    from lambdaimg.model.files import write_whole

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text.encode())
    except OSError as error:
        raise UsageError(f"can't write {file}: {error.strerror}") from None


def _again_and_again(session: Session, options: "Options", emulator: "Emulators", reports: _Reports) -> None:
    """Tests now and after each edit, until Ctrl-C; a mistake in the project is told, and does not end it."""
    for _ in _edits(session):
        fresh = replace(session)  # which reads the project file anew
        try:
            _test(fresh, options, emulator, reports)
        except LambdaimgError as error:
            for line in (*error.output, *error.lines()):
                click.echo(line, err=True)
        session.say("waiting for an edit; Ctrl-C ends")


def _edits(session: Session) -> "Iterator[None]":
    """Once at the start, then whenever a file of the project has changed. Raises UsageError without watchfiles."""
    try:
        from watchfiles import DefaultFilter, watch
    except ImportError:
        raise UsageError("--watch needs the package watchfiles", remedy="pip install 'lambdaimg[watch]'") from None
    root = session.project.root
    ours = DefaultFilter(ignore_dirs=(*DefaultFilter.ignore_dirs, ".lambdaimg"))
    yield
    for _ in watch(root, watch_filter=ours):
        yield
