"""How a container reaches this process: where the Runtime API listens, and under which name it is found there."""

import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lambdaimg.engine.client import Engine

_LOOPBACK: Final = "127.0.0.1"
_HOST_NAME: Final = "host.docker.internal"
"""The host's name inside containers where the engine runs in a virtual machine."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The address to listen on, and the host's name inside the container."""

    listen: str
    name: str

    @property
    def hosts(self) -> Mapping[str, str]:
        """What the container must be told for that name to mean the host."""
        return {_HOST_NAME: "host-gateway"} if self.name == _HOST_NAME else {}

    def caller(self, address: str) -> str:
        """Where calls of the container at `address` come from: empty, anywhere, where its machine hands them on."""
        return "" if self.listen == _LOOPBACK else address


def reach_of(engine: Engine, network: str) -> Reach:
    """The gateway of the environments' network, where it is an address of this machine; else the loopback."""
    gateway = engine.gateway(network)
    if gateway and _is_ours(gateway):
        return Reach(listen=gateway, name=gateway)
    return Reach(listen=_LOOPBACK, name=_HOST_NAME)


def _is_ours(address: str) -> bool:
    try:
        socket.create_server((address, 0)).close()
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EINVAL):
            return False
        raise
    return True
