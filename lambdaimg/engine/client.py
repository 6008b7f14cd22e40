"""The engine, connected by `connect`. Its modules import the Docker SDK, and are imported when an engine is needed."""

import contextlib
import ipaddress
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import docker
import requests
from docker.auth import load_config
from docker.context import ContextAPI
from docker.errors import DockerException, NotFound

from lambdaimg.engine import idle_program
from lambdaimg.engine.container import UNLIMITED, ContainerSpec, Volume
from lambdaimg.engine.containers import Containers
from lambdaimg.engine.images import ARCHITECTURES, Images
from lambdaimg.engine.records import Labelled
from lambdaimg.engine.sdk import TIMEOUT, labelled, translated, unavailable
from lambdaimg.model.errors import LambdaimgError, UsageError


class Engine(Images, Containers):
    """A connected engine.

    Every method raises EngineUnavailable when the engine goes away, and EngineError with the engine's own words
    when it refuses, unless it says otherwise.
    """

    @cached_property
    def version(self) -> str:
        return str(self._about["Version"])

    @cached_property
    def architecture(self) -> str:
        """Lambda's name for the one that the engine's machine has, or the engine's own."""
        arch = str(self._about["Arch"])
        return ARCHITECTURES.get(arch, arch)

    @cached_property
    def _about(self) -> dict[str, Any]:
        with translated():
            return dict(self._client.version())

    def gateway(self, network: str) -> str:
        """The address of the host on a network: containers on it reach the host there, also when it is internal.

        An old engine doesn't say it of its default network; it is the subnet's first address then.
        """
        with translated():
            configurations = self._client.inspect_network(network)["IPAM"]["Config"] or ()
        for entry in configurations:
            subnet = ipaddress.ip_network(entry["Subnet"])
            if subnet.version == 4:
                return str(entry.get("Gateway") or subnet[1]).partition("/")[0]
        return ""

    def create_keeper(self, image: str, volumes: Sequence[Volume], labels: Mapping[str, str]) -> str:
        """Makes a container that does nothing but have volumes mounted, once `start_keeper` has started it."""
        return self.create(_keeping(image, volumes, labels))

    def start_keeper(self, container: str) -> None:
        """A file system that lives in memory outlives the containers that use it as long as this one runs."""
        with translated():
            self._client.put_archive(container, "/", idle_program.archive(self.architecture))
        self.start(container)

    @contextlib.contextmanager
    def held_mounted(self, image: str, volumes: Sequence[Volume], labels: Mapping[str, str]) -> Iterator[str]:
        """Has volumes mounted within the block, which is to be short: engine 20.10 removes no image meanwhile.

        An upload to a container mounts its volumes at once, and this one, to a container that never starts, ends with
        the block. Gives the container's id: where the engine goes away meanwhile, the container stays.
        """
        container = self.create(_keeping(image, volumes, labels))
        left = threading.Event()
        upload = threading.Thread(target=self._upload_nothing, args=(container, left), name="hold", daemon=True)
        upload.start()
        try:
            yield container
        finally:
            left.set()
            upload.join()
            self.remove(container)

    def _upload_nothing(self, container: str, until: threading.Event) -> None:
        def archive() -> Iterator[bytes]:
            yield bytes(512)
            until.wait()
            yield bytes(512)  # an empty archive ends with two blocks of zeros

        with contextlib.suppress(LambdaimgError), translated():
            self._client.put_archive(container, "/", archive())

    def networks(self, wanted: Mapping[str, str]) -> list[Labelled]:
        """All networks with these labels; an empty value stands for any."""
        with translated():
            found = self._client.networks(filters=labelled(wanted))
        return [Labelled(name=entry["Id"], labels=entry["Labels"] or {}) for entry in found]

    def has_network(self, name: str) -> bool:
        with translated():
            try:
                self._client.inspect_network(name)
            except NotFound:
                return False
        return True

    def create_network(self, name: str, *, internal: bool, labels: Mapping[str, str]) -> None:
        """Makes a bridge network; nothing leads out of an internal one, but to the host's own address on it."""
        with translated():
            self._client.create_network(name, driver="bridge", internal=internal, labels=dict(labels))

    def remove_network(self, network: str) -> None:
        with translated(), contextlib.suppress(NotFound):
            self._client.remove_network(network)

    def volumes(self, wanted: Mapping[str, str]) -> list[Labelled]:
        """All volumes with these labels; an empty value stands for any."""
        with translated():
            found = self._client.volumes(filters=labelled(wanted))["Volumes"] or ()
        return [Labelled(name=entry["Name"], labels=entry["Labels"] or {}) for entry in found]

    def remove_volume(self, volume: str) -> None:
        with translated(), contextlib.suppress(NotFound):
            self._client.remove_volume(volume, force=True)

    def free_bytes(self) -> int | None:
        """Free space where the engine keeps its data, if that folder can be seen from here."""
        with translated():
            root = self._client.info()["DockerRootDir"]
        with contextlib.suppress(OSError):
            found = os.statvfs(root)
            return found.f_bavail * found.f_frsize
        return None


def _keeping(image: str, volumes: Sequence[Volume], labels: Mapping[str, str]) -> ContainerSpec:
    """A container for volumes alone."""
    return ContainerSpec(
        image=image,
        entrypoint=(idle_program.PATH,),
        labels=labels,
        network="none",
        volumes=tuple(replace(volume, target=f"/kept/{number}") for number, volume in enumerate(volumes)),
        limits=replace(UNLIMITED, no_capabilities=True, no_new_privileges=True),
    )


def connect() -> Engine:
    """The engine that the `docker` program would use: DOCKER_HOST, else the current context's.

    Raises EngineUnavailable when none answers.
    """
    try:
        if os.environ.get("DOCKER_HOST"):
            client = docker.APIClient(version="auto", timeout=TIMEOUT, **docker.utils.kwargs_from_env())
        else:
            context = ContextAPI.get_current_context()
            client = docker.APIClient(context.Host, version="auto", timeout=TIMEOUT, tls=context.TLSConfig or False)
        return Engine(client)
    except (DockerException, requests.RequestException, OSError) as error:
        raise unavailable(error) from None


def own_builder() -> str:
    """The buildx builder that is the engine's own, and so has its images: buildx names it after the context."""
    return "default" if os.environ.get("DOCKER_HOST") else str(ContextAPI.get_current_context().Name)


def registry_login(registry: str) -> tuple[str, str] | None:
    """The user and password that docker's configuration (or its credential helper) has for a registry's host."""
    try:
        found = load_config().resolve_authconfig(registry)
    except DockerException as error:
        raise UsageError(f"docker's login for {registry} can't be read: {error}", remedy="docker login again") from None
    return (str(found["username"]), str(found["password"])) if found and found.get("username") else None
