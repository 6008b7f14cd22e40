"""Whether an invocation may run now: Lambda's rules of concurrency (Developer Guide, "Lambda function scaling").

- An account has a number of concurrent executions; a function's reserved concurrency is taken out of them, and is its
  own limit; the functions without one share the rest. Reserved 0 stops a function.
- Provisioned environments are taken out of the function's reserved concurrency, or of the shared rest, whether they run
  or not; what goes beyond them counts like any other.
- A function gets at most 1,000 new environments in 10 s. Counted are those that Lambda would make: it has as many as
  invocations ran at once, whatever this machine holds.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Final

from lambdaimg.model.errors import LambdaimgError

DEFAULT_ACCOUNT_CONCURRENCY: Final = 1_000
NEW_ENVIRONMENTS: Final = 1_000
SCALING_PERIOD: Final = 10.0
"""Seconds in which a function gets at most `NEW_ENVIRONMENTS`."""


class Reason(Enum):
    """`TooManyRequestsException.Reason` (service model 2015-03-31)."""

    CONCURRENCY = "ConcurrentInvocationLimitExceeded"
    RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
    RATE = "FunctionInvocationRateLimitExceeded"


class Throttled(LambdaimgError):
    """Lambda would answer 429."""

    exit_code = 1

    def __init__(self, function: str, reason: Reason) -> None:
        super().__init__(f"{function} is throttled: {reason.value}")
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Share:
    """A function's part of the account's concurrency; `running` are its invocations now."""

    reserved: int | None = None
    provisioned: int = 0
    running: int = 0

    @property
    def taken(self) -> int:
        """What it takes of the concurrency that the functions without a reserved one share."""
        return max(self.running, self.provisioned) if self.reserved is None else 0


def decide(shares: Mapping[str, Share], function: str, account: int) -> Reason | None:
    """Whether one more invocation of a function may run: None, or why not."""
    share = shares[function]
    if share.reserved is not None:
        return Reason.RESERVED if share.running >= share.reserved else None
    if share.running < share.provisioned:
        return None
    reserved = sum(other.reserved or 0 for other in shares.values())
    taken = sum(other.taken for other in shares.values())
    return Reason.CONCURRENCY if taken >= account - reserved else None


@dataclass(kw_only=True)
class _Load:
    """A function's share, and the recent times at which it got new environments."""

    reserved: int | None
    provisioned: int
    running: int = 0
    most: int = 0  # that ever ran at once
    grown_at: list[float] = field(default_factory=list)

    @property
    def share(self) -> Share:
        return Share(reserved=self.reserved, provisioned=self.provisioned, running=self.running)


class Admission:
    """Counts what runs, and admits what Lambda's rules allow. `clock` gives seconds."""

    def __init__(self, account: int = DEFAULT_ACCOUNT_CONCURRENCY, clock: Callable[[], float] = time.monotonic) -> None:
        self.account = account
        self._clock = clock
        self._loads: dict[str, _Load] = {}

    def add(self, function: str, *, reserved: int | None, provisioned: int) -> None:
        self._loads[function] = _Load(reserved=reserved, provisioned=provisioned, most=provisioned)

    def reserved(self, function: str) -> int | None:
        return self._loads[function].reserved

    def reserve(self, function: str, reserved: int | None) -> None:
        """Changes a function's reserved concurrency, from the next invocation on; None takes it away."""
        self._loads[function].reserved = reserved

    def unreserved(self) -> int:
        """What is left of the account's concurrency for the functions without a reserved one."""
        return self.account - sum(load.reserved or 0 for load in self._loads.values())

    def share(self, function: str) -> Share:
        return self._loads[function].share

    def utilization(self, function: str) -> float:
        """The part of a function's provisioned concurrency that runs."""
        share = self.share(function)
        return min(1.0, share.running / share.provisioned) if share.provisioned else 0.0

    def running(self, function: str) -> int:
        return self._loads[function].running

    def admit(self, function: str) -> "Lease":
        """The right to run one invocation, until it is given back. Raises Throttled."""
        load = self._loads[function]
        reason = decide({name: each.share for name, each in self._loads.items()}, function, self.account)
        if reason is None and load.running >= load.most and not self._may_grow(load):
            reason = Reason.RATE
        if reason is not None:
            raise Throttled(function, reason)
        load.running += 1
        load.most = max(load.most, load.running)
        return Lease(load)

    def _may_grow(self, load: _Load) -> bool:
        now = self._clock()
        load.grown_at = [at for at in load.grown_at if at > now - SCALING_PERIOD]
        if len(load.grown_at) >= NEW_ENVIRONMENTS:
            return False
        load.grown_at.append(now)
        return True


class Lease:
    """A context manager: the right to run one invocation."""

    def __init__(self, load: _Load) -> None:
        self._load = load

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._load.running -= 1
