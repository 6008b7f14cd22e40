"""What Lambda lets a function do, as limits that a container engine can set. Used for containers and compose files.

Sources: Developer Guide, "Lambda quotas" (file descriptors, processes, memory per vCPU), "Create a Lambda function
using a container image" (read-only root, /tmp, an unprivileged user). The user's number is not documented; 993 is
what functions have seen.
"""

from dataclasses import dataclass
from typing import Final

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

    memory: int
    temporary_files: int
    cpu_quota: int
    file_descriptors: int = quotas.FILE_DESCRIPTORS
    processes: int = quotas.PROCESSES

    @property
    def tmpfs_options(self) -> str:
        """Options of the tmpfs at /tmp: anybody may write and, as on Lambda, execute there."""
        return f"{self.volume_options},exec"

    @property
    def volume_options(self) -> str:
        """The same for a volume, which is mounted without `noexec` unless it says so."""
        return f"size={self.temporary_files // _MIB}m,mode=1777"


def sandbox_of(settings: FunctionSettings) -> Sandbox:
    """Lambda's limits for a function of these settings. The processor share follows the memory."""
    return Sandbox(
        memory=settings.memory * _MIB,
        temporary_files=settings.ephemeral_storage * _MIB,
        cpu_quota=max(1_000, CPU_PERIOD * settings.memory // quotas.MEMORY_PER_VCPU),
    )
