"""The end of containers, and the want of memory in them, told as the engine sees it."""

import asyncio
import contextlib
import threading
from dataclasses import dataclass

from lambdaimg.engine import labels
from lambdaimg.engine.cgroup import ControlGroup, Memory
from lambdaimg.engine.client import Engine
from lambdaimg.engine.records import Event
from lambdaimg.engine.sdk import Events
from lambdaimg.model.errors import LambdaimgError


@dataclass(frozen=True, kw_only=True)
class Exit:
    """How a container ended. `out_of_memory` is what it held when the kernel killed a process of it, if it did.

    `code` is None when the engine itself went away.
    """

    code: int | None
    out_of_memory: Memory | None


class Life:
    """What becomes of one container: `exit` is done when it ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.exit: asyncio.Future[Exit] = loop.create_future()
        self.group: ControlGroup | None = None
        self.out_of_memory: Memory | None = None

    def happened(self, event: Event) -> None:
        """From the thread that reads the engine's events; the control group is there only now."""
        if event.kind == "oom":
            nothing = Memory(now=0, peak=0, temporary=0)
            self.out_of_memory = (self.group.memory() if self.group else None) or nothing
        else:
            self.end(event.code)

    def end(self, code: int | None) -> None:
        found = Exit(code=code, out_of_memory=self.out_of_memory)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._set, found)

    def _set(self, found: Exit) -> None:
        if not self.exit.done():
            self.exit.set_result(found)


class ContainerEvents:
    """Follows the engine's events of this process's containers, on one thread for all of them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._lives: dict[str, Life] = {}
        self._events: Events | None = None

    def follow(self, container: str, life: Life) -> None:
        """Tells `life` of a container that has not started yet. Raises EngineUnavailable."""
        with self._lock:
            self._lives[container] = life
            if self._events is None:
                self._events = self._engine.events({labels.OWNER: str(labels.this_process())})
                threading.Thread(target=self._read, args=(self._events,), name="events", daemon=True).start()

    def forget(self, container: str) -> None:
        with self._lock:
            self._lives.pop(container, None)

    def close(self) -> None:
        with self._lock:
            events, self._events = self._events, None
        if events is not None:
            events.close()

    def _read(self, events: Events) -> None:
        for event in events:
            with self._lock:
                life = self._lives.get(event.container)
            if life is not None:
                life.happened(event)
        self._lost(events)

    def _lost(self, events: Events) -> None:
        """The stream has ended: unless we closed it, the engine went away, and what it ran with it, or it did not."""
        with self._lock:
            if self._events is not events:
                return
            self._events = None
            lives = list(self._lives.items())
        for container, life in lives:
            life.end(self._code(container))

    def _code(self, container: str) -> int | None:
        try:
            return self._engine.exit_code(container)
        except LambdaimgError:
            return None
