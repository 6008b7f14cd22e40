"""What a function may make of `request.origin` (CloudFront Developer Guide, "Lambda@Edge event structure")."""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final

from lambdaimg.model.edge.limits import is_disallowed

Rule = tuple[Callable[[Any], bool], str]

_PROTOCOLS: Final = {"TLSv1.2", "TLSv1.1", "TLSv1", "SSLv3"}


def _is_number(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_domain(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 253 and ":" not in value and not _is_address(value)


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 255 and bool(re.fullmatch(r"(?:/[!-~]*[!-.0-~])?", value))


def _is_bucket(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 128 and value == value.lower()


def _is_port(value: Any) -> bool:
    return value in (80, 443) or _is_number(value, 1_024, 65_535)


_PATH: Final = (_is_path, "begins with / and does not end with it, and has at most 255 characters")
_SECONDS: Final = (lambda value: _is_number(value, 1, 120), "is 1 to 120 s")

CUSTOM: Final[Mapping[str, Rule]] = {
    "domainName": (_is_domain, "is a domain's name of at most 253 characters, without a port, and no address"),
    "path": _PATH,
    "port": (_is_port, "is 80, 443, or 1024 to 65535"),
    "protocol": (lambda value: value in ("http", "https"), "is http or https"),
    "keepaliveTimeout": _SECONDS,
    "readTimeout": _SECONDS,
    "sslProtocols": (
        lambda value: isinstance(value, list) and set(map(str, value)) <= _PROTOCOLS,
        "is a list of TLSv1.2, TLSv1.1, TLSv1 and SSLv3",
    ),
}
S3: Final[Mapping[str, Rule]] = {
    "domainName": (_is_bucket, "is a bucket's domain of at most 128 characters, in lower case"),
    "path": _PATH,
    "authMethod": (
        lambda value: value in ("origin-access-identity", "none"),
        "is origin-access-identity or none",
    ),
    "readTimeout": _SECONDS,
}
_NEEDED: Final = {
    "custom": ("domainName", "path", "port", "protocol", "keepaliveTimeout", "readTimeout", "sslProtocols"),
    "s3": ("domainName", "path", "authMethod"),
}


def problems(origin: Any, sent: Any, headers: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an origin that a function returned. What it has left as it was `sent` is right.

    `headers` are those of the request, which may not stand among the origin's own too.
    """
    kinds = [kind for kind in ("custom", "s3") if isinstance(origin, dict) and kind in origin]
    if len(kinds) != 1 or not isinstance(origin[kinds[0]], dict):
        yield "origin has exactly one of custom and s3, an object"
        return
    (kind,), before = kinds, (sent or {}).get(kinds[0], {})
    found, rules = origin[kind], CUSTOM if kind == "custom" else S3
    for field in _NEEDED[kind]:
        if field not in found:
            yield f"origin.{kind}.{field} is missing"
    for field, (holds, words) in rules.items():
        if field in found and found[field] != before.get(field) and not holds(found[field]):
            yield f"origin.{kind}.{field} {words}, not {found[field]!r}"
    yield from _together(kind, found)
    yield from _headers(kind, found.get("customHeaders", {}), headers)


def _together(kind: str, found: Mapping[str, Any]) -> Iterator[str]:
    completion, read = found.get("responseCompletionTimeout", 0), found.get("readTimeout", 1)
    if not _is_number(completion, 0, 2**31) or (_is_number(read, 1, 120) and 0 < completion < read):
        yield f"origin.{kind}.responseCompletionTimeout is 0, or at least readTimeout, not {completion!r}"
    if found.get("authMethod") == "origin-access-identity" and not found.get("region"):
        yield f"origin.{kind}.region is needed with origin-access-identity"


def _headers(kind: str, custom: Any, headers: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(custom, dict):
        yield f"origin.{kind}.customHeaders is an object of lists"
        return
    for name in custom:
        if name.lower() in headers:
            yield f"origin.{kind}.customHeaders has {name}, which the request has too"
        if is_disallowed(name):
            yield f"origin.{kind}.customHeaders has {name}, which no function may add"
