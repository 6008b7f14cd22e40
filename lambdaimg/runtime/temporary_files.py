"""The folder /tmp of one environment: it outlives the containers that a reset replaces, as on Lambda."""

import asyncio
import contextlib
import threading
from typing import Final

from lambdaimg.engine.client import Engine
from lambdaimg.engine.container import ContainerSpec, Limits, Volume
from lambdaimg.model.errors import LambdaimgError

_NOTHING: Final = "/"
"""The program of a container that never starts."""


class TemporaryFiles:
    """A volume. One in memory is gone when no container has it mounted, so another, which never starts, keeps it."""

    def __init__(self, engine: Engine, volume: Volume | None, image: str, *, keeps: bool) -> None:
        self._engine = engine
        self._volume = volume
        self._image = image
        self._keeps = keeps and volume is not None and bool(volume.options)
        self._released = threading.Event()
        self._thread: threading.Thread | None = None
        self._keeper = ""

    @property
    def volumes(self) -> tuple[Volume, ...]:
        return (self._volume,) if self._volume else ()

    def keep(self) -> None:
        """From the first container's start on; takes no time of the caller's."""
        if self._keeps and self._volume is not None and self._thread is None:
            self._thread = threading.Thread(target=self._keep, args=(self._volume,), name="tmp", daemon=True)
            self._thread.start()

    def _keep(self, volume: Volume) -> None:
        keeper = ContainerSpec(
            image=self._image, entrypoint=(_NOTHING,), labels=volume.labels, volumes=(volume,), limits=Limits()
        )
        with contextlib.suppress(LambdaimgError):  # without it, a reset merely empties /tmp
            self._keeper = self._engine.create(keeper)
            self._engine.keep_mounted(self._keeper, volume, self._released)

    async def remove(self) -> None:
        await asyncio.to_thread(self._remove)

    def _remove(self) -> None:
        self._released.set()
        if self._thread is not None:
            self._thread.join()
        if self._keeper:
            self._engine.remove(self._keeper)
        if self._volume is not None:
            self._engine.remove_volume(self._volume.name)
