"""What became of cases, one by one and by function."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from lambdaimg.harness.verdict import Failure
from lambdaimg.model.cases import Case
from lambdaimg.model.invocation import Report


class Outcome(Enum):
    """How a case ended. `ERROR`: there was no answer to judge, the environment or the build being broken."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    NOT_RUN = "not run"


BAD = (Outcome.FAILED, Outcome.ERROR)


@dataclass(frozen=True, kw_only=True)
class Result:
    """A case's end. `log` has the lines of its environments; `payload` and `reports` those of its invocations."""

    case: Case
    outcome: Outcome
    seconds: float = 0.0
    failures: tuple[Failure, ...] = ()
    reason: str = ""
    """Why it was skipped or expected to fail, or could not be judged."""
    log: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    payload: bytes = b""

    @property
    def duration_ms(self) -> float | None:
        """The longest of its invocations."""
        return max((report.duration_ms for report in self.reports), default=None)

    @property
    def init_ms(self) -> float | None:
        """The longest of its init phases."""
        return max((report.init_ms for report in self.reports if report.init_ms is not None), default=None)

    @property
    def memory_mb(self) -> int | None:
        """The most memory that one of its environments held."""
        used = (report.max_memory_used for report in self.reports)
        return max((each for each in used if each is not None), default=None)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A function's results together. Times are ms, or seconds where it says so; memory is MB."""

    function: str
    counts: dict[Outcome, int]
    seconds: float
    init_ms: float | None
    memory_mb: int | None


def summaries(results: Sequence[Result]) -> list[Summary]:
    """One for each function, in the order of the results."""
    functions = dict.fromkeys(result.case.function for result in results)
    return [_summary(name, [result for result in results if result.case.function == name]) for name in functions]


def _summary(function: str, results: Sequence[Result]) -> Summary:
    return Summary(
        function=function,
        counts=counts(results),
        seconds=sum(result.seconds for result in results),
        init_ms=max((result.init_ms for result in results if result.init_ms is not None), default=None),
        memory_mb=max((result.memory_mb for result in results if result.memory_mb is not None), default=None),
    )


def counts(results: Iterable[Result]) -> dict[Outcome, int]:
    """How many there are of each outcome that there is."""
    outcomes = [result.outcome for result in results]
    return {outcome: outcomes.count(outcome) for outcome in Outcome if outcome in outcomes}
