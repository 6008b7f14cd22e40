"""Looking for secrets in the content of files: what is found is named by kind and line, never shown."""

import re
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

LARGEST: Final = 1024 * 1024
"""Bytes; larger files are not searched."""
_BEGINNING: Final = 1_024
"""Bytes at the beginning that tell a binary file, by a NUL among them, as git does."""


class _Pattern(NamedTuple):
    """A kind of secret. A file is searched with `expression` only where it holds one of the literal `hints`."""

    kind: str
    hints: tuple[bytes, ...]
    expression: re.Pattern[bytes]


def _pattern(kind: str, hints: bytes, expression: bytes) -> _Pattern:
    return _Pattern(kind, tuple(hints.split()), re.compile(expression))


_END: Final = rb"(?![A-Za-z0-9_])"
_PATTERNS: Final = (
    _pattern(
        "private key",
        b"PRIVATE",
        rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[rn]|[A-Za-z-]+:[^\n]*\n)*[A-Za-z0-9+/]{40}",
    ),
    _pattern("AWS access key", b"AKIA", rb"(?<![A-Za-z0-9])AKIA[A-Z2-7]{16}(?<!EXAMPLE)" + _END),
    _pattern(
        "AWS secret key",
        b"ecret_access_key ECRET_ACCESS_KEY ecretAccessKey",
        rb"(?i:secret_?(?:access_?)?key)[\"']?\s*[=:]\s*[\"']?[A-Za-z0-9/+]{40}(?<!EXAMPLEKEY)(?![A-Za-z0-9/+=])",
    ),
    _pattern("GitHub token", b"ghp_ gho_ ghs_", rb"\bgh[pos]_[A-Za-z0-9]{36}" + _END),
    _pattern("GitHub token", b"github_pat_", rb"\bgithub_pat_[A-Za-z0-9_]{82}" + _END),
    _pattern("GitLab token", b"glpat-", rb"\bglpat-[A-Za-z0-9_-]{20}" + _END),
    _pattern("npm token", b"npm_", rb"\bnpm_[A-Za-z0-9]{36}" + _END),
    _pattern(
        "npm password", b":_authToken :_password", rb"(?m)^//[^\s=]+:_(?:authToken|password)\s*=\s*[A-Za-z0-9+/=_-]{20}"
    ),
    _pattern("PyPI token", b"pypi-AgE", rb"\bpypi-AgE[A-Za-z0-9_-]{50}"),
    _pattern("Slack token", b"xox", rb"\bxox[abprs]-[0-9]{8,}-[A-Za-z0-9-]{16}"),
    _pattern("Stripe key", b"k_live_", rb"\b[rs]k_live_[A-Za-z0-9]{24}"),
    _pattern("SendGrid key", b"SG.", rb"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}" + _END),
    _pattern("Docker Hub token", b"dckr_pat_", rb"\bdckr_pat_[A-Za-z0-9_-]{27}" + _END),
    _pattern("Azure storage key", b"AccountKey=", rb"\bAccountKey=[A-Za-z0-9+/]{86}=="),
)


HINTS: Final = tuple(hint for pattern in _PATTERNS for hint in pattern.hints)


def search(content: bytes, literals: Collection[bytes]) -> Iterator[tuple[int, str]]:
    """The line (from 1) and the kind of each secret in a file's content; one of each kind.

    `literals` are those of `HINTS` that the content holds.
    """
    if not literals or b"\0" in content[:_BEGINNING]:
        return
    for pattern in _PATTERNS:
        hinted = any(hint in literals for hint in pattern.hints)
        if hinted and (found := pattern.expression.search(content)):
            yield content.count(b"\n", 0, found.start()) + 1, pattern.kind
