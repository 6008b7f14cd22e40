"""An edit of a function's source is answered by the new code: its environments are renewed, rebuilt where needed."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Final

from lambdaimg.model.errors import UsageError

_TOGETHER: Final = 50
"""ms within which the changes of one save come."""

OnChange = Callable[[frozenset[Path]], Awaitable[None]]


def check_watcher() -> None:
    """Raises UsageError when the file watcher is not installed."""
    try:
        import watchfiles  # noqa: F401
    except ImportError:
        raise UsageError("--watch needs a file watcher", remedy="pip install 'lambdaimg[watch]'") from None


async def watch(folders: Collection[Path], on_change: OnChange) -> None:
    """Calls `on_change` with the files that were changed, added or removed in the folders, until it is cancelled."""
    from watchfiles import DefaultFilter, awatch

    ignored = DefaultFilter(ignore_dirs=(*DefaultFilter.ignore_dirs, ".lambdaimg"))
    stop = asyncio.Event()
    try:
        async for changes in awatch(
            *folders, watch_filter=ignored, debounce=_TOGETHER, step=_TOGETHER // 2, stop_event=stop
        ):
            await on_change(frozenset(Path(file) for _, file in changes))
    finally:
        stop.set()


def unreadable(folder: Path) -> list[Path]:
    """The files and folders that Lambda's user couldn't read, for they are mounted as they are."""
    found = []
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode if path.exists() else 0o777
        if not mode & 0o004 or (path.is_dir() and not mode & 0o001):
            found.append(path)
    return found
