"""What a trial of an image shows, and what it measures."""

from dataclasses import dataclass
from typing import Final

from lambdaimg.check.inside import Inside
from lambdaimg.model import quotas
from lambdaimg.model.invocation import Invocation

SLOW_INIT_MS: Final = 2_000
"""From here on it is asked what the init phase spends its time on."""


@dataclass(frozen=True, kw_only=True)
class Try:
    """One environment: its init phase and its answers. `init_error` is Lambda's type of the error that ended it."""

    init_ms: float | None
    init_error: str
    answers: tuple[Invocation, ...]
    log: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What was seen. `memory` is the function's setting in MB.

    `inside` are three looks: after the init phase, the first, and the second invocation; each None where the image
    has no shell to look with. `code` is the one that the process ended with after SIGTERM, None when it had to be
    killed. `unbound` is the same image without the sandbox, as root; `written` are the paths that it wrote then, None
    where the engine doesn't say.
    `loaded` is what a slow init phase loads, the slowest first, with its ms.
    """

    memory: int
    bound: Try
    inside: tuple[Inside | None, ...]
    code: int | None
    unbound: Try
    written: tuple[str, ...] | None
    loaded: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a trial measured. Times are ms, memory MB; `advised_memory` leaves a quarter free."""

    init_ms: float | None
    durations_ms: tuple[float, ...]
    memory: int
    max_memory_used: int
    advised_memory: int


def figures_of(trial: Trial) -> Figures:
    reports = [answer.report for answer in trial.bound.answers if answer.report]
    most = max((report.max_memory_used or 0 for report in reports), default=0)
    return Figures(
        init_ms=trial.bound.init_ms,
        durations_ms=tuple(report.duration_ms for report in reports),
        memory=trial.memory,
        max_memory_used=most,
        advised_memory=min(max(-(-most * 5 // 4 // 64) * 64, quotas.MEMORY.least), quotas.MEMORY.most),
    )
