"""Clients that post events to a function, each over a connection of its own."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles
from typing import Final
from urllib.parse import urlsplit

from benchmarks.scenario import Failed, seconds

_PATIENCE: Final = 120


class Client:
    """One who posts, and keeps the connection where the server does."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)

    def post(self, event: object) -> bytes:
        """The answer. Raises Failed unless it is that of a function that worked."""
        try:
            self._connection.request("POST", self._path, json.dumps(event))
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Failed(f"no answer: {error!r}") from None
        if answer.status != 200 or b"Hello" not in body:
            raise Failed(f"it answered {answer.status}: {body.decode('utf-8', 'replace')[:120].strip()}")
        return body

    def close(self) -> None:
        self._connection.close()


def percentile(number: int, client: Client, count: int) -> float:
    """Of as many posts, one after the other; milliseconds."""
    return quantiles((seconds(lambda: client.post({})) for _ in range(count)), n=100)[number - 1] * 1000


def at_once(url: str, clients: int, each: int, event: object) -> float:
    """Seconds until as many clients have each had their answers. Raises Failed when one is missing."""

    def ask(_number: int) -> None:
        client = Client(url)
        try:
            for _ in range(each):
                client.post(event)
        finally:
            client.close()

    with ThreadPoolExecutor(clients) as pool:
        start = time.perf_counter()
        for _ in pool.map(ask, range(clients)):
            pass
        return time.perf_counter() - start
