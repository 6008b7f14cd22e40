"""The floor: the same image and the same container by plain docker, and one bare request."""

import http.client
import json
import shlex
import socket
import time
from contextlib import suppress
from typing import Final

from benchmarks.scenario import Failed
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
        self._build_command = self._bake_target_as_build()
        self.build()
        self._port = _free_port()
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
        self._project.docker("rm", "--force", self._project.name)

    def _post(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWERS_WITHIN)
        connection.request("POST", INVOKE_PATH, "{}")
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200 or b"Hello" not in body:
            raise Failed(f"it answered {answer.status}: {body.decode('utf-8', 'replace')}")

    def _bake_target_as_build(self) -> list[str]:
        target = json.loads((self._project.root / ".lambdaimg" / "bake.json").read_text("utf-8"))["target"]["hello"]
        return [
            *("buildx", "build", "--load", "--provenance=false", "--sbom=false"),
            *(f"--file={target['dockerfile']}", f"--tag={self._project.image}"),
            *(f"--label={key}={value}" for key, value in target["labels"].items()),
            *(f"--secret={secret}" for secret in target.get("secret", ())),
            ".",
        ]

    def _printed_run(self) -> list[str]:
        """The printed `docker run`, in the background, and with the processor share of the function's memory."""
        printed = self._project.lambdaimg("run", "--rie", "--print", f"--port={self._port}").splitlines()[0]
        _docker, run, *flags = shlex.split(printed)
        quota = sandbox_of(FunctionSettings(memory=self._project.memory)).cpu_quota
        mine = [f"--name={self._project.name}", f"--label=lambdaimg.project={self._project.name}"]
        return [run, "--detach", *mine, f"--cpu-period={CPU_PERIOD}", f"--cpu-quota={quota}", *flags]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
