"""How the APIs of an environment answer: statuses and error bodies are those of AWS's Runtime Interface Emulator."""

import json
from http import HTTPStatus

from aiohttp import web


def accepted() -> web.Response:
    return web.Response(status=HTTPStatus.ACCEPTED, body=b'{"status":"OK"}\n', content_type="application/json")


def refused(status: HTTPStatus, kind: str, message: str) -> web.Response:
    body = json.dumps({"errorMessage": message, "errorType": kind}).encode()
    return web.Response(status=status, body=body, content_type="application/json")


def forbidden(kind: str, message: str) -> web.Response:
    return refused(HTTPStatus.FORBIDDEN, kind, message)


def not_known(request: web.BaseRequest) -> web.Response:
    return refused(HTTPStatus.NOT_FOUND, "NotFound", f"{request.method} {request.path} is not known")
