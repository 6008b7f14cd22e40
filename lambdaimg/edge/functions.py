"""The functions of a distribution, in the same environments as everywhere: a pool for each."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.model.project import Function
from lambdaimg.pool.machine import Machine, default_environments
from lambdaimg.pool.pool import EnvironmentPool
from lambdaimg.pool.renewal import Renewal
from lambdaimg.runtime.factory import EnvironmentFactory
from lambdaimg.runtime.placement import Wishes

Say = Callable[[str], None]


@dataclass(frozen=True)
class Functions:
    """Pools by the functions' names. They must be closed before the factory is."""

    pools: Mapping[str, EnvironmentPool]

    async def invoke(self, name: str, request: Request) -> Invocation:
        return await self.pools[name].invoke(request)

    async def warm(self) -> None:
        """Has an environment of each function ready. Raises EnvironmentFailed."""
        await asyncio.gather(*(pool.warm() for pool in self.pools.values()))

    async def close(self) -> None:
        await asyncio.gather(*(pool.close() for pool in self.pools.values()))

    async def follow(self, plans: Mapping[str, Renewal], build: Callable[[str], object], say: Say) -> None:
        """Renews each function's environments when its source is edited, until it is cancelled."""
        await asyncio.gather(
            *(plan.follow(self.pools[name], partial(build, name), say) for name, plan in plans.items())
        )


def functions(
    factory: EnvironmentFactory,
    chosen: Mapping[str, Function],
    wishes: Wishes,
    plans: Mapping[str, Renewal],
    on_line: Say,
) -> Functions:
    """The pools of functions whose images are built; those with a plan have their source mounted."""
    machine = Machine(default_environments())

    def pool(name: str, function: Function) -> EnvironmentPool:
        wanted = replace(wishes, source=plans[name].mounted) if name in plans else wishes
        return EnvironmentPool(lambda: factory.make(function, wanted, on_line), machine=machine)

    return Functions({name: pool(name, function) for name, function in chosen.items()})
