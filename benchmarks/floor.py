"""The floor: the same image and the same container by plain docker, and one bare request."""

import copy
import http.client
import json
import secrets
import shlex
import time
from contextlib import suppress
from typing import Final

from benchmarks.scenario import Failed
from benchmarks.servers import free_port
from benchmarks.workspace import Workspace
from lambdaimg.model.rie import INVOKE_PATH
from lambdaimg.model.sandbox import CPU_PERIOD, sandbox_of
from lambdaimg.model.settings import FunctionSettings

_ANSWERS_WITHIN: Final = 30.0
_POLL: Final = 0.002


class Floor:
    """What somebody types who has the Dockerfile that lambdaimg rendered, and nothing else of it."""

    def __init__(self, project: Workspace) -> None:
        """Renders the files, builds the image once, and takes the container's flags from `run --print`."""
        self._project = project
        project.lambdaimg("render")
        self._build_command = build_command(project, "hello")
        self.build()
        self._take_place(project.name)

    def another(self) -> "Floor":
        """One more container of the same image, under a name and at a port of its own."""
        floor = copy.copy(self)
        floor._take_place(f"{self._project.name}-{secrets.token_hex(4)}")
        return floor

    def _take_place(self, name: str) -> None:
        self._name = name
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}{INVOKE_PATH}"
        self._run_command = self._printed_run()

    def build(self) -> None:
        self._project.docker(*self._build_command)

    def answer(self) -> None:
        """Starts the container and asks until it answers. Raises Failed when it doesn't."""
        self._project.docker(*self._run_command)
        deadline = time.monotonic() + _ANSWERS_WITHIN
        while time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException):
                self._post()
                return
            time.sleep(_POLL)
        raise Failed(f"no answer within {_ANSWERS_WITHIN:g} s")

    def remove(self) -> None:
        self._project.docker("rm", "--force", self._name)

    def _post(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWERS_WITHIN)
        connection.request("POST", INVOKE_PATH, "{}")
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200 or b"Hello" not in body:
            raise Failed(f"it answered {answer.status}: {body.decode('utf-8', 'replace')}")

    def _printed_run(self) -> list[str]:
        """The printed `docker run`, in the background, and with the processor share of the function's memory."""
        printed = self._project.lambdaimg("run", "--rie", "--print", f"--port={self._port}").splitlines()[0]
        _docker, run, *flags = shlex.split(printed)
        quota = sandbox_of(FunctionSettings(memory=self._project.memory)).cpu_quota
        mine = [f"--name={self._name}", f"--label=lambdaimg.project={self._project.name}"]
        return [run, "--detach", *mine, f"--cpu-period={CPU_PERIOD}", f"--cpu-quota={quota}", *flags]


def build_command(project: Workspace, function: str) -> list[str]:
    """The target of a rendered bake file as arguments of plain `docker`."""
    target = json.loads((project.root / ".lambdaimg" / "bake.json").read_text("utf-8"))["target"][function]
    return [
        *("buildx", "build", "--load", "--provenance=false", "--sbom=false"),
        *(f"--file={target['dockerfile']}", f"--tag={target['tags'][0]}"),
        *(f"--label={key}={value}" for key, value in target["labels"].items()),
        *(f"--build-arg={key}={value}" for key, value in target.get("args", {}).items()),
        *(f"--secret={secret}" for secret in target.get("secret", ())),
        ".",
    ]
