"""The programs in /opt/extensions, started in the container beside the entrypoint."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Final

import requests

from lambdaimg.engine.client import Engine
from lambdaimg.model.errors import EngineError, LambdaimgError
from lambdaimg.runtime import failures
from lambdaimg.runtime.failures import Failure
from lambdaimg.runtime.log import LineReader

FOLDER: Final = "/opt/extensions"
_HIDDEN: Final = (
    "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
)
"""Variables that extensions don't see ("Extensions API", "Environment variables")."""

OnLines = Callable[[list[str]], None]
"""Takes an extension's lines, on the thread that reads them."""


async def names(engine: Engine, container: str) -> tuple[str, ...]:
    """The files in the container's extension folder, sorted."""
    return tuple(sorted(await asyncio.to_thread(engine.file_names, container, FOLDER)))


class ExternalExtension:
    """One program; `ended` is called on the event loop with the failure that an end before its time is."""

    def __init__(
        self, engine: Engine, container: str, name: str, on_lines: OnLines, ended: Callable[[str, Failure], None]
    ) -> None:
        self._engine = engine
        self._container = container
        self._name = name
        self._on_lines = on_lines
        self._ended = ended
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"extension {self._name}", daemon=True).start()

    def _run(self) -> None:
        """The engine's own words of a program that it can't execute are not the extension's output."""
        try:
            program = self._engine.beside(self._container, f"{FOLDER}/{self._name}", without=_HIDDEN)
            said = self._follow(program.output)
            code = self._engine.exit_code_beside(program.id)
            failure = failures.extension_ended(self._name, code, said)
        except LambdaimgError as error:
            failure = failures.extension_ended(self._name, None, error.what)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._ended, self._name, failure)

    def _follow(self, pieces: Iterator[tuple[bytes, bytes]]) -> str:
        """Hands on the lines to their end; returns the last."""
        output, errors, last = LineReader(), LineReader(), ""
        with contextlib.suppress(EngineError, requests.RequestException, OSError, ValueError):
            for from_output, from_errors in pieces:
                lines = [*output.add(from_output), *errors.add(from_errors)]
                last = lines[-1] if lines else last
                self._on_lines([line for line in lines if not failures.is_engines_word(line)])
        rest = [*output.rest(), *errors.rest()]
        self._on_lines(rest)
        return rest[-1] if rest else last
