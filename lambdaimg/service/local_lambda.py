"""All functions of a project, invoked as Lambda would: admitted by its rules, run in environments that scale out."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from lambdaimg.engine.client import Engine
from lambdaimg.engine.records import Image
from lambdaimg.model.errors import EngineError
from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.model.project import Function, Project
from lambdaimg.pool.admission import Admission, Lease, Throttled
from lambdaimg.pool.machine import Machine
from lambdaimg.pool.pool import EnvironmentPool
from lambdaimg.runtime.emulator import PROVISIONED
from lambdaimg.runtime.environment import ExecutionEnvironment, Listener
from lambdaimg.runtime.factory import EnvironmentFactory
from lambdaimg.runtime.placement import Wishes
from lambdaimg.service.metrics import Metrics


@dataclass(frozen=True, kw_only=True)
class Served:
    """One function that is served."""

    function: Function
    pool: EnvironmentPool
    admission: Admission
    metrics: Metrics

    async def invoke(self, request: Request) -> Invocation:
        """Raises Throttled where Lambda would answer 429, EnvironmentFailed where the environment could not run."""
        with self._admitted():
            return await self.pool.invoke(request)

    def _admitted(self) -> Lease:
        name = self.function.name
        try:
            lease = self.admission.admit(name)
        except Throttled:
            self.metrics.count("Throttles", name)
            raise
        share = self.admission.share(name)
        if share.running > share.provisioned > 0:
            self.metrics.count("ProvisionedConcurrencySpilloverInvocations", name)
        return lease


class LocalLambda:
    """The functions of a project by name, each with its wishes. `on_line` gets a function's name and a log line."""

    def __init__(
        self,
        engine: Engine,
        project: Project,
        factory: EnvironmentFactory,
        machine: Machine,
        admission: Admission,
        *,
        wishes: Mapping[str, Wishes],
        idle_timeout: float,
        on_line: Callable[[str, str], None],
        listener: Listener,
        metrics: Metrics,
    ) -> None:
        self.project = project
        self.admission = admission
        self._engine = engine
        self._factory = factory
        self._wishes = wishes
        self._on_line = on_line
        self._listener = listener
        self.metrics = metrics
        self.served = {function.name: self._serve(function, machine, idle_timeout) for function in project.functions}

    def _serve(self, function: Function, machine: Machine, idle_timeout: float) -> Served:
        settings, wishes = function.settings, self._wishes[function.name]
        provisioned = settings.provisioned_concurrency or 0
        self.admission.add(function.name, reserved=settings.reserved_concurrency, provisioned=provisioned)
        pool = EnvironmentPool(
            lambda: self._made(function, wishes),
            machine=machine,
            idle_timeout=idle_timeout,
            provisioned=provisioned,
            make_provisioned=lambda: self._made(function, replace(wishes, initialization=PROVISIONED)),
            on_failed=lambda error: self._on_line(function.name, str(error)),
        )
        return Served(function=function, pool=pool, admission=self.admission, metrics=self.metrics)

    def _made(self, function: Function, wishes: Wishes) -> ExecutionEnvironment:
        return self._factory.make(
            function, wishes, lambda line: self._on_line(function.name, line), listener=self._listener
        )

    def image(self, function: Function) -> Image:
        """Raises EngineError when the engine has lost it."""
        image = self._engine.image(self.project.image(function))
        if image is None:
            raise EngineError(f"the engine has lost {self.project.image(function)}", remedy="build it again")
        return image

    async def warm(self) -> None:
        """Starts the provisioned environments. Raises EnvironmentFailed."""
        kept = [each.pool.warm() for each in self.served.values() if each.function.settings.provisioned_concurrency]
        await asyncio.gather(*kept)

    async def close(self) -> None:
        """Ends all environments."""
        await asyncio.gather(*(each.pool.close() for each in self.served.values()))
