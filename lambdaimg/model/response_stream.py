"""A response that comes in pieces: what the function writes, on its way to whoever asked for it."""

import asyncio
from collections import deque
from typing import Final

_HELD: Final = 16
"""Pieces that wait for their reader; the function's next write waits too."""


class ResponseStream:
    """One response, from the function (`begin`, `put`, `end`) to its reader; both belong to one event loop.

    The reader asks for the `content_type`, then iterates over the pieces. It ends when the response does, also when
    it breaks: the Invocation tells that. A reader that goes away calls `abandon`, and the function writes on unheard.
    """

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._content_type = ""
        self.size = 0
        """Bytes that the function has written so far."""
        self._begun = asyncio.Event()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = False
        self._abandoned = False

    @property
    def has_begun(self) -> bool:
        return self._begun.is_set()

    def begin(self, content_type: str) -> None:
        self._content_type = content_type
        self._begun.set()

    async def put(self, piece: bytes) -> None:
        """Hands on a piece; returns when there is room for it."""
        self.size += len(piece)
        while len(self._pieces) >= _HELD and not self._abandoned:
            self._room.clear()
            await self._room.wait()
        if not self._abandoned:
            self._pieces.append(piece)
            self._news.set()

    def end(self) -> None:
        """Nothing more comes. A second call does nothing."""
        self._ended = True
        self._begun.set()
        self._news.set()

    def abandon(self) -> None:
        """Nobody reads any more."""
        self._abandoned = True
        self._pieces.clear()
        self._room.set()

    async def content_type(self) -> str:
        """Returns when the response begins, with its content type; empty where the function gave none, or failed."""
        await self._begun.wait()
        return self._content_type

    def __aiter__(self) -> "ResponseStream":
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        self._room.set()
        return self._pieces.popleft()
