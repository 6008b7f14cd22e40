"""The metadata endpoint of 2026-01-15: where an environment is, for its runtime and its extensions.

Source: Developer Guide, "Using the Lambda metadata endpoint".
"""

import secrets
from http import HTTPStatus
from typing import Final

from aiohttp import web

from lambdaimg.runtime.answers import not_known, refused

PREFIX: Final = "/2026-01-15/metadata/"
_PATH: Final = f"{PREFIX}execution-environment"
_CACHED: Final = "private, max-age=43200, immutable"
"""Lambda's own: an environment stays where it is."""


class MetadataApi:
    """Tells the id of an Availability Zone to who knows the environment's token."""

    def __init__(self, zone: str, token: str) -> None:
        self._zone = zone
        self._authorization = f"Bearer {token}".encode()

    def answer(self, request: web.BaseRequest) -> web.Response:
        """`{"AvailabilityZoneID": "use1-az1"}`, or an error."""
        if request.path != _PATH:
            return not_known(request)
        if request.method != "GET":
            return refused(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", f"{request.method} is not GET")
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not secrets.compare_digest(given, self._authorization):
            return refused(HTTPStatus.UNAUTHORIZED, "Unauthorized", "the token is AWS_LAMBDA_METADATA_TOKEN's")
        return web.json_response({"AvailabilityZoneID": self._zone}, headers={"Cache-Control": _CACHED})
