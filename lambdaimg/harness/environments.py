"""The execution environments of a project's functions, as the runner asks for them."""

from collections.abc import Mapping
from dataclasses import dataclass

from lambdaimg.harness.runner import OnLine
from lambdaimg.model.project import Project
from lambdaimg.runtime.environment import ExecutionEnvironment
from lambdaimg.runtime.factory import EnvironmentFactory
from lambdaimg.runtime.placement import Wishes


@dataclass(frozen=True, kw_only=True)
class ProjectEnvironments:
    """Environments of functions whose images are built. Within one event loop."""

    factory: EnvironmentFactory
    project: Project

    def open(self, function: str, variables: Mapping[str, str], on_line: OnLine) -> ExecutionEnvironment:
        return self.factory.make(self.project.one(function), Wishes(environment=variables), on_line)
