"""Which cases of a project are run: by name, tag, shard, and what failed the last time."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lambdaimg.harness.results import BAD, Outcome, Result
from lambdaimg.model.cases import Case
from lambdaimg.model.files import write_whole
from lambdaimg.model.project import Project

_LAST_FAILED: Final = ".lambdaimg/last-failed.json"


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Part `index` (from 1) of `count`. A case's part depends on its own name alone, so that it stays there."""

    index: int = 1
    count: int = 1

    def holds(self, case: Case) -> bool:
        digest = hashlib.sha256(case.id.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index - 1


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What the user asks for. `text` is looked for in `function::name`, whatever its case; of `tags`, any will do."""

    text: str = ""
    tags: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    """Ids; empty for all."""

    def holds(self, case: Case) -> bool:
        return (
            self.text.lower() in case.id.lower()
            and (not self.tags or bool(self.tags.intersection(case.tags)))
            and (not self.only or case.id in self.only)
        )


def last_failed(project: Project) -> frozenset[str]:
    """The ids of the cases that failed when they were last run; none when that is not known."""
    try:
        return frozenset(json.loads((project.root / _LAST_FAILED).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return frozenset()


def remember_failed(project: Project, results: Sequence[Result]) -> None:
    """Notes which cases failed; those that were not run keep what was known of them. Raises OSError."""
    run = [result for result in results if result.outcome is not Outcome.NOT_RUN]
    failed = {result.case.id for result in run if result.outcome in BAD}
    kept = last_failed(project) - {result.case.id for result in run}
    file = Path(project.root, _LAST_FAILED)
    file.parent.mkdir(exist_ok=True)
    write_whole(file, json.dumps(sorted(kept | failed), indent=2, ensure_ascii=False).encode())


def in_order(results: Iterable[Result], cases: Sequence[Case]) -> list[Result]:
    """Results in the order of the cases; a case without one was not run."""
    found = {result.case.id: result for result in results}
    missing = "interrupted"
    return [found.get(case.id, Result(case=case, outcome=Outcome.NOT_RUN, reason=missing)) for case in cases]
