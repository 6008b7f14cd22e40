"""What an execution environment asks of its emulator, and what it tells it: both emulators are made to this measure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from lambdaimg.model import quotas
from lambdaimg.model.deployment import LoggingSettings
from lambdaimg.model.invocation import Invocation, Report, Request

ON_DEMAND: Final = "on-demand"
PROVISIONED: Final = "provisioned-concurrency"
"""Values of AWS_LAMBDA_INITIALIZATION_TYPE."""
_PLAIN: Final = LoggingSettings()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an environment needs to know of its function. Memory is MB, times are seconds.

    `program` is the first word of its entrypoint, `handler` of its command; `instance` names the environment;
    `cpu_quota` is µs per `CPU_PERIOD` once the init phase is over, 0 for no limit.
    """

    function: str
    arn: str
    memory: int
    timeout: float
    cpu_quota: int
    program: str = ""
    handler: str = ""
    instance: str = ""
    initialization: str = ON_DEMAND
    logging: LoggingSettings = _PLAIN
    zone: str = ""
    """The id of its Availability Zone, which the metadata endpoint tells to who has its token."""
    metadata_token: str = ""
    init_phase: float = quotas.INIT_PHASE
    """Lambda's ("lifecycle", "Init phase"); over it, it runs again within the first invocation."""


class Kind(Enum):
    """What happens to an environment, in this order; from `INVOKED` on again and again."""

    CREATED = "created"
    INIT_STARTED = "init started"
    READY = "ready"
    INVOKED = "invoked"
    ANSWERED = "answered"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One thing that happened. `at` is seconds since 1970.

    `init_ms` is of READY; `request_id` of an invocation's kinds; `report`, with duration and measured memory, of
    ANSWERED, and of FAILED where an invocation failed for want of an answer. FAILED has Lambda's `error_type`.
    """

    kind: Kind
    environment: str
    function: str
    at: float
    init_ms: float | None = None
    request_id: str = ""
    report: Report | None = None
    error_type: str = ""


Tell = Callable[..., None]
"""Called with a Kind, and with the Happening's other fields by name."""


class Emulator(Protocol):
    """One of the two ways to run a function's container as Lambda would."""

    async def start(self) -> None:
        """Starts the container and, where the emulator can, the init phase; returns at its end.

        What is the function's own fault is kept for the first invocation. Raises EnvironmentFailed, EngineError.
        """

    async def invoke(self, request: Request) -> Invocation:
        """Hands over one event; returns with the answer, a failure's being one too."""

    async def finish(self) -> None:
        """Returns at the end of the invocation, when another may come."""

    async def log(self) -> tuple[str, ...]:
        """Returns, after `finish`, when the invocation's log is whole, with its lines."""

    async def freeze(self) -> None:
        """Stops all processes, between two invocations."""

    async def thaw(self) -> None: ...

    async def stop(self) -> None:
        """Ends and removes all that was made. A second call does nothing."""
