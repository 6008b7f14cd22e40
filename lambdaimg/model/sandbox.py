"""What Lambda lets a function do: a table of limits, which containers, compose files and docs/sandbox.md use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lambdaimg.model import quotas
from lambdaimg.model.settings import FunctionSettings

USER: Final = "993:990"
HOSTNAME: Final = "sandbox.localdomain"
CPU_PERIOD: Final = 20_000
"""µs. Short, because with the usual 100 ms a small function stands still for most of each period."""

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The limits of one function's environments. Sizes are bytes; `cpu_quota` is µs in each `CPU_PERIOD`."""

    read_only_root: bool
    temporary_files: int
    user: str
    no_capabilities: bool
    no_new_privileges: bool
    memory: int
    """Of memory and swap together: there is no swap."""
    cpu_quota: int
    file_descriptors: int
    processes: int

    @property
    def tmpfs_options(self) -> str:
        """Options of the tmpfs at /tmp: anybody may write and, as on Lambda, execute there."""
        return f"{self.volume_options},exec"

    @property
    def volume_options(self) -> str:
        """The same for a volume, which is mounted without `noexec` unless it says so."""
        return f"size={self.temporary_files // _MIB}m,mode=1777"


_GUIDE: Final = "https://docs.aws.amazon.com/lambda/latest/dg/"
SOURCES: Final[Mapping[str, str]] = {
    "images": f"{_GUIDE}images-create.html",
    "quotas": f"{_GUIDE}gettingstarted-limits.html",
    "memory": f"{_GUIDE}configuration-memory.html",
    "environment": f"{_GUIDE}lambda-runtime-environment.html",
    "variables": f"{_GUIDE}configuration-envvars.html",
    "observed": "",
}
"""The pages of the Developer Guide; `observed` is what functions have seen, and no page says."""

Sets = Callable[[FunctionSettings], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit: what it is on Lambda, how it is held here, and which page says so.

    `sets` are the fields of `Sandbox` that hold it; none where it is the emulator, or a variable, that does.
    """

    name: str
    on_lambda: str
    here: str
    source: str
    sets: Sets = lambda _: {}


LIMITS: Final = (
    Limit(
        name="file system",
        on_lambda="read-only but for `/tmp`",
        here="`--read-only`",
        source="images",
        sets=lambda _: {"read_only_root": True},
    ),
    Limit(
        name="`/tmp`",
        on_lambda="512 to 10,240 MB, `ephemeral-storage`; programs may be executed there",
        here="a file system in memory, of the same size, that outlives a crash and a timeout too",
        source="quotas",
        sets=lambda settings: {"temporary_files": settings.ephemeral_storage * _MIB},
    ),
    Limit(
        name="user",
        on_lambda="an unprivileged one, not the image's",
        here=f"`--user {USER}`: the number that functions have seen; it is not documented",
        source="images",
        sets=lambda _: {"user": USER},
    ),
    Limit(
        name="capabilities",
        on_lambda="none",
        here="`--cap-drop ALL`",
        source="observed",
        sets=lambda _: {"no_capabilities": True},
    ),
    Limit(
        name="privileges",
        on_lambda="no set-user-id programs",
        here="`--security-opt no-new-privileges`",
        source="observed",
        sets=lambda _: {"no_new_privileges": True},
    ),
    Limit(
        name="memory",
        on_lambda="128 to 10,240 MB, `memory`; no swap",
        here="`--memory` and `--memory-swap` of the same size",
        source="memory",
        sets=lambda settings: {"memory": settings.memory * _MIB},
    ),
    Limit(
        name="processor",
        on_lambda="one whole one at 1,769 MB, in proportion",
        here="a quota of `memory` / 1,769 over 20 ms, at most this machine's, once the init phase is over",
        source="memory",
        sets=lambda settings: {"cpu_quota": max(1_000, CPU_PERIOD * settings.memory // quotas.MEMORY_PER_VCPU)},
    ),
    Limit(
        name="file descriptors",
        on_lambda="1,024",
        here="`--ulimit nofile=1024`",
        source="quotas",
        sets=lambda _: {"file_descriptors": quotas.FILE_DESCRIPTORS},
    ),
    Limit(
        name="processes and threads",
        on_lambda="1,024",
        here="`--pids-limit 1024`",
        source="quotas",
        sets=lambda _: {"processes": quotas.PROCESSES},
    ),
    Limit(
        name="time",
        on_lambda="1 to 900 s, `timeout`",
        here="held by the emulator, for each invocation",
        source="quotas",
    ),
    Limit(
        name="variables",
        on_lambda="Lambda's own (`AWS_LAMBDA_FUNCTION_NAME`, …)",
        here="the same, under the same names, and none of this machine's",
        source="variables",
    ),
    Limit(
        name="credentials",
        on_lambda="the execution role's",
        here="none (the word `none`), or those that `--credentials` asks for",
        source="variables",
    ),
    Limit(name="host name", on_lambda=f"`{HOSTNAME}`", here="the same", source="observed"),
    Limit(
        name="working directory",
        on_lambda="`/var/task`",
        here="the image's, which the template sets, or `working-directory`",
        source="images",
    ),
    Limit(name="clock", on_lambda="UTC", here="`TZ=:UTC`", source="variables"),
    Limit(
        name="inbound network",
        on_lambda="none",
        here="none; with `--rie` one loopback port, the emulator's",
        source="environment",
    ),
)
"""Each row is seen from inside a function by tests/integration/test_sandbox.py."""


def sandbox_of(settings: FunctionSettings) -> Sandbox:
    """Lambda's limits for a function of these settings. The processor share follows the memory."""
    return Sandbox(**{field: value for limit in LIMITS for field, value in limit.sets(settings).items()})
