"""The folder /tmp of each environment: it outlives the containers that a reset replaces, as on Lambda.

It is a volume. One in memory is gone when no container has it mounted, so another container, which does nothing, keeps
it: one for several environments, for a container takes time and memory.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import Final

from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import Volume
from lambdaimg.model.errors import LambdaimgError

_KEPT_TOGETHER: Final = 4
"""Volumes of one keeper. What an environment left in its own is freed when all of them have ended."""
_HELD_AT_LEAST: Final = 1.0
"""Seconds before the keeper is started: a burst of starts goes before it, and what ends sooner needs none."""

MakeVolume = Callable[[], Volume]


class TemporaryFiles:
    """The folder of one environment; `volume` is None where it is the image's, or a mount of the container's own."""

    def __init__(self, engine: Engine, volume: Volume | None, keeper: "Keeper | None" = None) -> None:
        self._engine = engine
        self._volume = volume
        self._keeper = keeper

    @property
    def volumes(self) -> tuple[Volume, ...]:
        return (self._volume,) if self._volume else ()

    def hold(self) -> None:
        """Just before the first container is started; takes no time of the caller's."""
        if self._keeper is not None:
            self._keeper.hold()

    def keep(self) -> None:
        """From the first container's start on; takes no time of the caller's."""
        if self._keeper is not None:
            self._keeper.keep()

    async def remove(self) -> None:
        """A second call does nothing."""
        volume, self._volume = self._volume, None
        if volume is None:
            return
        if self._keeper is not None:
            await asyncio.to_thread(self._keeper.release)
        else:
            await asyncio.to_thread(self._engine.remove_volume, volume.name)


class Keeper:
    """Keeps volumes mounted, from `hold` until all that were taken are released and none is left.

    A container that does nothing keeps them. It is started a while after `keep`, so that a cold start takes no longer;
    until it runs, an upload to another one holds them, which begins within milliseconds.
    """

    def __init__(self, engine: Engine, image: str, volumes: tuple[Volume, ...], labels: Mapping[str, str]) -> None:
        self._engine = engine
        self._image = image
        self._volumes = volumes
        self._labels = labels
        self._lock = threading.Lock()
        self._taken = 0
        self._released = 0
        self._begun = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._holder = ""
        self._container = ""

    @property
    def has_left(self) -> bool:
        return self._taken < len(self._volumes)

    @property
    def is_over(self) -> bool:
        return self._closed.is_set()

    def take(self) -> Volume:
        """A volume that nobody has yet."""
        self._taken += 1
        return self._volumes[self._taken - 1]

    def hold(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._hold_and_keep, name="tmp", daemon=True)
                self._thread.start()

    def keep(self) -> None:
        self._begun.set()

    def _hold_and_keep(self) -> None:
        with (
            contextlib.suppress(LambdaimgError),  # without it, a reset merely empties /tmp
            self._engine.held_mounted(self._image, self._volumes, self._labels) as self._holder,
        ):
            self._begun.wait()
            if not self._closed.wait(_HELD_AT_LEAST):
                self._container = self._engine.create_keeper(self._image, self._volumes, self._labels)
                self._engine.start_keeper(self._container)

    def release(self) -> None:
        """One of the volumes is no longer needed."""
        self._released += 1
        if self._released == len(self._volumes):
            self.close()

    def close(self) -> None:
        """Removes the containers and all volumes. A second call does nothing."""
        with self._lock:
            thread, volumes = self._thread, self._volumes
            self._volumes = ()
        self._closed.set()
        self._begun.set()
        if thread is not None:
            thread.join()
        for container in filter(None, (self._holder, self._container)):
            self._engine.remove(container)
        for volume in volumes:
            self._engine.remove_volume(volume.name)


class Keepers:
    """The keepers of all environments of one factory, by what their volumes are like."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._all: list[Keeper] = []
        self._last: dict[str, Keeper] = {}

    def files(self, image: str, make: MakeVolume) -> TemporaryFiles:
        """The folder of a new environment of an image, in a volume such as `make` makes: in memory, and kept."""
        keeper = self._last.get(image)
        if keeper is None or not keeper.has_left:
            volumes = tuple(make() for _ in range(_KEPT_TOGETHER))
            keeper = self._last[image] = Keeper(self._engine, image, volumes, volumes[0].labels)
            self._all = [*(each for each in self._all if not each.is_over), keeper]
        return TemporaryFiles(self._engine, keeper.take(), keeper)

    def close(self) -> None:
        for keeper in self._all:
            keeper.close()
