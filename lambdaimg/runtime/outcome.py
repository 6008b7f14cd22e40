"""What a runtime makes of an event, as it posts it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the runtime posted: a response, or with `is_error` an error, whose name is `error_type`.

    The payload of a response that went into a stream is empty.
    """

    payload: bytes
    is_error: bool = False
    error_type: str = ""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A response that did not come whole: it passed `limit` bytes, or, where that is 0, its connection broke."""

    limit: int = 0


Outcome = Answer | Cut
