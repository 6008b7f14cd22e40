"""The engine's containers."""

import contextlib
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.utils import parse_env_file

from lambdaimg.engine.cgroup import Memory, memory_of, of_process
from lambdaimg.engine.container import ContainerSpec, Volume
from lambdaimg.engine.records import Beside, Container, Started
from lambdaimg.engine.sdk import TIMEOUT, Connected, Events, as_file, labelled, pieces_of, translated
from lambdaimg.model.errors import EngineError, UsageError

_CHANGED, _ADDED = 0, 1
"""Kinds of a change, in the engine's API."""
MISSING_FOLDER: Final = "the working directory doesn't exist"


class Containers(Connected):
    """What an engine does with containers."""

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
        with translated():
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
            with translated():  # the path's last dot makes a file none, and a link what it leads to
                return self._client.head(archive, params={"path": f"{folder}/."}, timeout=TIMEOUT).ok
        finally:
            self.remove(container)

    def _open_to_all(self, image: str, volume: Volume) -> None:
        """A new folder on the engine's disk is root's alone; an archive that has an entry for it sets its mode.

        The entry is not the archive's root, which the engine leaves out. It is unpacked in a container that is made for
        this alone, for beside the volumes of a read-only one the engine unpacks nothing.
        """
        parent, _, folder = volume.target.rpartition("/")
        mounts = self._client.create_host_config(mounts=[_volume_mount(volume)])
        with translated():
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
        with translated():
            self._client.start(container)

    def host_port(self, container: str, port: int) -> int | None:
        """The loopback port that a container's port is published on; None once the container has ended."""
        with translated():
            found = self._client.inspect_container(container)["NetworkSettings"]["Ports"].get(f"{port}/tcp")
        return int(found[0]["HostPort"]) if found else None

    def output(self, container: str) -> Iterator[tuple[bytes, bytes]]:
        """What a container prints from now on, to its end: pairs of (standard output, errors), one of them empty.

        The request is sent at once, so that nothing is missed of a container that is started afterwards.
        """
        with translated():
            stream = self._client.attach(container, stream=True, demux=True)
        return pieces_of(stream)

    def exit_code(self, container: str) -> int | None:
        """The code that the container's main process ended with; None while it runs."""
        with translated():
            state = self._client.inspect_container(container)["State"]
        return None if state["Running"] else int(state["ExitCode"])

    def file_names(self, container: str, folder: str) -> list[str]:
        """The names of the files in a folder of a container; none where there is no such folder."""
        with translated():
            try:
                pieces, _ = self._client.get_archive(container, folder)
            except NotFound:
                return []
            with tarfile.open(fileobj=as_file(pieces), mode="r|") as tar:
                return [Path(entry.name).name for entry in tar if not entry.isdir() and entry.name.count("/") == 1]

    def beside(self, container: str, program: str, *, without: Sequence[str]) -> Beside:
        """Starts a program in a running container, with the container's user, folder and variables but for some."""
        with translated():
            made = self._client.exec_create(container, [program], environment=list(without))
            pieces = self._client.exec_start(made["Id"], stream=True, demux=True)
        return Beside(id=made["Id"], output=pieces_of(pieces))

    def exit_code_beside(self, program: str) -> int | None:
        """The code that a program beside the main one ended with; None while it runs."""
        with translated():
            found = self._client.exec_inspect(program)
        return None if found["Running"] else int(found["ExitCode"])

    def signal(self, container: str, name: str) -> None:
        """Sends a signal to a container's main process."""
        with translated():
            self._client.kill(container, name)

    def limit_cpu(self, container: str, *, period: int, quota: int) -> None:
        with translated():
            self._client.update_container(container, cpu_period=period, cpu_quota=quota)

    def started(self, container: str) -> Started | None:
        """The facts of a running container; None once it has ended."""
        with translated():
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
        with translated():
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
        filters = {"type": "container", "event": ["die", "oom"], **labelled(wanted)}
        with translated():
            return Events(self._client.events(decode=True, filters=filters))

    def pause(self, container: str) -> None:
        """Freezes all processes of a container."""
        with translated():
            self._client.pause(container)

    def unpause(self, container: str) -> None:
        with translated():
            self._client.unpause(container)

    def changes(self, container: str) -> list[str]:
        """The paths that were added or changed since the container was made, folders among them."""
        with translated():
            found = self._client.diff(container) or ()
        return [str(entry["Path"]) for entry in found if entry["Kind"] in (_CHANGED, _ADDED)]

    def run_inside(self, container: str, arguments: Sequence[str]) -> str | None:
        """What a program prints that is started inside a running container; None where it can't be started or fails."""
        try:
            with translated():
                started = self._client.exec_create(container, list(arguments), stderr=False)["Id"]
                output: bytes = self._client.exec_start(started)
                code = self._client.exec_inspect(started)["ExitCode"]
        except EngineError:
            return None
        return output.decode("utf-8", "replace") if code == 0 else None

    def stop(self, container: str, *, grace: float) -> None:
        """Asks a container to end, and kills it after `grace` seconds."""
        with translated(), contextlib.suppress(NotFound):
            self._client.stop(container, timeout=int(grace))

    def remove(self, container: str) -> None:
        """Removes a container, running or not, with its anonymous volumes."""
        with translated():
            try:
                self._client.remove_container(container, force=True, v=True)
            except NotFound:
                pass
            except APIError as error:
                if error.status_code != 409:  # somebody else is removing it
                    raise

    def containers(self, wanted: Mapping[str, str]) -> list[Container]:
        """All containers, running or not, with these labels; an empty value stands for any."""
        with translated():
            found = self._client.containers(all=True, filters=labelled(wanted))
        return [
            Container(
                id=entry["Id"],
                name=(entry["Names"] or [""])[0].removeprefix("/"),
                running=entry["State"] == "running",
                labels=entry["Labels"],
            )
            for entry in found
        ]


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


def _seconds(timestamp: str) -> float:
    """`2026-11-24T10:00:00.123456789Z` in seconds since 1970."""
    whole, _, fraction = timestamp.removesuffix("Z").partition(".")
    at = datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()
    return at + (float(f"0.{fraction}") if fraction else 0)
