"""The engine's API. The only module that imports the Docker SDK, and it is imported when an engine is needed."""

import contextlib
import io
import ipaddress
import os
import tarfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Final

import docker
import requests
from docker.auth import load_config
from docker.context import ContextAPI
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.utils import parse_env_file

from lambdaimg.engine import idle_program
from lambdaimg.engine.cgroup import ControlGroup, Memory, memory_of, of_process
from lambdaimg.engine.container import PLATFORMS, UNLIMITED, ContainerSpec, Volume
from lambdaimg.model.errors import EngineError, EngineUnavailable, RegistryRefused, UsageError

_TIMEOUT: Final = 120
_PIECE: Final = 1024 * 1024
_CHANGED, _ADDED = 0, 1
"""Kinds of a change, in the engine's API."""
MISSING_FOLDER: Final = "the working directory doesn't exist"
_ARCHITECTURES: Final = {"amd64": "x86_64", "arm64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image of the engine. Sizes are bytes; `architecture` is Lambda's name for it, or the engine's own."""

    id: str
    size: int
    architecture: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Login:
    """A user of a registry."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Started:
    """A container that runs. `at` is the engine's time of its start, in seconds since 1970.

    `address` is on its network, empty without one. `process` is the id of its main process, and of this machine where
    there is a `group`; that is None where the engine is on another machine.
    """

    at: float
    address: str
    process: int
    group: ControlGroup | None


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A program that runs in a container beside its main process, and what it prints, as `Engine.output` has it."""

    id: str
    output: Iterator[tuple[bytes, bytes]]


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened to a container: `oom`, a process was killed for want of memory; `die`, its end, with its code."""

    container: str
    kind: str
    code: int


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container in a listing."""

    id: str
    name: str
    running: bool
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A volume or a network in a listing."""

    name: str
    labels: Mapping[str, str]


class Engine:
    """A connected engine.

    Every method raises EngineUnavailable when the engine goes away, and EngineError with the engine's own words
    when it refuses, unless it says otherwise.
    """

    def __init__(self, client: docker.APIClient) -> None:
        self._client = client

    @cached_property
    def version(self) -> str:
        return str(self._about["Version"])

    @cached_property
    def architecture(self) -> str:
        """Lambda's name for the one that the engine's machine has, or the engine's own."""
        arch = str(self._about["Arch"])
        return _ARCHITECTURES.get(arch, arch)

    @cached_property
    def _about(self) -> dict[str, Any]:
        with _translated():
            return dict(self._client.version())

    # Images

    def image(self, reference: str) -> Image | None:
        """The image of that name or id, if the engine has it."""
        with _translated():
            try:
                found = self._client.inspect_image(reference)  # type: ignore[no-untyped-call]
            except (ImageNotFound, NotFound):
                return None
        config = found.get("Config") or {}
        return Image(
            id=found["Id"],
            size=found["Size"],
            architecture=_ARCHITECTURES.get(found["Architecture"], found["Architecture"]),
            entrypoint=tuple(config.get("Entrypoint") or ()),
            command=tuple(config.get("Cmd") or ()),
            environment=dict(entry.partition("=")[::2] for entry in config.get("Env") or ()),
            labels=config.get("Labels") or {},
        )

    def configuration(self, image: str) -> dict[str, Any]:
        """An image's configuration as an object of the OCI image spec. Raises EngineError without such an image."""
        with _translated():
            found = self._client.inspect_image(image)  # type: ignore[no-untyped-call]
            steps = self._client.history(image)  # type: ignore[no-untyped-call]
        return {
            "architecture": found["Architecture"],
            "os": found["Os"],
            "config": found.get("Config") or {},
            "rootfs": {"diff_ids": (found.get("RootFS") or {}).get("Layers") or []},
            "history": [{"created_by": step.get("CreatedBy") or ""} for step in reversed(steps)],
        }

    def save(self, image: str) -> IO[bytes]:
        """What `docker save` writes, as a stream to be closed. Read errors are EngineError and EngineUnavailable."""
        return io.BufferedReader(_Pieces(self._client.get_image(image, chunk_size=_PIECE)), _PIECE)

    def pull(self, reference: str, architecture: str) -> None:
        """Pulls an image. Raises EngineError with the registry's answer when it can't be had."""
        name, tag = _name_and_tag(reference)
        with _translated():
            for event in self._client.pull(name, tag, stream=True, decode=True, platform=PLATFORMS[architecture]):
                if "error" in event:
                    raise EngineError(event["error"])

    def digest(self, reference: str) -> str:
        """What a registry has under a reference now, without pulling it. Raises EngineError when it can't be asked."""
        with _translated():
            found: dict[str, Any] = self._client.inspect_distribution(reference)  # type: ignore[no-untyped-call]
        return str(found["Descriptor"]["digest"])

    def tag(self, image: str, reference: str) -> None:
        name, tag = _name_and_tag(reference)
        with _translated():
            self._client.tag(image, name, tag)

    def push(self, reference: str, login: Login | None = None) -> str:
        """Pushes an image to the registry that its name begins with; returns the manifest's digest.

        A `login` travels in the request's header, so that it is in no file and no process list; without one the
        docker program's own logins are used. Raises RegistryRefused with the registry's words.
        """
        name, tag = _name_and_tag(reference)
        credentials = {"username": login.username, "password": login.password} if login else None
        digest = ""
        with _translated():
            for event in self._client.push(name, tag, auth_config=credentials, stream=True, decode=True):
                if "error" in event:
                    raise RegistryRefused(str(event["error"]))
                digest = event.get("aux", {}).get("Digest", digest)
        if not digest:
            raise RegistryRefused("the engine named no digest")
        return digest

    def import_root(self, root: IO[bytes], reference: str, changes: Sequence[str]) -> None:
        """Makes an image of one layer out of a tar stream of a root file system."""
        name, tag = _name_and_tag(reference)
        with _translated():
            self._client.import_image_from_data(root, name, tag, list(changes))

    def remove_image(self, image: str) -> bool:
        """Removes an image unless something uses it; says whether it is gone."""
        with _translated():
            try:
                self._client.remove_image(image)
            except (ImageNotFound, NotFound):
                return True
            except APIError as error:
                if error.status_code != 409:  # a container uses it, or it has another name
                    raise
                return False
        return True

    def images(self, wanted: Mapping[str, str], *, dangling: bool | None = None) -> list[str]:
        """The ids of the images with these labels; `dangling` ones are those that no name points to any more."""
        filters: dict[str, Any] = _labelled(wanted)
        if dangling is not None:
            filters["dangling"] = dangling
        with _translated():
            return [found["Id"] for found in self._client.images(filters=filters)]

    def any_image(self, architecture: str) -> str | None:
        """The id of some image of an architecture, the smallest; None when there is none."""
        with _translated():
            found = sorted(self._client.images(), key=lambda entry: int(entry["Size"]))
        ids = (str(entry["Id"]) for entry in found)
        return next((id for id in ids if (image := self.image(id)) and image.architecture == architecture), None)

    # Containers

    def create(self, spec: ContainerSpec) -> str:
        """Makes a container, which does not run yet; returns its id. Anybody may write to its volumes.

        Raises EngineError when it is to begin in a folder that is not there, which the engine itself would make.
        """
        folder = spec.working_directory
        if folder and not spec.mounts_folder(folder) and not self._has_folder(spec, folder):
            raise EngineError(f"{MISSING_FOLDER}: {folder}")
        for volume in spec.volumes:
            if not volume.options:
                self._open_to_all(spec.image, volume)
        with _translated():
            created = self._client.create_container(
                spec.image,
                name=spec.name or None,
                entrypoint=list(spec.entrypoint) or None,
                command=list(spec.command) or None,
                environment=self._environment(spec),
                labels=dict(spec.labels),
                ports=[port.container for port in spec.ports],
                hostname=spec.hostname or None,
                user=spec.limits.user or None,
                working_dir=spec.working_directory or None,
                host_config=self._host_config(spec),
            )
        return str(created["Id"])

    def _has_folder(self, spec: ContainerSpec, folder: str) -> bool:
        """Whether an image has a folder: seen in a container that is made for this alone, which takes 15 ms."""
        container = self.create(ContainerSpec(image=spec.image, labels=spec.labels, entrypoint=("/",)))
        archive = f"{self._client.base_url}/v{self._client.api_version}/containers/{container}/archive"
        try:
            with _translated():  # the path's last dot makes a file none, and a link what it leads to
                return self._client.head(archive, params={"path": f"{folder}/."}, timeout=_TIMEOUT).ok
        finally:
            self.remove(container)

    def _open_to_all(self, image: str, volume: Volume) -> None:
        """A new folder on the engine's disk is root's alone; an archive that has an entry for it sets its mode.

        The entry is not the archive's root, which the engine leaves out. It is unpacked in a container that is made for
        this alone, for beside the volumes of a read-only one the engine unpacks nothing.
        """
        parent, _, folder = volume.target.rpartition("/")
        mounts = self._client.create_host_config(mounts=[_volume_mount(volume)])
        with _translated():
            made = self._client.create_container(
                image, entrypoint=["/"], labels=dict(volume.labels), host_config=mounts
            )
            try:
                self._client.put_archive(made["Id"], parent or "/", _open_folder(folder))
            finally:
                self.remove(made["Id"])

    def _environment(self, spec: ContainerSpec) -> dict[str, str]:
        return {**env_file(spec.env_file), **spec.environment, **spec.secret_environment}

    def _host_config(self, spec: ContainerSpec) -> Any:
        limits = spec.limits
        return self._client.create_host_config(
            read_only=limits.read_only_root,
            tmpfs=dict(limits.tmpfs),
            mem_limit=limits.memory or None,
            memswap_limit=limits.memory or None,
            cpu_period=limits.cpu_period or None,
            cpu_quota=limits.cpu_quota or None,
            pids_limit=limits.processes or None,
            ulimits=[
                docker.types.Ulimit(name=name, soft=most, hard=most)
                for name, most in (("nofile", limits.file_descriptors), ("fsize", limits.file_size))
                if most
            ],
            cap_drop=["ALL"] if limits.no_capabilities else None,
            security_opt=["no-new-privileges"] if limits.no_new_privileges else None,
            mounts=[
                *(
                    docker.types.Mount(type="bind", source=mount.source, target=mount.target, read_only=mount.read_only)
                    for mount in spec.mounts
                ),
                *map(_volume_mount, spec.volumes),
            ],
            extra_hosts=dict(spec.hosts) or None,
            port_bindings={port.container: ("127.0.0.1", port.host or None) for port in spec.ports},
            network_mode=spec.network or None,
            init=spec.init or None,
        )

    def start(self, container: str) -> None:
        """Starts a container. Raises EngineError when its first program can't be executed, or a port is taken."""
        with _translated():
            self._client.start(container)

    def host_port(self, container: str, port: int) -> int | None:
        """The loopback port that a container's port is published on; None once the container has ended."""
        with _translated():
            found = self._client.inspect_container(container)["NetworkSettings"]["Ports"].get(f"{port}/tcp")
        return int(found[0]["HostPort"]) if found else None

    def output(self, container: str) -> Iterator[tuple[bytes, bytes]]:
        """What a container prints from now on, to its end: pairs of (standard output, errors), one of them empty.

        The request is sent at once, so that nothing is missed of a container that is started afterwards.
        """
        with _translated():
            stream = self._client.attach(container, stream=True, demux=True)
        return _pieces_of(stream)

    def exit_code(self, container: str) -> int | None:
        """The code that the container's main process ended with; None while it runs."""
        with _translated():
            state = self._client.inspect_container(container)["State"]
        return None if state["Running"] else int(state["ExitCode"])

    def file_names(self, container: str, folder: str) -> list[str]:
        """The names of the files in a folder of a container; none where there is no such folder."""
        with _translated():
            try:
                pieces, _ = self._client.get_archive(container, folder)
            except NotFound:
                return []
            with tarfile.open(fileobj=io.BufferedReader(_Pieces(pieces), _PIECE), mode="r|") as tar:
                return [Path(entry.name).name for entry in tar if not entry.isdir() and entry.name.count("/") == 1]

    def beside(self, container: str, program: str, *, without: Sequence[str]) -> Beside:
        """Starts a program in a running container, with the container's user, folder and variables but for some."""
        with _translated():
            made = self._client.exec_create(container, [program], environment=list(without))
            pieces = self._client.exec_start(made["Id"], stream=True, demux=True)
        return Beside(id=made["Id"], output=_pieces_of(pieces))

    def exit_code_beside(self, program: str) -> int | None:
        """The code that a program beside the main one ended with; None while it runs."""
        with _translated():
            found = self._client.exec_inspect(program)
        return None if found["Running"] else int(found["ExitCode"])

    def signal(self, container: str, name: str) -> None:
        """Sends a signal to a container's main process."""
        with _translated():
            self._client.kill(container, name)

    def limit_cpu(self, container: str, *, period: int, quota: int) -> None:
        with _translated():
            self._client.update_container(container, cpu_period=period, cpu_quota=quota)

    def started(self, container: str) -> Started | None:
        """The facts of a running container; None once it has ended."""
        with _translated():
            found = self._client.inspect_container(container)
        state = found["State"]
        if not state["Running"]:
            return None
        networks = found["NetworkSettings"]["Networks"].values()
        return Started(
            at=_seconds(state["StartedAt"]),
            address=next((network["IPAddress"] for network in networks if network["IPAddress"]), ""),
            process=state["Pid"],
            group=of_process(state["Pid"], container),
        )

    def memory(self, container: str) -> Memory | None:
        """What the container holds and has held; None when it has ended. A request: `Started.group` is quicker."""
        with _translated():
            try:
                figures = self._client.stats(container, decode=False, stream=False, one_shot=True)["memory_stats"]
            except NotFound:
                return None
        if "usage" not in figures:
            return None
        statistics = {name.removeprefix("total_"): number for name, number in figures.get("stats", {}).items()}
        return memory_of(figures["usage"], figures.get("max_usage", 0), statistics)

    def events(self, wanted: Mapping[str, str]) -> "Events":
        """What happens from now on to the containers with these labels."""
        filters = {"type": "container", "event": ["die", "oom"], **_labelled(wanted)}
        with _translated():
            return Events(self._client.events(decode=True, filters=filters))

    def pause(self, container: str) -> None:
        """Freezes all processes of a container."""
        with _translated():
            self._client.pause(container)

    def unpause(self, container: str) -> None:
        with _translated():
            self._client.unpause(container)

    def send_signal(self, container: str, name: str) -> None:
        """Sends a signal, such as SIGTERM, to a container's first process."""
        with _translated():
            self._client.kill(container, name)

    def changes(self, container: str) -> list[str]:
        """The paths that were added or changed since the container was made, folders among them."""
        with _translated():
            found = self._client.diff(container) or ()
        return [str(entry["Path"]) for entry in found if entry["Kind"] in (_CHANGED, _ADDED)]

    def run_inside(self, container: str, arguments: Sequence[str]) -> str | None:
        """What a program prints that is started inside a running container; None where it can't be started or fails."""
        try:
            with _translated():
                started = self._client.exec_create(container, list(arguments), stderr=False)["Id"]
                output: bytes = self._client.exec_start(started)
                code = self._client.exec_inspect(started)["ExitCode"]
        except EngineError:
            return None
        return output.decode("utf-8", "replace") if code == 0 else None

    def stop(self, container: str, *, grace: float) -> None:
        """Asks a container to end, and kills it after `grace` seconds."""
        with _translated(), contextlib.suppress(NotFound):
            self._client.stop(container, timeout=int(grace))

    def remove(self, container: str) -> None:
        """Removes a container, running or not, with its anonymous volumes."""
        with _translated():
            try:
                self._client.remove_container(container, force=True, v=True)
            except NotFound:
                pass
            except APIError as error:
                if error.status_code != 409:  # somebody else is removing it
                    raise

    def containers(self, wanted: Mapping[str, str]) -> list[Container]:
        """All containers, running or not, with these labels; an empty value stands for any."""
        with _translated():
            found = self._client.containers(all=True, filters=_labelled(wanted))
        return [
            Container(
                id=entry["Id"],
                name=(entry["Names"] or [""])[0].removeprefix("/"),
                running=entry["State"] == "running",
                labels=entry["Labels"],
            )
            for entry in found
        ]

    # Networks and volumes

    def gateway(self, network: str) -> str:
        """The address of the host on a network: containers on it reach the host there, also when it is internal.

        An old engine doesn't say it of its default network; it is the subnet's first address then.
        """
        with _translated():
            configurations = self._client.inspect_network(network)["IPAM"]["Config"] or ()
        for entry in configurations:
            subnet = ipaddress.ip_network(entry["Subnet"])
            if subnet.version == 4:
                return str(entry.get("Gateway") or subnet[1]).partition("/")[0]
        return ""

    def keep_mounted(self, image: str, volumes: Sequence[Volume], labels: Mapping[str, str]) -> str:
        """Starts a container that does nothing but have volumes mounted; returns its id.

        A file system that lives in memory outlives the containers that use it as long as this one runs.
        """
        spec = ContainerSpec(
            image=image,
            entrypoint=(idle_program.PATH,),
            labels=labels,
            network="none",
            volumes=tuple(replace(volume, target=f"/kept/{number}") for number, volume in enumerate(volumes)),
            limits=replace(UNLIMITED, no_capabilities=True, no_new_privileges=True),
        )
        container = self.create(spec)
        try:
            with _translated():
                self._client.put_archive(container, "/", idle_program.archive(self.architecture))
            self.start(container)
        except BaseException:
            self.remove(container)
            raise
        return container

    def networks(self, wanted: Mapping[str, str]) -> list[Labelled]:
        """All networks with these labels; an empty value stands for any."""
        with _translated():
            found = self._client.networks(filters=_labelled(wanted))
        return [Labelled(name=entry["Id"], labels=entry["Labels"] or {}) for entry in found]

    def has_network(self, name: str) -> bool:
        with _translated():
            try:
                self._client.inspect_network(name)
            except NotFound:
                return False
        return True

    def create_network(self, name: str, *, internal: bool, labels: Mapping[str, str]) -> None:
        """Makes a bridge network; nothing leads out of an internal one, but to the host's own address on it."""
        with _translated():
            self._client.create_network(name, driver="bridge", internal=internal, labels=dict(labels))

    def remove_network(self, network: str) -> None:
        with _translated(), contextlib.suppress(NotFound):
            self._client.remove_network(network)

    def volumes(self, wanted: Mapping[str, str]) -> list[Labelled]:
        """All volumes with these labels; an empty value stands for any."""
        with _translated():
            found = self._client.volumes(filters=_labelled(wanted))["Volumes"] or ()
        return [Labelled(name=entry["Name"], labels=entry["Labels"] or {}) for entry in found]

    def remove_volume(self, volume: str) -> None:
        with _translated(), contextlib.suppress(NotFound):
            self._client.remove_volume(volume, force=True)

    def free_bytes(self) -> int | None:
        """Free space where the engine keeps its data, if that folder can be seen from here."""
        with _translated():
            root = self._client.info()["DockerRootDir"]
        with contextlib.suppress(OSError):
            found = os.statvfs(root)
            return found.f_bavail * found.f_frsize
        return None


class _Pieces(io.RawIOBase):
    """A generator of bytes as a raw stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            with _translated():
                self._rest = memoryview(next(self._pieces, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if isinstance(self._pieces, Generator):
            self._pieces.close()
        super().close()


def registry_login(registry: str) -> tuple[str, str] | None:
    """The user and password that docker's configuration (or its credential helper) has for a registry's host."""
    try:
        found = load_config().resolve_authconfig(registry)
    except DockerException as error:
        raise UsageError(f"docker's login for {registry} can't be read: {error}", remedy="docker login again") from None
    return (str(found["username"]), str(found["password"])) if found and found.get("username") else None


def connect() -> Engine:
    """The engine that the `docker` program would use: DOCKER_HOST, else the current context's.

    Raises EngineUnavailable when none answers.
    """
    try:
        if os.environ.get("DOCKER_HOST"):
            client = docker.APIClient(version="auto", timeout=_TIMEOUT, **docker.utils.kwargs_from_env())
        else:
            context = ContextAPI.get_current_context()
            client = docker.APIClient(context.Host, version="auto", timeout=_TIMEOUT, tls=context.TLSConfig or False)
        return Engine(client)
    except (DockerException, requests.RequestException, OSError) as error:
        raise _unavailable(error) from None


def own_builder() -> str:
    """The buildx builder that is the engine's own, and so has its images: buildx names it after the context."""
    return "default" if os.environ.get("DOCKER_HOST") else str(ContextAPI.get_current_context().Name)


def _unavailable(error: Exception) -> EngineUnavailable:
    where = os.environ.get("DOCKER_HOST", "")
    reason = str(error.args[0] if error.args else error).strip()
    return EngineUnavailable(
        f"no container engine answers{' at ' + where if where else ''}: {_innermost(reason)}",
        remedy="start Docker, or see `lambdaimg doctor`",
    )


def _innermost(reason: str) -> str:
    """The last cause in a chain of wrapped connection errors: `No such file or directory`, `Connection refused`."""
    for known in ("No such file or directory", "Connection refused", "Permission denied", "Name or service not known"):
        if known in reason:
            return known
    return reason


def _labelled(wanted: Mapping[str, str]) -> dict[str, list[str]]:
    return {"label": [f"{key}={value}" if value else key for key, value in wanted.items()]}


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """The SDK's errors as ours."""
    try:
        yield
    except APIError as error:
        raise EngineError(f"the engine refused: {_explanation(error)}") from None
    except requests.RequestException as error:
        raise _unavailable(error) from None


def _explanation(error: APIError) -> str:
    explanation = error.explanation
    return (explanation.decode("utf-8", "replace") if isinstance(explanation, bytes) else str(explanation)).strip()


def _name_and_tag(reference: str) -> tuple[str, str | None]:
    """`host:5000/a/b:tag` → (`host:5000/a/b`, `tag`); a digest counts as the tag, as the API wants it."""
    name, at, digest = reference.partition("@")
    if at:
        return name, digest
    head, colon, tag = name.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (name, "latest")


def _open_folder(name: str) -> bytes:
    """An archive of one folder in which anybody may write."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(entry)
    return archive.getvalue()


def _volume_mount(volume: Volume) -> docker.types.Mount:
    return docker.types.Mount(
        type="volume",
        source=volume.name,
        target=volume.target,
        no_copy=True,
        labels=dict(volume.labels),
        driver_config=docker.types.DriverConfig("local", dict(volume.options)),
    )


def _pieces_of(stream: Any) -> Iterator[tuple[bytes, bytes]]:
    """The pieces of an output stream, which is closed after the last."""
    try:
        for output, errors in stream:
            yield output or b"", errors or b""
    finally:
        _close(stream)


def _close(stream: Any) -> None:
    with contextlib.suppress(Exception):  # the SDK shuts down what it finds of the connection, in whatever state
        stream.close()
    stream._response.close()


def _seconds(timestamp: str) -> float:
    """`2026-11-24T10:00:00.123456789Z` in seconds since 1970."""
    whole, _, fraction = timestamp.removesuffix("Z").partition(".")
    at = datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()
    return at + (float(f"0.{fraction}") if fraction else 0)


class Events:
    """An open stream of the engine's events; iterating ends when it is closed, or the engine goes away."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Event]:
        with contextlib.suppress(requests.RequestException, OSError, ValueError, AttributeError):
            for event in self._stream:
                code = event["Actor"]["Attributes"].get("exitCode", "0")
                yield Event(container=event["Actor"]["ID"], kind=event["Action"], code=int(code))

    def close(self) -> None:
        _close(self._stream)


def env_file(file: str) -> dict[str, str]:
    """The variables of a file of KEY=VALUE lines, as `docker run --env-file` reads it; none without a file.

    Raises UsageError, without the file's content, when it can't be read.
    """
    if not file:
        return {}
    try:
        return dict(parse_env_file(file))
    except OSError as error:
        raise UsageError(f"can't read the env file {file}: {error.strerror}", remedy="mend env-file") from None
    except (DockerException, ValueError):
        raise UsageError(f"{file} is not an env file", remedy="each line is KEY=VALUE, or begins with #") from None
