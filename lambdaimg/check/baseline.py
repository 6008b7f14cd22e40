"""The baseline: findings that a project knows of and accepts, in a file that is kept with it."""

import json
from collections.abc import Iterable
from pathlib import Path

from lambdaimg.check.verdict import Verdict
from lambdaimg.model.errors import UsageError
from lambdaimg.model.files import write_whole


def read(file: Path) -> list[tuple[str, str, str]]:
    """The accepted findings: name, rule's id, where. Raises UsageError when the file is no baseline."""
    try:
        listed = json.loads(file.read_bytes())["accepted"]
        return [(entry["name"], entry["rule"], entry["where"]) for entry in listed]
    except OSError as error:
        remedy = "write one with --update-baseline"
        raise UsageError(f"can't read the baseline {file}: {error.strerror}", remedy=remedy) from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{file} is not a baseline", remedy="write one with --update-baseline") from None


def write(file: Path, verdicts: Iterable[Verdict]) -> None:
    """Accepts all that was found now. Raises UsageError when the file can't be written."""
    accepted = sorted(
        (verdict.name, row.rule.id, finding.where)
        for verdict in verdicts
        for row in verdict.rows
        for finding in (*row.findings, *row.known)
    )
    listed = [{"name": name, "rule": rule, "where": where} for name, rule, where in accepted]
    try:
        write_whole(file, (json.dumps({"accepted": listed}, indent=2) + "\n").encode())
    except OSError as error:
        raise UsageError(f"can't write the baseline {file}: {error.strerror}") from None
