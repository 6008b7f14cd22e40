"""Origins: a server at a URL, or a folder that answers as an S3 bucket does."""

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

import aiohttp
from yarl import URL

from lambdaimg.edge.walk import Distribution, Invoke, OriginFailed
from lambdaimg.model.edge.messages import Headers, Origin, Request, Response, description_of
from lambdaimg.model.edge.settings import EdgeSettings

_CONNECT_TIMEOUT: Final = 10.0
_READ_TIMEOUT: Final = 30
_OF_THE_CONNECTION: Final = (
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
)
_BUCKET: Final = re.compile(r"([a-z0-9][a-z0-9-]*)\.s3[a-z0-9.-]*\.amazonaws\.com")


def origin_of(edge: EdgeSettings) -> Origin:
    """The origin as events show it."""
    custom = Headers(tuple(edge.origin_headers.items())).lists()
    if edge.is_folder:
        domain = f"{origin_bucket(Path(edge.origin))}.s3.us-east-1.amazonaws.com"
        return {"s3": {"authMethod": "none", "customHeaders": custom, "domainName": domain, "path": "", "region": ""}}
    url = urlsplit(edge.origin)
    return {
        "custom": {
            "customHeaders": custom,
            "domainName": url.hostname or "",
            "keepaliveTimeout": 5,
            "path": url.path,
            "port": url.port or (443 if url.scheme == "https" else 80),
            "protocol": url.scheme,
            "readTimeout": _READ_TIMEOUT,
            "sslProtocols": ["TLSv1.2"],
        }
    }


@asynccontextmanager
async def opened(root: Path, edge: EdgeSettings, invoke: Invoke) -> AsyncIterator[Distribution]:
    """A distribution before its real origin, a folder's path being relative to `root`."""
    folder = root / edge.origin if edge.is_folder else None
    async with aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as client:
        yield Distribution(edge, origin_of(edge), invoke, Origins(client=client, folder=folder).fetch)


@dataclass(frozen=True, kw_only=True)
class Origins:
    """Asks whichever origin a request is for. `folder` is the bucket's; other buckets are folders beside it."""

    client: aiohttp.ClientSession
    folder: Path | None

    async def fetch(self, request: Request, origin: Origin) -> Response:
        """The origin's answer. Raises OriginFailed when there is none."""
        if "s3" in origin:
            return await asyncio.to_thread(self._read, request, origin["s3"])
        return await _asked(self.client, request, origin["custom"])

    def _read(self, request: Request, bucket: Mapping[str, Any]) -> Response:
        folder = self._folder_of(bucket["domainName"])
        if folder is None:
            return _error(404, "NoSuchBucket", "The specified bucket does not exist")
        if request.method not in ("GET", "HEAD"):
            return _error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        file = _file(folder, unquote(bucket["path"] + request.uri))
        return _object(file) if file else _error(403, "AccessDenied", "Access Denied")

    def _folder_of(self, domain: str) -> Path | None:
        found = _BUCKET.fullmatch(domain)
        if found is None or self.folder is None:
            return None
        own = origin_bucket(self.folder)
        folder = self.folder if found[1] == own else self.folder.parent / found[1]
        return folder if folder.is_dir() else None


def origin_bucket(folder: Path) -> str:
    """The bucket that a folder stands for: its name, as a bucket may be called."""
    return re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-") or "site"


def _file(folder: Path, key: str) -> Path | None:
    """The file of an object; None where there is none, or it is not below the folder."""
    if "\0" in key or key.endswith("/"):
        return None
    file = (folder / key.lstrip("/")).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


def _object(file: Path) -> Response:
    body = file.read_bytes()
    headers = (
        ("Content-Type", mimetypes.guess_type(file.name)[0] or "binary/octet-stream"),
        ("Content-Length", str(len(body))),
        ("ETag", f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'),
        ("Last-Modified", formatdate(file.stat().st_mtime, usegmt=True)),
        ("Server", "AmazonS3"),
    )
    return Response(status=200, description="OK", headers=Headers(headers), body=body)


def _error(status: int, code: str, message: str) -> Response:
    """An error as S3 words it; a missing object is AccessDenied to who may not list the bucket."""
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
    headers = Headers((("Content-Type", "application/xml"), ("Server", "AmazonS3")))
    return Response(status=status, description=description_of(status), headers=headers, body=body.encode())


async def _asked(client: aiohttp.ClientSession, request: Request, custom: Mapping[str, Any]) -> Response:
    url = _url(request, custom)
    patience = aiohttp.ClientTimeout(sock_connect=_CONNECT_TIMEOUT, sock_read=custom["readTimeout"])
    headers = [*request.headers.without("Content-Length").items, *Headers.of_lists(custom["customHeaders"]).items]
    try:
        async with client.request(
            request.method,
            url,
            headers=headers,
            data=request.body or None,
            allow_redirects=False,
            timeout=patience,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            found = Headers(tuple(answer.headers.items())).without(*_OF_THE_CONNECTION)
            body = await answer.read()
            return Response(status=answer.status, description=answer.reason or "", headers=found, body=body)
    except TimeoutError:
        raise OriginFailed(f"{url} did not answer in time", 504) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise OriginFailed(f"{url}: {error}", 502) from None


def _url(request: Request, custom: Mapping[str, Any]) -> URL:
    query = f"?{request.querystring}" if request.querystring else ""
    place = f"{custom['protocol']}://{custom['domainName']}:{custom['port']}"
    return URL(f"{place}{custom['path']}{request.uri}{query}", encoded=True)
