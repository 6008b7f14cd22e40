"""What an edit of a function's source calls for: other environments, after a build where mounting does not do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from lambdaimg.catalog import languages
from lambdaimg.engine import programs
from lambdaimg.images.dependencies import detect
from lambdaimg.model.errors import LambdaimgError, UsageError
from lambdaimg.model.project import Function, Project
from lambdaimg.pool.pool import EnvironmentPool
from lambdaimg.pool.watch import check_watcher, unreadable, watch
from lambdaimg.runtime.uninterrupted import uninterrupted

_LOOK_EVERY: Final = 0.1
"""Seconds between two looks for a program that a build which is not wanted any more has started."""

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """How one function is kept in step with its source."""

    function: str
    watched: tuple[Path, ...]
    """The folders of its source and its layers."""
    mounted: str = ""
    """The folder that is mounted over the image's code; empty where every edit takes a build."""
    built_from: Callable[[], frozenset[Path]] = frozenset
    """The files among the source, as it is now, whose edit takes a build all the same: they say what is installed."""
    first_built_from: frozenset[Path] = frozenset()

    def needs_build(self, changed: frozenset[Path]) -> bool:
        """Raises ProjectError when a file that says what is installed can't be read."""
        if not self.mounted or not all(file.is_relative_to(self.mounted) for file in changed):
            return True
        return bool(changed & (self.first_built_from | self.built_from()))

    async def follow(
        self,
        pool: EnvironmentPool,
        build: Callable[[], object],
        say: Say,
        *,
        after: "asyncio.Future[None] | None" = None,
    ) -> None:
        """Renews the pool's environments at each change, until it is cancelled; none before `after` is done.

        A failed build leaves the old code in place, and is told.
        """

        async def changed(files: frozenset[Path]) -> None:
            if after is not None:
                await asyncio.wait((after,))
            try:
                if self.needs_build(files):
                    say(f"{self.function}: {_named(files)} changed: building")
                    await _built(build)
            except LambdaimgError as error:
                say("\n".join((*error.output, *error.lines(), f"{self.function}: the old code still answers")))
                return
            await self._renew(pool, files, say)

        self._warn_of_unreadable(say)
        await watch(self.watched, changed)

    async def _renew(self, pool: EnvironmentPool, files: frozenset[Path], say: Say) -> None:
        self._warn_of_unreadable(say)
        pool.renew()
        try:
            await pool.warm()
        except LambdaimgError as error:
            say("\n".join((*error.output, *error.lines())))
        else:
            say(f"{self.function}: {_named(files)} changed: the new code answers")

    def _warn_of_unreadable(self, say: Say) -> None:
        closed = unreadable(Path(self.mounted)) if self.mounted else []
        if closed:
            say(f"{self.function}: Lambda's user can't read {closed[0]}: chmod -R a+rX {self.mounted}")


async def _built(build: Callable[[], object]) -> None:
    """Builds, on a thread of its own. When it is cancelled the build is interrupted, which may have minutes to go."""
    building = asyncio.ensure_future(asyncio.to_thread(build))
    try:
        await asyncio.shield(building)
    except asyncio.CancelledError:
        await uninterrupted(_interrupt(building))
        raise


async def _interrupt(building: "asyncio.Future[object]") -> None:
    while not building.done():
        programs.interrupt()
        await asyncio.wait((building,), timeout=_LOOK_EVERY)
    await asyncio.gather(building, return_exceptions=True)


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
        return Renewal(function=function.name, watched=(project.root,))
    source = (project.root / function.source).resolve()
    layers = ((project.root / layer.source).resolve() for layer in project.layers_of(function))
    built_from = partial(_built_from, project, function)
    runs_as_it_is = languages.read(settings.language).mounted_source and not detect(project, function).compiled
    return Renewal(
        function=function.name,
        watched=(source, *layers),
        mounted=str(source) if runs_as_it_is and not settings.template else "",
        built_from=built_from,
        first_built_from=built_from(),
    )


def _built_from(project: Project, function: Function) -> frozenset[Path]:
    return frozenset((project.root / file).resolve() for file in detect(project, function).files)
