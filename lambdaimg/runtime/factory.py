"""Makes the execution environments of a project's functions: there is no other way to start one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import TracebackType

from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import ContainerSpec, Volume
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Function, Project
from lambdaimg.runtime import placement, rie
from lambdaimg.runtime.container_events import ContainerEvents
from lambdaimg.runtime.emulator import Emulator, Tell
from lambdaimg.runtime.environment import ExecutionEnvironment, Listener, new_environment_id
from lambdaimg.runtime.lambda_emulator import LambdaEmulator
from lambdaimg.runtime.log import Log, OnLine
from lambdaimg.runtime.placement import Process, Wishes
from lambdaimg.runtime.reach import Reach, reach_of
from lambdaimg.runtime.rie_emulator import RieEmulator
from lambdaimg.runtime.temporary_files import TemporaryFiles


@dataclass(frozen=True, kw_only=True)
class Options:
    """How all environments of one factory are made. With `keeps_tmp` off, /tmp ends with the first container."""

    rie: bool = False
    freeze: bool = False
    keeps_tmp: bool = True


class EnvironmentFactory:
    """A context manager for use within one event loop; environments must be stopped before it is left."""

    def __init__(self, engine: Engine, project: Project, options: Options, say: Callable[[str], None]) -> None:
        self.engine = engine
        self._project = project
        self._options = options
        self._say = say
        self._events = ContainerEvents(engine)

    def close(self) -> None:
        self._events.close()

    def __enter__(self) -> "EnvironmentFactory":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def make(
        self, function: Function, wishes: Wishes, on_line: OnLine, listener: Listener = lambda _: None
    ) -> ExecutionEnvironment:
        """An environment of a function whose image is built; it is not started yet.

        Raises UsageError when the image isn't there, RemoteError when the RIE can't be fetched.
        """
        id = new_environment_id()
        process = self._process(function)
        emulator = self._under_rie if self._options.rie else self._under_lambdaimg
        return ExecutionEnvironment(
            function.name,
            partial(emulator, function, process, wishes, id),
            on_line=on_line,
            listener=listener,
            freeze=self._options.freeze,
            id=id,
        )

    def _process(self, function: Function) -> Process:
        image = self.engine.image(self._project.image(function))
        if image is None:
            raise UsageError(f"there is no image {self._project.image(function)}", remedy="build it: lambdaimg build")
        return placement.process_of(function, image)

    def _under_rie(
        self, function: Function, process: Process, wishes: Wishes, id: str, log: Log, tell: Tell
    ) -> Emulator:
        binary = rie.ensure(function.architecture, self._say)
        spec = placement.under_rie(self._project, function, process, binary, wishes)
        volume = self._volume(function, wishes, id) if function.settings.tmp_on_disk else None
        files = self._files(function, volume)
        settings = placement.settings(self._project, function, process, wishes)
        spec = replace(spec, volumes=files.volumes)
        return RieEmulator(self.engine, self._events, spec, settings, files, log, tell)

    def _under_lambdaimg(
        self, function: Function, process: Process, wishes: Wishes, id: str, log: Log, tell: Tell
    ) -> Emulator:
        files = self._files(function, self._volume(function, wishes, id))

        def spec_for(api: str) -> ContainerSpec:
            spec = placement.under_lambdaimg(self._project, function, process, wishes, environment=id, api=api)
            return replace(spec, hosts=self._reach.hosts, volumes=files.volumes)

        settings = placement.settings(self._project, function, process, wishes)
        return LambdaEmulator(self.engine, self._events, spec_for, self._reach, settings, files, log, tell)

    def _volume(self, function: Function, wishes: Wishes, id: str) -> Volume | None:
        return placement.temporary_files(self._project, function, wishes, environment=id)

    def _files(self, function: Function, volume: Volume | None) -> TemporaryFiles:
        image = self._project.image(function)
        return TemporaryFiles(self.engine, volume, image, keeps=self._options.keeps_tmp)

    @cached_property
    def _reach(self) -> Reach:
        return reach_of(self.engine)
