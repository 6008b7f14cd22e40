"""Is this machine ready? Each finding with its remedy."""

import contextlib
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import requests

from lambdaimg.engine import buildx, labels
from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import ContainerSpec, Mount, Port
from lambdaimg.model import rie as facts
from lambdaimg.model.errors import EngineError, EngineUnavailable, LambdaimgError
from lambdaimg.model.settings import ARCHITECTURES, host_architecture
from lambdaimg.runtime import rie
from lambdaimg.runtime.networks import DEFAULT
from lambdaimg.runtime.reach import Reach, reach_of

_ENOUGH_DISK: Final = 5 * 1024**3
_WITHIN: Final = 15.0
"""Seconds for a container to be reached."""
_BACK_WITHIN: Final = 5.0
"""Seconds for a container that runs to reach this machine."""
_SHELLS: Final = 5
"""Images that are tried, where none is sure to have bash."""
_CONNECT: Final = 'exec 3<>"/dev/tcp/$0/$1"'


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at: `fail` stops every build or run, `warn` some of them."""

    subject: str
    verdict: Literal["ok", "warn", "fail"]
    what: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def without_engine(error: EngineUnavailable) -> Finding:
    return Finding(
        subject="engine", verdict="fail", what=error.what, remedy="install or start Docker; `make setup` does"
    )


def examine(engine: Engine) -> list[Finding]:
    """All findings, with a connected engine."""
    return [
        Finding(subject="engine", verdict="ok", what=f"Docker Engine {engine.version}"),
        _buildx(),
        _reproducible(),
        _compose(),
        *(_rie(architecture) for architecture in ARCHITECTURES),
        _emulation(),
        _disk(engine),
        _network(engine),
        _way_back(engine),
    ]


def _buildx() -> Finding:
    version = buildx.version()
    if version is None:
        return Finding(subject="buildx", verdict="fail", what="not there", remedy=buildx.install_remedy())
    if not buildx.is_recent_enough(version):
        return Finding(subject="buildx", verdict="fail", what=f"{version} is too old", remedy=buildx.install_remedy())
    return Finding(subject="buildx", verdict="ok", what=version)


def _reproducible() -> Finding:
    """Whether equal builds can give images of equal digests, or only of equal contents."""
    subject, version = "equal digests", buildx.buildkit_version()
    if version is not None and buildx.is_recent_enough(version, buildx.LEAST_REPRODUCIBLE):
        return Finding(subject=subject, verdict="ok", what=f"BuildKit {version}, with a builder of its own (--builder)")
    least = ".".join(map(str, buildx.LEAST_REPRODUCIBLE))
    return Finding(
        subject=subject,
        verdict="ok",
        what=f"not with BuildKit {version or 'of this engine'}: equal builds give equal contents, of other times",
        remedy=f"for equal digests, set SOURCE_DATE_EPOCH and use a BuildKit from {least} on (docker buildx create)",
    )


def _compose() -> Finding:
    version = buildx.compose_version()
    if version is None:
        remedy = "only rendered compose files need it: install docker-compose-plugin"
        return Finding(subject="compose", verdict="warn", what="not there", remedy=remedy)
    return Finding(subject="compose", verdict="ok", what=version)


def _rie(architecture: str) -> Finding:
    subject, binary = f"emulator for {architecture}", rie.path(architecture)
    if binary.is_file():
        return Finding(subject=subject, verdict="ok", what=str(binary))
    own = architecture == host_architecture()
    remedy = f"fetched when first needed, or now: lambdaimg rie install --architecture {architecture}"
    return Finding(subject=subject, verdict="warn" if own else "ok", what="not there yet", remedy=remedy)


def _emulation() -> Finding:
    """Whether the kernel runs programs of the other architecture."""
    other = next(name for name in ARCHITECTURES if name != host_architecture())
    handler = Path("/proc/sys/fs/binfmt_misc", "qemu-aarch64" if other == "arm64" else "qemu-x86_64")
    if handler.exists():
        return Finding(subject=f"{other} images", verdict="ok", what="emulated by QEMU")
    return Finding(
        subject=f"{other} images",
        verdict="warn",
        what="can't be run here",
        remedy="install qemu-user-static and binfmt-support, or build on a machine of that architecture (--builder)",
    )


def _disk(engine: Engine) -> Finding:
    free = engine.free_bytes()
    if free is None:
        return Finding(subject="disk", verdict="ok", what="the engine's data is not on this machine")
    text = f"{free / 1024**3:.0f} GiB free for images"
    if free < _ENOUGH_DISK:
        return Finding(subject="disk", verdict="warn", what=text, remedy="docker system prune")
    return Finding(subject="disk", verdict="ok", what=text)


def _network(engine: Engine) -> Finding:
    """Starts the emulator in any image that is there, and asks it for something on its published port."""
    binary, image = rie.path(host_architecture()), engine.any_image(host_architecture())
    if not binary.is_file() or image is None:
        what = "not tried: it takes the emulator and any image"
        return Finding(subject="network to containers", verdict="warn", what=what, remedy="lambdaimg build, then again")
    spec = ContainerSpec(
        image=image,
        entrypoint=(f"{facts.MOUNT_POINT}/{binary.name}",),
        command=("none",),
        labels={labels.ROLE: "probe", labels.OWNER: str(labels.this_process())},
        mounts=(Mount(source=str(binary.parent), target=facts.MOUNT_POINT),),
        ports=(Port(container=facts.PORT),),
    )
    try:
        reached = _reached(engine, spec)
    except LambdaimgError as error:
        return Finding(subject="network to containers", verdict="fail", what=error.what, remedy=error.remedy)
    if not reached:
        remedy = "a firewall or a remote engine keeps 127.0.0.1 from its containers"
        return Finding(subject="network to containers", verdict="fail", what="no answer", remedy=remedy)
    return Finding(subject="network to containers", verdict="ok", what="a container answers on its published port")


def _way_back(engine: Engine) -> Finding:
    return way_back(engine, reach_of(engine, DEFAULT))


def way_back(engine: Engine, reach: Reach) -> Finding:
    """Has bash, in an image that has it, connect to a listener of ours where a Runtime API would be."""
    subject, remedy = (
        "network from containers",
        "use --rie, or have the firewall let containers through to this address",
    )
    try:
        came = next((came for image in _with_bash(engine) if (came := _came(engine, image, reach)) is not None), None)
    except LambdaimgError as error:
        return Finding(subject=subject, verdict="warn", what=error.what, remedy=remedy)
    if came is None:
        what = "not tried: it takes an image with bash"
        return Finding(subject=subject, verdict="warn", what=what, remedy="lambdaimg base bootstrap debian-trixie")
    if not came:
        return Finding(subject=subject, verdict="warn", what=f"none reaches {reach.name}", remedy=remedy)
    return Finding(subject=subject, verdict="ok", what=f"a container reaches this machine at {reach.name}")


def _with_bash(engine: Engine) -> list[str]:
    """Ids of images of this architecture: those that start bash by themselves, then the largest."""
    found = filter(None, map(engine.image, engine.images({})))
    own = [image for image in found if image.architecture == host_architecture()]
    own.sort(key=lambda image: (not image.command[:1] or not image.command[0].endswith("bash"), -image.size))
    return [image.id for image in own[:_SHELLS]]


def _came(engine: Engine, image: str, reach: Reach) -> bool | None:
    """Whether a container of this image has connected; None when it has no bash."""
    with socket.create_server((reach.listen, 0)) as listening:
        listening.settimeout(_BACK_WITHIN)
        spec = ContainerSpec(
            image=image,
            entrypoint=("bash", "-c", _CONNECT, reach.name, str(listening.getsockname()[1])),
            labels={labels.ROLE: "probe", labels.OWNER: str(labels.this_process())},
            hosts=reach.hosts,
        )
        container = engine.create(spec)
        try:
            with contextlib.suppress(EngineError):
                engine.start(container)
                return _accepted(listening)
            return None
        finally:
            engine.remove(container)


def _accepted(listening: socket.socket) -> bool:
    try:
        listening.accept()[0].close()
    except TimeoutError:
        return False
    return True


def _reached(engine: Engine, spec: ContainerSpec) -> bool:
    container = engine.create(spec)
    try:
        engine.start(container)
        port = engine.host_port(container, facts.PORT)
        end = time.monotonic() + _WITHIN
        while port is not None and time.monotonic() < end:
            with contextlib.suppress(requests.RequestException):
                requests.get(f"http://127.0.0.1:{port}/", timeout=_WITHIN, proxies={"http": ""})
                return True
            time.sleep(0.02)
        return False
    finally:
        engine.remove(container)
