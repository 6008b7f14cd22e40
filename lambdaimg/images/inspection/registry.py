"""An image in a registry, read over HTTP (OCI distribution spec, "Pull"); nothing is kept of it but what was found."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final, cast
from urllib.parse import urljoin

import requests
from voluptuous import Invalid

from lambdaimg.engine.client import registry_login
from lambdaimg.images.inspection import oci
from lambdaimg.images.inspection.facts import ImageFacts
from lambdaimg.model.checks import image_reference
from lambdaimg.model.errors import RemoteError, UsageError

_TIMEOUT: Final = 60
"""Seconds without a byte."""
_HUB: Final = "registry-1.docker.io"
_ACCEPT: Final = ", ".join((*oci.INDEXES, *oci.MANIFESTS))
_PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')
_LOCAL: Final = re.compile(r"(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?")


def read(reference: str, architecture: str) -> ImageFacts:
    """All facts of an image in a registry.

    Raises UsageError for what is no reference, and RemoteError when the registry refuses or can't be reached.
    """
    host, repository, tag = split(reference)
    registry = _Registry(host, repository)
    try:
        return oci.read("registry", f"registry:{reference}", registry.manifest(tag), registry, architecture)
    except requests.RequestException as error:
        raise RemoteError(f"the registry {host} can't be reached: {type(error).__name__}") from None
    except (KeyError, json.JSONDecodeError):
        raise RemoteError(f"the registry {host} has no image at {repository}:{tag}, but something else") from None


def split(reference: str) -> tuple[str, str, str]:
    """`HOST/NAME:TAG` or `HOST/NAME@DIGEST` → host, name, tag or digest; without a host, Docker Hub's."""
    try:
        image_reference(reference)
    except Invalid:
        raise UsageError(f"{reference!r} is not an image reference", remedy="it is HOST/NAME:TAG") from None
    name, _, digest = reference.partition("@")
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = _HUB, name if slash else f"library/{name}"
    rest, _, tag = rest.partition(":")
    return first, rest, digest or tag or "latest"


class _Registry:
    """One repository of a registry. The login is docker's own; no token is ever shown."""

    def __init__(self, host: str, repository: str) -> None:
        self._host = host
        scheme = "http" if _LOCAL.fullmatch(host) else "https"
        self._base = f"{scheme}://{host}/v2/{repository}/"
        self._repository = repository
        self._session = requests.Session()

    def manifest(self, digest: str) -> tuple[str, bytes]:
        with self._get(f"manifests/{digest}", accept=_ACCEPT) as response:
            content = response.content
            return oci.media_type_of(content, response.headers.get("Content-Type", "")), content

    @contextmanager
    def blob(self, digest: str) -> Iterator[IO[bytes]]:
        with self._get(f"blobs/{digest}") as response:
            response.raw.auto_close = False  # or the buffer above it would meet a closed file at the end
            yield cast("IO[bytes]", response.raw)

    def _get(self, path: str, accept: str = "*/*") -> requests.Response:
        url = urljoin(self._base, path)
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        response = self._session.get(url, headers=headers, stream=True, timeout=_TIMEOUT)
        if response.status_code == requests.codes.unauthorized:
            self._authorize(response.headers.get("WWW-Authenticate", ""))
            response = self._session.get(url, headers=headers, stream=True, timeout=_TIMEOUT)
        if response.status_code != requests.codes.ok:
            raise RemoteError(
                f"the registry {self._host} answers {response.status_code} for {self._repository} ({path})",
                remedy=f"check the name, and `docker login {self._host}`",
            )
        return response

    def _authorize(self, challenge: str) -> None:
        """Answers a registry's challenge (distribution's "Token Authentication Specification")."""
        login = registry_login(self._host if self._host != _HUB else "docker.io")
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() != "bearer":
            self._session.auth = login
            return
        wanted: dict[str, Any] = dict(_PARAMETER.findall(rest))
        realm = wanted.pop("realm", "")
        wanted.setdefault("scope", f"repository:{self._repository}:pull")
        answer = self._session.get(realm, params=wanted, auth=login, timeout=_TIMEOUT)
        if answer.status_code != requests.codes.ok:
            raise RemoteError(f"the registry {self._host} refuses the login", remedy=f"docker login {self._host}")
        token = answer.json()
        self._session.headers["Authorization"] = f"Bearer {token.get('token') or token['access_token']}"
