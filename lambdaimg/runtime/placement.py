"""How a function's image is run: the container of an execution environment under the RIE, and of a shell."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambdaimg.engine import labels
from lambdaimg.engine.container import UNLIMITED, ContainerSpec, Limits, Mount, Port
from lambdaimg.model import rie
from lambdaimg.model.environment import lambda_variables
from lambdaimg.model.project import Function, Project
from lambdaimg.model.sandbox import CPU_PERIOD, HOSTNAME, USER, sandbox_of
from lambdaimg.runtime.environment import Settings


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a command adds to the project's words."""

    environment: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)
    env_file: str = ""
    unsandboxed: bool = False
    endpoint: str = ""
    """The URL at which the environment can be reached, where a command offers one."""


def under_rie(
    project: Project, function: Function, process: tuple[str, ...], binary: Path, wishes: Wishes, *, host_port: int = 0
) -> ContainerSpec:
    """A container in which the emulator, mounted, starts the image's own process.

    The folder is mounted, as AWS documents it. Host port 0 lets the engine choose.
    """
    marks = labels.made_for(project, function, "environment")
    return ContainerSpec(
        image=project.image(function),
        entrypoint=(f"{rie.MOUNT_POINT}/{binary.name}",),
        command=process,
        environment={
            **function.settings.environment,
            **lambda_variables(project, function),
            **wishes.environment,
        },
        secret_environment=wishes.credentials,
        env_file=_env_file(project, function, wishes),
        labels={**marks, **({labels.ENDPOINT: wishes.endpoint} if wishes.endpoint else {})},
        mounts=(Mount(source=str(binary.parent), target=rie.MOUNT_POINT),),
        ports=(Port(container=rie.PORT, host=host_port),),
        hostname=HOSTNAME,
        limits=_limits(function, wishes),
    )


def shell(project: Project, function: Function, words: tuple[str, ...], wishes: Wishes) -> ContainerSpec:
    """A container in which a command runs in the place of the function."""
    return ContainerSpec(
        image=project.image(function),
        entrypoint=words,
        environment={**function.settings.environment, **lambda_variables(project, function), **wishes.environment},
        secret_environment=wishes.credentials,
        env_file=_env_file(project, function, wishes),
        labels=labels.made_for(project, function, "shell"),
        hostname=HOSTNAME,
        limits=_limits(function, wishes),
    )


def _env_file(project: Project, function: Function, wishes: Wishes) -> str:
    if wishes.env_file:
        return wishes.env_file
    return str(project.root / function.settings.env_file) if function.settings.env_file else ""


def _limits(function: Function, wishes: Wishes) -> Limits:
    """Lambda's sandbox. The processor share is left out: it holds once the init phase is over."""
    if wishes.unsandboxed:
        return UNLIMITED
    sandbox = sandbox_of(function.settings)
    return Limits(
        tmpfs={"/tmp": sandbox.tmpfs_options},  # noqa: S108 - the container's
        user=USER,
        memory=sandbox.memory,
        file_descriptors=sandbox.file_descriptors,
        processes=sandbox.processes,
    )


def settings(function: Function, wishes: Wishes) -> Settings:
    """What the environment needs to know; the processor share is at most what this machine has."""
    most = CPU_PERIOD * (os.cpu_count() or 1)
    return Settings(
        function=function.name,
        memory=function.settings.memory,
        timeout=function.settings.timeout,
        cpu_quota=0 if wishes.unsandboxed else min(sandbox_of(function.settings).cpu_quota, most),
    )
