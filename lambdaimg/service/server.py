"""`serve`: a project's functions, their event queue and their endpoint, in one event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from lambdaimg.engine.client import Engine
from lambdaimg.model import quotas
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Function, Project
from lambdaimg.pool.admission import Admission
from lambdaimg.pool.machine import Machine
from lambdaimg.pool.renewal import renewal
from lambdaimg.runtime.emulator import Happening
from lambdaimg.runtime.factory import EnvironmentFactory
from lambdaimg.runtime.log import OnLine
from lambdaimg.runtime.placement import Wishes
from lambdaimg.service.api import Api, engine_errors
from lambdaimg.service.asynchronous import AsynchronousQueue, Say
from lambdaimg.service.console import Console
from lambdaimg.service.destinations import Destinations
from lambdaimg.service.event_store import EventStore
from lambdaimg.service.feed import Feed
from lambdaimg.service.local_lambda import LocalLambda
from lambdaimg.service.metrics import Metrics
from lambdaimg.service.url_routes import UrlRoutes
from lambdaimg.service.wire import errors_as_lambdas, serving

QUEUE: Final = ".lambdaimg/events.sqlite"
"""The event queue's file, in the project's folder."""

Build = Callable[[Sequence[Function]], object]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What `serve` is told beside the project. `environments` is the machine's limit; times are seconds."""

    account_concurrency: int
    environments: int
    idle_timeout: float
    time_scale: float


class Server:
    """All that serves a project. `on_line` gets each line of every function's log, after the function's name."""

    def __init__(
        self,
        engine: Engine,
        project: Project,
        factory: EnvironmentFactory,
        wishes: Wishes,
        limits: Limits,
        on_line: OnLine,
        say: Say,
        *,
        watch: bool,
    ) -> None:
        _check_places(project, limits.environments)
        self._project = project
        self._say = say
        self._is_told = False
        self._limits = limits
        self._renewals = {each.name: renewal(project, each) for each in project.functions if watch and each.is_built}
        admission = Admission(limits.account_concurrency)
        metrics = Metrics(project.functions, admission)
        self._feed = feed = Feed()

        def logged(function: str, line: str) -> None:
            feed.logged(function, line)
            on_line(f"{function}  {line}")

        def happened(happening: Happening) -> None:
            metrics.happened(happening)
            feed.happened(happening)

        self.functions = LocalLambda(
            engine,
            project,
            factory,
            Machine(limits.environments, on_full=self._machine_is_full),
            admission,
            wishes={each.name: self._own(wishes, each) for each in project.functions},
            idle_timeout=limits.idle_timeout,
            on_line=logged,
            listener=happened,
            metrics=metrics,
        )
        self.queue = AsynchronousQueue(
            EventStore(project.root / QUEUE),
            self.functions,
            Destinations(project.root, project.region),
            say,
            time_scale=limits.time_scale,
        )

    def _own(self, wishes: Wishes, function: Function) -> Wishes:
        """With the source mounted, where an edit of it needs no build."""
        followed = self._renewals.get(function.name)
        return replace(wishes, source=followed.mounted) if followed else wishes

    def _machine_is_full(self) -> None:
        if not self._is_told:
            self._is_told = True
            self._say(
                f"all {self._limits.environments} environments that this machine holds are busy: requests wait. "
                "This is no rule of Lambda's; --max-environments changes it"
            )

    def application(self) -> web.Application:
        most = quotas.SYNCHRONOUS_PAYLOAD_BYTES + 1
        urls = UrlRoutes(self.functions)
        middlewares = [engine_errors, errors_as_lambdas, urls.by_host]
        application = web.Application(client_max_size=most, middlewares=middlewares)
        Api(self.functions, self.queue).add_routes(application.router)
        Console(self.functions, self._feed).add_routes(application.router)
        urls.add_routes(application.router)
        return application

    @asynccontextmanager
    async def running(self, listening: socket.socket, build: Build) -> AsyncIterator[None]:
        """Serves within the block, in step with the sources that are watched; `build` is called where it takes one."""
        watchers: list[asyncio.Task[None]] = []
        async with serving(self.application(), listening):
            try:
                await self.queue.start()
                await self.functions.warm()
                watchers += [asyncio.ensure_future(self._follow(name, build)) for name in self._renewals]
                yield
            finally:
                for watcher in watchers:
                    watcher.cancel()
                await asyncio.gather(*watchers, return_exceptions=True)
                await self.queue.stop()
                await self.functions.close()

    async def _follow(self, name: str, build: Build) -> None:
        served = self.functions.served[name]
        await self._renewals[name].follow(served.pool, lambda: build((served.function,)), self._say)


def _check_places(project: Project, environments: int) -> None:
    """Raises UsageError where the provisioned environments leave no place for the functions without any."""
    provisioned = [each.settings.provisioned_concurrency or 0 for each in project.functions]
    needed = sum(provisioned) + (0 if all(provisioned) else 1)
    if needed > environments:
        raise UsageError(
            f"{environments} environments are too few: {sum(provisioned)} are provisioned, others need a place too",
            remedy=f"--max-environments {needed} or more, or a lower provisioned-concurrency",
        )
