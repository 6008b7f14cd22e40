"""What a container is to be, before the engine makes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

PLATFORMS: Final = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
"""The engine's names of the architectures."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A bind mount of something that exists: the engine refuses a missing source instead of making a folder."""

    source: str
    target: str
    read_only: bool = True


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A named volume of the engine's local driver, made with the first container that mounts it.

    `options` are the driver's: none for a folder on the engine's disk, `type`, `device` and `o` for a file system of
    its own, which lives as long as a container has it mounted.
    """

    name: str
    target: str
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Port:
    """A container's TCP port on the host's loopback; host port 0 lets the engine choose."""

    container: int
    host: int = 0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a container may not do. Sizes are bytes; the CPU share is a quota of microseconds per period."""

    read_only_root: bool = True
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    memory: int = 0
    cpu_period: int = 0
    cpu_quota: int = 0
    file_descriptors: int = 0
    file_size: int = 0
    """The largest file that a process may write; 0 for any."""
    processes: int = 0
    no_capabilities: bool = True
    no_new_privileges: bool = True


UNLIMITED: Final = Limits(read_only_root=False, no_capabilities=False, no_new_privileges=False)


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """A container, as the engine's API and as `docker run` make it."""

    image: str
    name: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    secret_environment: Mapping[str, str] = field(default_factory=dict)
    """Variables whose values may stand in no process list: `docker run` takes them from its own environment."""
    env_file: str = ""
    """A file of KEY=VALUE lines; `environment` goes before it."""
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    volumes: tuple[Volume, ...] = ()
    ports: tuple[Port, ...] = ()
    hostname: str = ""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Names that the container knows besides the network's, each with its address."""
    network: str = ""
    working_directory: str = ""
    init: bool = False
    """Whether the engine's own small init is the container's first process, before the entrypoint."""
    limits: Limits = UNLIMITED

    def mounts_folder(self, folder: str) -> bool:
        """Whether a folder is not the image's: one that is mounted, or, of this machine's, one below."""
        empty = {*self.limits.tmpfs, *(volume.target for volume in self.volumes)}
        return folder in empty or any(PurePosixPath(folder).is_relative_to(mount.target) for mount in self.mounts)


def run_arguments(spec: ContainerSpec, *, options: tuple[str, ...] = ()) -> list[str]:
    """The `docker run` command that makes the same container, as an argument list.

    An entrypoint of several words continues in the command, as `docker run` wants it.
    """
    limits = spec.limits
    flags = [
        *options,
        *_option("--name", spec.name),
        *_option("--hostname", spec.hostname),
        *_each("--add-host", [f"{name}:{address}" for name, address in sorted(spec.hosts.items())]),
        *_option("--network", spec.network),
        *_option("--workdir", spec.working_directory),
        *(["--init"] if spec.init else []),
        *(["--read-only"] if limits.read_only_root else []),
        *_each("--tmpfs", [f"{path}:{what}" for path, what in sorted(limits.tmpfs.items())]),
        *_option("--user", limits.user),
        *([f"--memory={limits.memory}", f"--memory-swap={limits.memory}"] if limits.memory else []),
        *([f"--cpu-period={limits.cpu_period}", f"--cpu-quota={limits.cpu_quota}"] if limits.cpu_quota else []),
        *([f"--ulimit=nofile={limits.file_descriptors}"] if limits.file_descriptors else []),
        *([f"--ulimit=fsize={limits.file_size}"] if limits.file_size else []),
        *([f"--pids-limit={limits.processes}"] if limits.processes else []),
        *(["--cap-drop=ALL"] if limits.no_capabilities else []),
        *(["--security-opt=no-new-privileges"] if limits.no_new_privileges else []),
        *_each("--mount", [_mount(mount) for mount in spec.mounts]),
        *_each("--mount", [f"type=volume,target={volume.target}" for volume in spec.volumes]),
        *_each("--publish", [f"127.0.0.1:{port.host or ''}:{port.container}" for port in spec.ports]),
        *_option("--env-file", spec.env_file),
        *_each("--env", [f"{key}={value}" for key, value in sorted(spec.environment.items())]),
        *_each("--env", sorted(spec.secret_environment)),
        *_each("--label", [f"{key}={value}" for key, value in sorted(spec.labels.items())]),
        *_option("--entrypoint", spec.entrypoint[0] if spec.entrypoint else ""),
    ]
    return ["docker", "run", "--rm", *flags, spec.image, *spec.entrypoint[1:], *spec.command]


def _mount(mount: Mount) -> str:
    return f"type=bind,source={mount.source},target={mount.target}" + (",readonly" if mount.read_only else "")


def _option(name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if value else []


def _each(name: str, values: list[str]) -> list[str]:
    return [f"{name}={value}" for value in values]
