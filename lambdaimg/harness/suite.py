"""One run of a project's cases: chosen, their functions built, run, and remembered."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lambdaimg.harness.images import Build, broken_builds
from lambdaimg.harness.results import BAD, Result
from lambdaimg.harness.runner import Environments, OnResult, Runner
from lambdaimg.harness.selection import Selection, Shard, in_order, last_failed, remember_failed
from lambdaimg.harness.slots import jobs_of
from lambdaimg.harness.snapshots import update, without_payloads
from lambdaimg.model import case_files
from lambdaimg.model.cases import Case
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Project


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is run, and how. `jobs` is None for what the machine bears."""

    functions: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    shard: Shard = field(default_factory=Shard)
    last_failed: bool = False
    stop_at_first: bool = False
    jobs: int | None = None
    update: bool = False


def choose(project: Project, options: Options) -> list[Case]:
    """The cases that are asked for. Raises ProjectError for wrong cases, UsageError where there are none."""
    found = case_files.load(project, project.select(options.functions), unexpected=options.update)
    if not found:
        raise UsageError("there is no test case", remedy="write one: [[functions.NAME.tests]] in the project file")
    chosen = [case for case in found if options.selection.holds(case)]
    if not chosen:
        raise UsageError(f"none of the {len(found)} test cases is asked for", remedy="look at -k and --tags")
    if options.last_failed:
        failed = last_failed(project)
        chosen = [case for case in chosen if case.id in failed] or chosen
    return [case for case in chosen if options.shard.holds(case)]


class Suite:
    """A run of cases; it knows its results while it runs, so that an interrupted one can be reported."""

    def __init__(
        self,
        project: Project,
        cases: Sequence[Case],
        options: Options,
        *,
        build: Build,
        environments: Environments,
        on_result: OnResult,
    ) -> None:
        self.project = project
        self._cases = without_payloads(cases) if options.update else list(cases)
        self._originals = list(cases)
        self._options = options
        self._build = build
        self._environments = environments
        self._on_result = on_result
        self._begun = time.monotonic()
        self._runner: Runner | None = None
        names = {case.function for case in cases}
        self.functions = [function for function in project.functions if function.name in names]

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    @property
    def results(self) -> list[Result]:
        """One for each case, in the cases' order; empty before the first case was run."""
        return in_order(self._runner.results, self._cases) if self._runner else []

    @property
    def failed(self) -> bool:
        return any(result.outcome in BAD for result in self.results)

    def run(self) -> None:
        """Builds and runs. Raises LambdaimgError when the engine gives up, KeyboardInterrupt when interrupted."""
        broken = broken_builds(self.functions, self._build) if self.functions else {}
        self._runner = Runner(
            self._environments,
            jobs=self._options.jobs or jobs_of(self.functions),
            stop_at_first=self._options.stop_at_first,
            broken=broken,
            on_result=self._on_result,
        )
        asyncio.run(self._runner.run(self._cases))

    def remember(self) -> list[Path]:
        """Notes what failed, for `--last-failed`, and writes snapshots where that is asked for; returns these files.

        Raises UsageError when the project's folder can't be written.
        """
        try:
            remember_failed(self.project, self.results)
            return update(self._originals, self.results) if self._options.update else []
        except OSError as error:
            raise UsageError(f"can't write {error.filename}: {error.strerror}") from None
