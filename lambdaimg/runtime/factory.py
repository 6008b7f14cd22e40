"""Makes the execution environments of a project's functions: there is no other way to start one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from types import TracebackType

from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import ContainerSpec
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Function, Project
from lambdaimg.runtime import debugging, placement, rie
from lambdaimg.runtime.container_events import ContainerEvents
from lambdaimg.runtime.emulator import Emulator, Tell
from lambdaimg.runtime.environment import ExecutionEnvironment, Listener, new_environment_id
from lambdaimg.runtime.lambda_emulator import LambdaEmulator
from lambdaimg.runtime.log import Log, OnLine
from lambdaimg.runtime.networks import Networks
from lambdaimg.runtime.placement import Process, Wishes
from lambdaimg.runtime.reach import reach_of
from lambdaimg.runtime.rie_emulator import RieEmulator
from lambdaimg.runtime.temporary_files import Keepers, TemporaryFiles


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
        self._networks = Networks(engine, project)
        self._keepers = Keepers(engine)
        self._reach_of = cache(partial(reach_of, engine))

    def close(self) -> None:
        self._events.close()
        self._keepers.close()
        self._networks.close()

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
        in_a_mount = not function.settings.tmp_on_disk
        files = TemporaryFiles(self.engine, None) if in_a_mount else self._files(function, wishes)
        settings = placement.settings(self._project, function, process, wishes, environment=id)
        spec = replace(spec, volumes=files.volumes, network=self._published_network(function))
        return RieEmulator(self.engine, self._events, spec, settings, files, log, tell)

    def _under_lambdaimg(
        self, function: Function, process: Process, wishes: Wishes, id: str, log: Log, tell: Tell
    ) -> Emulator:
        files = self._files(function, wishes)
        network = self._networks.of(function.settings.vpc)
        reach = self._reach_of(network)
        settings = placement.settings(self._project, function, process, wishes, environment=id)

        def spec_for(api: str) -> ContainerSpec:
            spec = placement.under_lambdaimg(
                self._project,
                function,
                process,
                wishes,
                environment=id,
                api=api,
                metadata_token=settings.metadata_token,
            )
            if wishes.debug:
                spec = debugging.under_debugger(spec, function, wishes.debug)
            return replace(spec, hosts=reach.hosts, volumes=files.volumes, network=network)

        if wishes.debug:
            settings = debugging.without_timeout(settings)
        return LambdaEmulator(self.engine, self._events, spec_for, reach, settings, files, log, tell)

    def _files(self, function: Function, wishes: Wishes) -> TemporaryFiles:
        """A folder on the engine's disk needs no keeping; nor does what ends with its first container."""
        if wishes.unsandboxed:
            return TemporaryFiles(self.engine, None)
        make = partial(placement.temporary_files, self._project, function)
        if function.settings.tmp_on_disk or not self._options.keeps_tmp:
            return TemporaryFiles(self.engine, make())
        return self._keepers.files(self._project.image(function), make)

    def _published_network(self, function: Function) -> str:
        """The RIE is reached at a published port, which a network without a way out does not have."""
        vpc = function.settings.vpc
        if vpc is not None and not (vpc.nat or vpc.network):
            raise UsageError(
                f"{function.name} is in a VPC without a way out, where the RIE is not reached: leave --rie"
            )
        return self._networks.of(vpc)
