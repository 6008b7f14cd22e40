"""Packs orders into a file of so many megabytes, in the environment's own /tmp."""

from pathlib import Path

MEGABYTE = bytes(1024 * 1024)


def handler(event, context):
    file = Path("/tmp/archive")
    with file.open("wb") as stream:
        for _ in range(event["megabytes"]):
            stream.write(MEGABYTE)
    size = file.stat().st_size
    file.unlink()
    return {"bytes": size}
