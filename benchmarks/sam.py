"""The same function for AWS SAM CLI: a template and a Dockerfile as its users write them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Final

from benchmarks import environments
from benchmarks.programs import output
from benchmarks.servers import Server, free_port, serving
from benchmarks.workspace import Workspace
from lambdaimg.images.secrets import ca_bundle

SAM: Final = "AWS SAM CLI"
_OFFLINE: Final = (
    *("env", "--unset=AWS_ACCESS_KEY_ID", "--unset=AWS_SECRET_ACCESS_KEY", "--unset=AWS_SESSION_TOKEN"),
    *("--unset=AWS_PROFILE", "AWS_EC2_METADATA_DISABLED=true", "AWS_DEFAULT_REGION=us-east-1", "SAM_CLI_TELEMETRY=0"),
)
"""Without these it waits for the network."""
_TEMPLATE: Final = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  {function}:
    Type: AWS::Serverless::Function
    Properties: {{PackageType: Image, MemorySize: {memory}, Timeout: 30}}
    Metadata: {{Dockerfile: Dockerfile, DockerContext: ., DockerTag: bench, DockerBuildArgs: {{COLD: "{cold}"}}}}
"""
_DOCKERFILE: Final = """\
FROM debian:trixie-slim AS python
ARG COLD
RUN apt-get update -q && apt-get install -y -q --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*

FROM python AS builder
RUN apt-get update -q && apt-get install -y -q --no-install-recommends python3-pip
COPY ca.crt /ca.crt
ENV PIP_CERT=/ca.crt
RUN python3 -m pip install --target /var/runtime awslambdaric==4.2.2
COPY hello/requirements.txt .
RUN python3 -m pip install --target /var/dependencies -r requirements.txt

FROM python
LABEL lambdaimg.project={name}
ENV PYTHONPATH=/var/dependencies:/var/runtime
COPY --from=builder /var/runtime /var/runtime
COPY --from=builder /var/dependencies /var/dependencies
WORKDIR /var/task
COPY hello/ /var/task/
ENTRYPOINT ["/usr/bin/python3", "-m", "awslambdaric"]
CMD ["app.handler"]
"""
"""Without cache mounts, which its default builder doesn't know. The label is for those who count and clean up."""


def function_name(project: Workspace) -> str:
    """A name of letters and digits, as a template's resources have."""
    return project.name.replace("-", "").capitalize()


def sam_prints(*arguments: str) -> str:
    """What `sam` prints. Raises Failed."""
    return output((*_OFFLINE, environments.sam().program("sam"), *arguments))


class Sam:
    """A function of SAM's in a project's folder, built on demand."""

    def __init__(self, project: Workspace) -> None:
        """Installs AWS SAM CLI where it is not yet. Raises Failed when that can't be done."""
        self.function = function_name(project)
        self.program = environments.sam().program("sam")
        self._project = project
        (project.root / "Dockerfile").write_text(_DOCKERFILE.format(name=project.name), "utf-8")
        certificates = ca_bundle()
        shutil.copy(certificates.file if certificates else "/dev/null", project.root / "ca.crt")
        self.forget("")

    def forget(self, cold: str) -> None:
        """The next build starts from nothing where the word is a new one."""
        text = _TEMPLATE.format(function=self.function, memory=self._project.memory, cold=cold)
        (self._project.root / "template.yaml").write_text(text, "utf-8")

    def build(self) -> None:
        self._run("build")

    def invoke(self, event: str = "{}") -> str:
        """What it answers, its log left out. Raises Failed."""
        file = self._project.root / "event.json"
        file.write_text(event, "utf-8")
        return self._run("local", "invoke", self.function, "--event", file.name)

    def _run(self, *arguments: str) -> str:
        return output(self.command(*arguments), self._project.root)

    def command(self, *arguments: str) -> tuple[str, ...]:
        return (*_OFFLINE, self.program, *arguments)

    @contextmanager
    def serving(self, *options: str) -> Iterator[Server]:
        """`sam local start-lambda`. Raises Failed when it doesn't come up."""
        port = free_port()
        command = self.command("local", "start-lambda", f"--port={port}", *options)
        with serving(command, self._project.root, port) as process:
            yield Server(url=f"http://127.0.0.1:{port}/2015-03-31/functions/{self.function}/invocations", id=process)


def on_demand(project: Workspace) -> Callable[[], Sam]:
    """Gives the function, built when it is first asked for: what SAM can't do is then its own failure alone."""

    def built() -> Sam:
        made = Sam(project)
        made.build()
        return made

    return cache(built)


@contextmanager
def serving_on_demand(project: Workspace, *options: str) -> Iterator[Callable[[], Server]]:
    """The same with its server."""
    sam = on_demand(project)
    with ExitStack() as stack:
        yield cache(lambda: stack.enter_context(sam().serving(*options)))
