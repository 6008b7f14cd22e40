"""The log of an environment: each line as it comes, and those of the invocation that runs, within bounds."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

OnLine = Callable[[str], None]

KEPT_BYTES: Final = 1024 * 1024
"""What is kept of one invocation's lines, the last ones: a function may print more than there is memory."""
LINE_BYTES: Final = 256 * 1024
"""A longer line is cut into lines of this size, as CloudWatch Logs does with its events (its quota of an event)."""


class Log:
    """The lines of one environment. Lines come from the thread that reads the container, and from the event loop."""

    def __init__(self, on_line: OnLine) -> None:
        self._on_line = on_line
        self._lock = threading.Lock()
        self._lines: deque[str] = deque()
        self._bytes = 0

    def begin(self) -> None:
        """Forgets the lines of the invocation before."""
        with self._lock:
            self._lines.clear()
            self._bytes = 0

    def write(self, *lines: str) -> None:
        """Takes lines, and hands each on. Whoever prints slowly slows down the function that floods its log."""
        with self._lock:
            for line in lines:
                self._lines.append(line)
                self._bytes += len(line) + 1
            while self._bytes > KEPT_BYTES and self._lines:
                self._bytes -= len(self._lines.popleft()) + 1
        for line in lines:
            self._on_line(line)

    def lines(self) -> tuple[str, ...]:
        """The lines since `begin`, the last megabyte of them."""
        with self._lock:
            return tuple(self._lines)


class LineReader:
    """Puts the pieces of one stream together into lines.

    A line that ends with `mark` is not the function's: `marks` counts them, and what stands before it is a line.
    """

    def __init__(self, mark: bytes = b"") -> None:
        self._open = b""
        self._mark = mark
        self.marks = 0

    def add(self, piece: bytes) -> list[str]:
        *lines, self._open = (self._open + piece).split(b"\n")
        if self._mark:
            lines = [line for whole in lines if (line := self._without_mark(whole)) is not None]
        while len(self._open) > LINE_BYTES:
            lines.append(self._open[:LINE_BYTES])
            self._open = self._open[LINE_BYTES:]
        return [line.decode("utf-8", "replace").rstrip("\r") for line in lines]

    def _without_mark(self, line: bytes) -> bytes | None:
        if not line.endswith(self._mark):
            return line
        self.marks += 1
        return line[: -len(self._mark)] or None

    def rest(self) -> list[str]:
        """The last line, when it has no end."""
        last, self._open = self._open, b""
        return [last.decode("utf-8", "replace")] if last else []
