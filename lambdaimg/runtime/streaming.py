"""Invocations whose response is read while the function writes it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from lambdaimg.model.invocation import Invocation, Request
from lambdaimg.model.response_stream import ResponseStream

Invoke = Callable[[Request], Coroutine[Any, Any, Invocation]]
"""An environment's `invoke`, or a pool's."""


@dataclass(frozen=True, kw_only=True)
class Streaming:
    """An invocation under way.

    Its `response` is read first; then `invocation` tells how it ended: with `function_error`, after pieces too. A
    reader that goes away calls `response.abandon()`; the function goes on, as on Lambda.
    """

    response: ResponseStream
    invocation: "asyncio.Future[Invocation]"


def invoke(call: Invoke, request: Request) -> Streaming:
    """Begins an invocation. What `call` raises, the future raises, and the response is empty then.

    A function that doesn't stream gives its response as one piece; one that fails before it writes gives none.
    """
    response = ResponseStream()
    invocation = asyncio.ensure_future(call(replace(request, stream=response)))

    def ended(_: "asyncio.Future[Invocation]") -> None:
        response.end()
        if not invocation.cancelled():
            invocation.exception()  # a reader that has gone away asks for it no more

    invocation.add_done_callback(ended)
    return Streaming(response=response, invocation=invocation)
