"""A function under its language's debugger, which is mounted or the runtime's own: the image needs none."""

import importlib.util
import json
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Final

from lambdaimg.engine.container import ContainerSpec, Mount, Port
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Function
from lambdaimg.runtime.emulator import Settings

_PORT: Final = 5678
"""The debugger's port in the container."""
_MOUNT: Final = "/var/lambdaimg/debugpy"
_SUSPENDED: Final = 86_400.0
"""Seconds that stand for no timeout."""
_REMOTE: Final = "/var/task"


@dataclass(frozen=True, kw_only=True)
class Debug:
    """What is wanted: the debugger at a `port` of this machine; with `waits`, no code runs before it is attached."""

    port: int
    waits: bool = False


def under_debugger(spec: ContainerSpec, function: Function, debug: Debug) -> ContainerSpec:
    """The container with the debugger in it, without limits of memory: a debugger takes more than a small function.

    Raises UsageError for a language without one, or where the debugger is not installed.
    """
    published = replace(spec, ports=(Port(container=_PORT, host=debug.port),), limits=replace(spec.limits, memory=0))
    match function.settings.language:
        case "python":
            return _python(published, function, waits=debug.waits)
        case "nodejs" | "typescript":
            return _nodejs(published, waits=debug.waits)
    raise UsageError(
        f"{function.name}: only functions in Python and Node.js can be debugged", remedy="leave --debug-port"
    )


def _python(spec: ContainerSpec, function: Function, *, waits: bool) -> ContainerSpec:
    found = importlib.util.find_spec("debugpy")
    if found is None or not found.submodule_search_locations:
        raise UsageError("the debugger for Python is not installed", remedy="pip install 'lambdaimg[debug]'")
    program, *words = (*spec.entrypoint, *spec.command)
    if not PurePosixPath(program).name.startswith("python"):
        raise UsageError(
            f"{function.name}: its entrypoint is {program}, not Python, so no debugger can be put before it",
            remedy="set entrypoint to python, -m, awslambdaric",
        )
    flags = ["--wait-for-client"] if waits else []
    return replace(
        spec,
        entrypoint=(program, _MOUNT, "--listen", f"0.0.0.0:{_PORT}", *flags, *words),
        command=(),
        mounts=(*spec.mounts, Mount(source=next(iter(found.submodule_search_locations)), target=_MOUNT)),
        environment={**spec.environment, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
    )


def _nodejs(spec: ContainerSpec, *, waits: bool) -> ContainerSpec:
    flag = f"--inspect{'-brk' if waits else ''}=0.0.0.0:{_PORT}"
    options = f"{spec.environment.get('NODE_OPTIONS', '')} {flag}".strip()
    return replace(spec, environment={**spec.environment, "NODE_OPTIONS": options})


def without_timeout(settings: Settings) -> Settings:
    """Nobody's time runs out while somebody reads."""
    return replace(settings, timeout=_SUSPENDED, init_phase=_SUSPENDED, cpu_quota=0)


def attach_settings(function: Function, debug: Debug) -> str:
    """An entry of VS Code's launch.json; other editors take the same port and folders."""
    local = f"${{workspaceFolder}}/{function.source}"
    entry: dict[str, Any] = {"name": f"lambdaimg {function.name}", "request": "attach"}
    if function.settings.language == "python":
        mappings = [{"localRoot": local, "remoteRoot": _REMOTE}]
        entry |= {"type": "debugpy", "connect": {"host": "127.0.0.1", "port": debug.port}, "pathMappings": mappings}
    else:
        entry |= {"type": "node", "address": "127.0.0.1", "port": debug.port}
        entry |= {"localRoot": local, "remoteRoot": _REMOTE}
    return json.dumps(entry)
