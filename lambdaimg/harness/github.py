"""What GitHub shows of a run: an annotation at the line of each case that failed, and a summary on the run's page."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lambdaimg.harness.live_report import in_one_line, plain
from lambdaimg.harness.results import BAD, Result, summaries
from lambdaimg.model.project import Project


def annotations(project: Project, results: Sequence[Result]) -> Iterator[str]:
    """Workflow commands ("Workflow commands for GitHub Actions"): an error for each case that failed."""
    workspace = os.environ.get("GITHUB_WORKSPACE") or str(project.root)
    for result in results:
        if result.outcome in BAD:
            file = os.path.relpath(Path(project.root, result.case.file), workspace)
            place = f"file={_property(file)},line={result.case.line},title={_property(result.case.id)}"
            text = "\n".join(plain(result))
            yield f"::error {place}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def step_summary(project: Project, results: Sequence[Result], seconds: float) -> str:
    """Markdown for the page of a workflow run."""
    rows = [
        f"| {summary.function} | {sum(summary.counts.values())} | {sum(summary.counts.get(bad, 0) for bad in BAD)} "
        f"| {summary.seconds:.2f} s | {_or_dash(summary.init_ms, 'ms')} | {_or_dash(summary.memory_mb, 'MB')} |"
        for summary in summaries(results)
    ]
    failed = [f"- `{result.case.id.replace('`', '')}`" for result in results if result.outcome in BAD]
    head = ["| function | cases | failed | time | cold start | peak memory |", "|---|---|---|---|---|---|"]
    lines = [f"### {project.name}: {in_one_line(results, seconds)}", "", *head, *rows, "", *failed]
    return "\n".join(lines).rstrip() + "\n"


def _or_dash(value: float | None, unit: str) -> str:
    return f"{value:.0f} {unit}" if value is not None else "–"
