"""How a function's image is run: the container of an execution environment under the RIE, and of a shell."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lambdaimg.engine import labels
from lambdaimg.engine.client import env_file
from lambdaimg.engine.container import UNLIMITED, ContainerSpec, Limits, Mount, Port
from lambdaimg.model import rie
from lambdaimg.model.environment import DUMMY_CREDENTIALS, lambda_variables
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
    return replace(
        _in_place(project, function, wishes),
        entrypoint=(f"{rie.MOUNT_POINT}/{binary.name}",),
        command=process,
        labels={**marks, **({labels.ENDPOINT: wishes.endpoint} if wishes.endpoint else {})},
        mounts=(Mount(source=str(binary.parent), target=rie.MOUNT_POINT),),
        ports=(Port(container=rie.PORT, host=host_port),),
    )


def shell(project: Project, function: Function, words: tuple[str, ...], wishes: Wishes) -> ContainerSpec:
    """A container in which a command runs in the place of the function."""
    return replace(
        _in_place(project, function, wishes),
        entrypoint=words,
        labels=labels.made_for(project, function, "shell"),
    )


def _in_place(project: Project, function: Function, wishes: Wishes) -> ContainerSpec:
    """What every container of a function has in common: image, variables, limits."""
    file = wishes.env_file or (str(project.root / function.settings.env_file) if function.settings.env_file else "")
    has_credentials = wishes.credentials or DUMMY_CREDENTIALS.keys() & env_file(file).keys()
    return ContainerSpec(
        image=project.image(function),
        environment={
            **({} if has_credentials else DUMMY_CREDENTIALS),
            **function.settings.environment,
            **lambda_variables(project, function),
            **wishes.environment,
        },
        secret_environment=wishes.credentials,
        env_file=file,
        hostname=HOSTNAME,
        limits=_limits(function, wishes),
    )


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
