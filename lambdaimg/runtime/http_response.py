"""The HTTP response in a function's stream: status, headers and cookies before the body.

Source: the Node.js runtime's `awslambda.HttpResponseStream`: JSON, eight NUL bytes, then the body.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lambdaimg.model.errors import MalformedResponse

CONTENT_TYPE: Final = "application/vnd.awslambda.http-integration-response"
_SEPARATOR: Final = bytes(8)
_LARGEST_PRELUDE: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Prelude:
    """What comes before the body. Each cookie becomes a Set-Cookie header."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


class HttpResponse:
    """Takes a stream of `CONTENT_TYPE` apart, piece by piece; `prelude` is there from the first body on."""

    def __init__(self) -> None:
        self.prelude: Prelude | None = None
        self._held = b""

    def add(self, piece: bytes) -> bytes:
        """What a piece holds of the body. Raises MalformedResponse when there is no prelude."""
        if self.prelude is not None:
            return piece
        head, separator, body = (self._held + piece).partition(_SEPARATOR)
        if separator:
            self.prelude = _prelude(head)
            return body
        if len(head) > _LARGEST_PRELUDE:
            raise MalformedResponse("the function's HTTP response begins without status and headers")
        self._held = head
        return b""


def _prelude(text: bytes) -> Prelude:
    try:
        found: dict[str, Any] = json.loads(text)
        return Prelude(
            status=int(found.get("statusCode", 200)),
            headers={str(name): str(value) for name, value in (found.get("headers") or {}).items()},
            cookies=tuple(map(str, found.get("cookies") or ())),
        )
    except (ValueError, TypeError, AttributeError):
        raise MalformedResponse(f"the head of the function's HTTP response is not JSON: {text[:80]!r}") from None
