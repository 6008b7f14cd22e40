"""A function's response on stdout, as it comes; the head of an HTTP response goes to stderr."""

import sys

import click

from lambdaimg.runtime.http_response import CONTENT_TYPE, HttpResponse, Prelude


class PayloadOutput:
    """Writes one response. The first error goes to stdout too, unless a part of the response is there already."""

    def __init__(self) -> None:
        self._http: HttpResponse | None = None
        self._written = False

    def begin(self, content_type: str) -> None:
        self._http = HttpResponse() if content_type == CONTENT_TYPE else None

    def write(self, piece: bytes) -> None:
        """Raises MalformedResponse for an HTTP response without a head."""
        if self._http is not None:
            had_prelude = self._http.prelude
            piece = self._http.add(piece)
            if self._http.prelude is not None and not had_prelude:
                _say(self._http.prelude)
        self._written = self._written or bool(piece)
        sys.stdout.buffer.write(piece)
        sys.stdout.flush()

    def end(self, error: bytes) -> None:
        """`error` is the function's, empty without one."""
        if error and self._written:
            click.echo(b"\n" + error, err=True)
        else:
            sys.stdout.buffer.write(error)
        if sys.stdout.isatty():
            sys.stdout.buffer.write(b"\n")
        sys.stdout.flush()


def _say(prelude: Prelude) -> None:
    click.echo(f"HTTP {prelude.status}", err=True)
    for name, value in prelude.headers.items():
        click.echo(f"{name}: {value}", err=True)
    for cookie in prelude.cookies:
        click.echo(f"set-cookie: {cookie}", err=True)
