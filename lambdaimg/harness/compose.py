"""A project's compose file for pytest-docker, which starts and stops the services around the tests."""

from pathlib import Path
from typing import Final

from lambdaimg.engine.client import connect
from lambdaimg.images.build import plans_of
from lambdaimg.images.plan import Plan
from lambdaimg.images.project_files import project_files
from lambdaimg.images.wanted_bases import WantedBases
from lambdaimg.images.write import write_private
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Project

FOLDER: Final = ".lambdaimg/compose"


def rendered(project: Project) -> Path:
    """Renders the compose file of all functions, and what it builds from, into a folder that git ignores.

    The bases are in the engine then. Raises ProjectError, BuildError, and UsageError for a function whose entrypoint
    only a built image knows.
    """
    bases = WantedBases(connect, project.registry_mirror, lambda _: None)
    plans = plans_of(project, project.functions, bases.find)
    bases.provide()
    write_private(project.root / FOLDER, project_files(plans, FOLDER, _process, container_names=False))
    return project.root / FOLDER / "compose.yaml"


def _process(plan: Plan) -> tuple[str, ...]:
    if not plan.process:
        raise UsageError(
            f"{plan.function.name} has no template, and only its image knows the entrypoint",
            remedy="set entrypoint and command, or write the compose file with `lambdaimg render`",
        )
    return plan.process
