"""What an edit of a function's source calls for: other environments, after a build where mounting does not do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lambdaimg.catalog import languages
from lambdaimg.images.dependencies import detect
from lambdaimg.model.errors import LambdaimgError, UsageError
from lambdaimg.model.project import Function, Project
from lambdaimg.pool.pool import EnvironmentPool
from lambdaimg.pool.watch import check_watcher, unreadable, watch

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """How one function is kept in step with its source."""

    function: str
    watched: Path
    mounted: str
    """The folder that is mounted over the image's code; empty where every edit takes a build."""
    built_from: frozenset[Path]
    """The files among the source whose edit takes a build all the same: they say what is installed."""

    def needs_build(self, changed: frozenset[Path]) -> bool:
        return not self.mounted or bool(changed & self.built_from)

    async def follow(self, pool: EnvironmentPool, build: Callable[[], object], say: Say) -> None:
        """Renews the pool's environments at each change, until it is cancelled.

        A failed build leaves the old code in place, and is told.
        """

        async def changed(files: frozenset[Path]) -> None:
            try:
                if self.needs_build(files):
                    say(f"{self.function}: {_named(files)} changed: building")
                    await asyncio.to_thread(build)
                self._warn_of_unreadable(say)
                pool.renew()
                await pool.warm()
                say(f"{self.function}: {_named(files)} changed: the new code answers")
            except LambdaimgError as error:
                say("\n".join((*error.output, *error.lines())))

        self._warn_of_unreadable(say)
        await watch((self.watched,), changed)

    def _warn_of_unreadable(self, say: Say) -> None:
        closed = unreadable(self.watched) if self.mounted else []
        if closed:
            say(f"{self.function}: Lambda's user can't read {closed[0]}: chmod -R a+rX {self.watched}")


def _named(files: frozenset[Path]) -> str:
    first = min(files).name
    return first if len(files) == 1 else f"{first} and {len(files) - 1} more"


def renewal(project: Project, function: Function) -> Renewal:
    """Raises UsageError when there is nothing to watch, or no watcher is installed."""
    check_watcher()
    if not function.is_built:
        raise UsageError(f"{function.name} is an image that exists: it has no source to watch", remedy="leave --watch")
    settings = function.settings
    if settings.dockerfile:
        return Renewal(function=function.name, watched=project.root, mounted="", built_from=frozenset())
    source, dependencies = (project.root / function.source).resolve(), detect(project, function)
    runs_as_it_is = languages.read(settings.language).mounted_source and not dependencies.compiled
    return Renewal(
        function=function.name,
        watched=source,
        mounted=str(source) if runs_as_it_is and not settings.template else "",
        built_from=frozenset((project.root / file).resolve() for file in dependencies.files),
    )
