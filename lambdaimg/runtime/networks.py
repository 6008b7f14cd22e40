"""Where a function stands on the network: outside a VPC, or inside one, with a way out or without.

Outside, an environment has the engine's default network, and an address that is another for each environment. Inside a
VPC it has no public address: only a NAT gateway leads out of it (Developer Guide, "Giving Lambda functions access to
resources in an Amazon VPC").
"""

import threading
from typing import Final

from lambdaimg.engine import labels
from lambdaimg.engine.client import Engine
from lambdaimg.model.deployment import VpcSettings
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Project

DEFAULT: Final = "bridge"


class Networks:
    """The networks of a project's environments. Those of its VPC are made when first needed, and removed by `close`."""

    def __init__(self, engine: Engine, project: Project) -> None:
        self._engine = engine
        self._project = project
        self._lock = threading.Lock()
        self._made: dict[bool, str] = {}

    def of(self, vpc: VpcSettings | None) -> str:
        """The network for a function. Raises UsageError when the project names one that the engine doesn't have."""
        if vpc is None:
            return DEFAULT
        if vpc.network:
            if not self._engine.has_network(vpc.network):
                raise UsageError(
                    f"the engine has no network {vpc.network!r}, which vpc.network names",
                    remedy="start what makes it (docker compose up), or see `docker network ls`",
                )
            return vpc.network
        with self._lock:
            if vpc.nat not in self._made:
                self._made[vpc.nat] = self._make(nat=vpc.nat)
            return self._made[vpc.nat]

    def _make(self, *, nat: bool) -> str:
        owner = labels.this_process()
        kind = "vpc-nat" if nat else "vpc"
        name = f"lambdaimg-{self._project.path_hash}-{owner.process}-{kind}"
        self._engine.create_network(name, internal=not nat, labels=labels.made_by(self._project, kind))
        return name

    def close(self) -> None:
        with self._lock:
            made, self._made = list(self._made.values()), {}
        for network in made:
            self._engine.remove_network(network)
