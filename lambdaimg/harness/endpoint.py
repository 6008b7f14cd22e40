"""A local Lambda for a test session: `lambdaimg serve` as a process of its own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from lambdaimg.engine import programs
from lambdaimg.model.errors import EnvironmentFailed
from lambdaimg.model.project import Project


@contextmanager
def endpoint(project: Project, *, rie: bool) -> Iterator[str]:
    """The URL at which SDKs find the project's functions, within the block; images that are missing are built.

    Raises EnvironmentFailed, with what `serve` said, when it can't serve.
    """
    command = [sys.executable, "-m", "lambdaimg", "--config", str(project.file), "serve", "--port", "0"]
    with programs.serving([*command, *(["--rie"] if rie else [])]) as serve:
        for line in serve.output:
            if "is served at" in line:
                yield line.split()[-1]
                return
        raise EnvironmentFailed("\n".join(("`lambdaimg serve` ended", *serve.last_lines)))
