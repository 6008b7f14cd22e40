"""How long it takes from a request to the answer of a new environment, beside what the engine and the runtime take."""

import asyncio
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from benchmarks.scenario import LAMBDAIMG, Contestant, Failed, Goal, Scenario
from benchmarks.workspace import workspace
from lambdaimg.catalog import languages
from lambdaimg.engine.client import Engine, connect
from lambdaimg.engine.container import ContainerSpec
from lambdaimg.model import project_file
from lambdaimg.model.invocation import Request
from lambdaimg.model.project import Function, Project
from lambdaimg.runtime import placement
from lambdaimg.runtime.emulator import Settings
from lambdaimg.runtime.environment import new_environment_id
from lambdaimg.runtime.environment_api import EnvironmentApi
from lambdaimg.runtime.factory import EnvironmentFactory, Options
from lambdaimg.runtime.networks import DEFAULT
from lambdaimg.runtime.placement import Wishes
from lambdaimg.runtime.reach import reach_of

_MEMORY: Final = 1_769
_LEAST: Final = "create + start + init"


@contextmanager
def _contestants() -> Iterator[Sequence[Contestant]]:
    with workspace(_MEMORY) as made, asyncio.Runner() as runner:
        made.lambdaimg("build")
        project = project_file.load(made.root / "lambdaimg.toml", languages=languages.names())
        function, engine = project.one("hello"), connect()
        with EnvironmentFactory(engine, project, Options(), lambda _: None) as factory:
            yield [
                Contestant(name=LAMBDAIMG, measure=lambda: runner.run(_answered(factory, function))),
                Contestant(name=_LEAST, measure=lambda: runner.run(_started(engine, project, function))),
            ]


async def _answered(factory: EnvironmentFactory, function: Function) -> float:
    """To the answer; what it takes to end the environment is not counted."""
    start = time.perf_counter()
    async with factory.make(function, Wishes(), lambda _: None) as environment:
        invocation = await environment.invoke(Request(event=b"{}"))
        took = time.perf_counter() - start
    if invocation.function_error:
        raise Failed(invocation.payload.decode("utf-8", "replace"))
    return took


async def _started(engine: Engine, project: Project, function: Function) -> float:
    """To the runtime's call for its first event, in a container of the same specification."""
    settings = Settings(function=function.name, arn="", memory=0, timeout=0, cpu_quota=0)
    id, api, reach = new_environment_id(), EnvironmentApi(settings), reach_of(engine, DEFAULT)
    door = socket.create_server((reach.listen, 0))
    await api.serve(door)
    volume = placement.temporary_files(project, function)
    if (image := engine.image(project.image(function))) is None:
        raise Failed("there is no image")
    process = placement.process_of(function, image)
    address = f"{reach.name}:{door.getsockname()[1]}"
    spec = placement.under_lambdaimg(
        project, function, process, Wishes(), environment=id, api=address, metadata_token=""
    )
    api.allow("")
    try:
        return await _ready(engine, replace(spec, hosts=reach.hosts, volumes=(volume,)), api)
    finally:
        await api.close()
        engine.remove_volume(volume.name)


async def _ready(engine: Engine, spec: ContainerSpec, api: EnvironmentApi) -> float:
    start = time.perf_counter()
    container = await asyncio.to_thread(engine.create, spec)
    try:
        await asyncio.to_thread(engine.start, container)
        await api.runtime.first_next
        return time.perf_counter() - start
    finally:
        engine.remove(container)


SCENARIOS: Final = (
    Scenario(
        name="a new environment, from request to answer",
        contestants=_contestants,
        goal=Goal(at_most=1.2, beside=_LEAST),
        repeat=15,
        quick=7,
    ),
)
