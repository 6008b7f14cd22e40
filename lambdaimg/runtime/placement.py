"""How a function's image is run: the container of an execution environment under either emulator, and of a shell."""

import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from lambdaimg.engine import labels
from lambdaimg.engine.container import UNLIMITED, ContainerSpec, Limits, Mount, Port, Volume
from lambdaimg.engine.containers import env_file
from lambdaimg.engine.records import Image
from lambdaimg.model import quotas, rie
from lambdaimg.model.deployment import LoggingSettings
from lambdaimg.model.environment import (
    DUMMY_CREDENTIALS,
    VERSION,
    XRAY_DAEMON_ADDRESS,
    lambda_variables,
    rie_variables,
    runtime_variables,
    xray_variables,
    zone_id,
)
from lambdaimg.model.project import Function, Project
from lambdaimg.model.sandbox import CPU_PERIOD, HOSTNAME, sandbox_of
from lambdaimg.runtime.debugging import Debug
from lambdaimg.runtime.emulator import ON_DEMAND, PROVISIONED, Settings

TASK_ROOT: Final = "/var/task"
_TMP: Final = "/tmp"  # noqa: S108 - the container's


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a command adds to the project's words."""

    environment: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)
    env_file: str = ""
    unsandboxed: bool = False
    debug: Debug | None = None
    endpoint: str = ""
    """The URL at which the environment can be reached, where a command offers one."""
    initialization: str = ON_DEMAND
    source: str = ""
    """A folder of this machine, mounted over the code that is in the image."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """What is started in a function's container. Entrypoint and command are replaced one by one, as by ImageConfig."""

    entrypoint: tuple[str, ...]
    command: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return (*self.entrypoint, *self.command)

    @property
    def handler(self) -> str:
        return self.command[0] if self.command else ""


def process_of(function: Function, image: Image) -> Process:
    """The process of a function's image: the project's words before the image's own."""
    settings = function.settings
    return Process(
        entrypoint=settings.entrypoint or image.entrypoint,
        command=settings.command or image.command,
    )


def under_rie(
    project: Project, function: Function, process: Process, binary: Path, wishes: Wishes, *, host_port: int = 0
) -> ContainerSpec:
    """A container in which the emulator, mounted, starts the image's own process.

    The folder is mounted, as AWS documents it. Host port 0 lets the engine choose.
    """
    place = _in_place(project, function, wishes)
    return replace(
        place,
        entrypoint=(f"{rie.MOUNT_POINT}/{binary.name}",),
        command=process.words,
        environment={**place.environment, **rie_variables(function)},
        labels=_labels(project, function, wishes),
        mounts=(*place.mounts, Mount(source=str(binary.parent), target=rie.MOUNT_POINT)),
        ports=(Port(container=rie.PORT, host=host_port),),
        limits=_limits(function, wishes, in_memory=not function.settings.tmp_on_disk),
    )


def under_lambdaimg(
    project: Project,
    function: Function,
    process: Process,
    wishes: Wishes,
    *,
    environment: str,
    api: str,
    metadata_token: str,
) -> ContainerSpec:
    """A container of the image's own process, for a Runtime API at `api` (host:port).

    The process is not the container's first, to which the kernel gives no signal that it does not handle.
    """
    place = _in_place(project, function, wishes)
    daemon = {**env_file(place.env_file), **place.environment}.get(XRAY_DAEMON_ADDRESS, "")
    return replace(
        place,
        entrypoint=process.entrypoint,
        command=process.command,
        environment={
            **xray_variables(daemon),
            **place.environment,
            **runtime_variables(environment, api, process.handler, wishes.initialization, metadata_token),
            **wishes.environment,
        },
        labels=_labels(project, function, wishes),
        init=True,
        limits=_limits(function, wishes, in_memory=False),
    )


def temporary_files(project: Project, function: Function) -> Volume:
    """A new volume for /tmp, which a container hands to its successor."""
    in_memory = {"type": "tmpfs", "device": "tmpfs", "o": sandbox_of(function.settings).volume_options}
    return Volume(
        name=f"lambdaimg-{secrets.token_hex(16)}",
        target=_TMP,
        options={} if function.settings.tmp_on_disk else in_memory,
        labels=labels.made_for(project, function, "tmp"),
    )


def shell(project: Project, function: Function, words: tuple[str, ...], wishes: Wishes) -> ContainerSpec:
    """A container in which a command runs in the place of the function."""
    return replace(
        _in_place(project, function, wishes),
        entrypoint=words,
        labels=labels.made_for(project, function, "shell"),
        limits=_limits(function, wishes, in_memory=True),
    )


def _in_place(project: Project, function: Function, wishes: Wishes) -> ContainerSpec:
    """What every container of a function has in common: image, variables, folders."""
    settings = function.settings
    file = wishes.env_file or (str(project.root / settings.env_file) if settings.env_file else "")
    has_credentials = wishes.credentials or DUMMY_CREDENTIALS.keys() & env_file(file).keys()
    return ContainerSpec(
        image=project.image(function),
        environment={
            **({} if has_credentials else DUMMY_CREDENTIALS),
            **lambda_variables(project, function),
            **settings.environment,
            **wishes.environment,
        },
        secret_environment=wishes.credentials,
        env_file=file,
        hostname=HOSTNAME,
        working_directory=settings.working_directory,
        mounts=(Mount(source=wishes.source, target=TASK_ROOT),) if wishes.source else (),
    )


def _labels(project: Project, function: Function, wishes: Wishes) -> dict[str, str]:
    marks = labels.made_for(project, function, "environment")
    return {**marks, **({labels.ENDPOINT: wishes.endpoint} if wishes.endpoint else {})}


def _limits(function: Function, wishes: Wishes, *, in_memory: bool) -> Limits:
    """Lambda's sandbox, with /tmp `in_memory` or on a volume. The processor share holds only after the init phase."""
    if wishes.unsandboxed:
        return UNLIMITED
    sandbox = sandbox_of(function.settings)
    return Limits(
        read_only_root=sandbox.read_only_root,
        tmpfs={_TMP: sandbox.tmpfs_options} if in_memory else {},
        user=sandbox.user,
        memory=sandbox.memory,
        file_descriptors=sandbox.file_descriptors,
        file_size=sandbox.temporary_files if function.settings.tmp_on_disk else 0,
        processes=sandbox.processes,
        no_capabilities=sandbox.no_capabilities,
        no_new_privileges=sandbox.no_new_privileges,
    )


def settings(project: Project, function: Function, process: Process, wishes: Wishes, *, environment: str) -> Settings:
    """What the environment needs to know; the processor share is at most what this machine has."""
    most = CPU_PERIOD * (os.cpu_count() or 1)
    return Settings(
        function=function.name,
        arn=project.arn(function),
        memory=function.settings.memory,
        timeout=function.settings.timeout,
        init_phase=(
            max(quotas.PROVISIONED_INIT_PHASE, function.settings.timeout)
            if wishes.initialization == PROVISIONED
            else quotas.INIT_PHASE
        ),
        cpu_quota=0 if wishes.unsandboxed else min(sandbox_of(function.settings).cpu_quota, most),
        program=process.words[0] if process.words else "",
        handler=process.handler,
        instance=f"{time.strftime('%Y/%m/%d', time.gmtime())}/{function.name}[{VERSION}]{environment}",
        initialization=wishes.initialization,
        logging=function.settings.logging or LoggingSettings(),
        zone=zone_id(project.region),
        metadata_token=secrets.token_urlsafe(),
    )
