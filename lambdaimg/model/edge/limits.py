"""What Lambda@Edge takes, as data: sizes and headers by trigger.

Sources: CloudFront Developer Guide, "Restrictions on Lambda@Edge", "Restrictions on all edge functions", "Quotas".
"""

from typing import Final

_VIEWER: Final = 40 * 1024
_ORIGIN: Final = 1024 * 1024

SHOWN_BODY: Final = {"viewer-request": _VIEWER, "origin-request": _ORIGIN}
"""Bytes of a request's body that a function sees."""
REPLACED_BODY: Final = {
    ("viewer-request", "text"): _VIEWER,
    ("viewer-request", "base64"): int(53.2 * 1024),
    ("origin-request", "text"): _ORIGIN,
    ("origin-request", "base64"): int(1.33 * 1024 * 1024),
}
"""Bytes of a body that a function puts in the place of a request's, as it writes it."""
GENERATED: Final = {
    "viewer-request": _VIEWER,
    "origin-request": _ORIGIN,
    "origin-response": _ORIGIN,
    "viewer-response": _VIEWER,
}
"""Bytes of a response that a function makes, headers and body together."""
URI: Final = 8_192
"""A URI with its query string is shorter than this."""

DISALLOWED: Final = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "upgrade",
        "x-accel-buffering",
        "x-accel-charset",
        "x-accel-limit-rate",
        "x-accel-redirect",
        "x-amzn-auth",
        "x-amzn-cf-billing",
        "x-amzn-cf-id",
        "x-amzn-cf-xff",
        "x-amzn-errortype",
        "x-amzn-fle-profile",
        "x-amzn-header-count",
        "x-amzn-header-order",
        "x-amzn-lambda-integration-tag",
        "x-amzn-requestid",
        "x-cache",
        "x-forwarded-proto",
        "x-real-ip",
    }
)
"""Headers that no function sees, and none may add; also all that begin with `DISALLOWED_PREFIXES`."""
DISALLOWED_PREFIXES: Final = ("x-amz-cf-", "x-edge-")
CLOUDFRONT: Final = "cloudfront-"
"""What the headers begin with that CloudFront adds for the origin: a viewer-request function may not."""

READ_ONLY: Final = {
    "viewer-request": ("cdn-loop", "content-length", "host", "transfer-encoding", "via"),
    "origin-request": (
        "accept-encoding",
        "cdn-loop",
        "content-length",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "transfer-encoding",
        "via",
    ),
    "origin-response": ("transfer-encoding", "via"),
    "viewer-response": ("warning", "via", "content-length", "content-encoding", "transfer-encoding"),
}
"""Headers that a function may neither add, change nor remove."""


def is_disallowed(name: str) -> bool:
    lower = name.lower()
    return lower in DISALLOWED or lower.startswith(DISALLOWED_PREFIXES)
