"""A Docker engine of a test's own, in a network of its own, which may be restarted as the shared one may not."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.conftest import PATIENCE, docker


@dataclass(kw_only=True)
class PrivateEngine:
    """`inside` are the words that run a program in the engine's network, where its bridge is."""

    folder: Path
    inside: tuple[str, ...]
    daemon: "subprocess.Popen[bytes]" = field(init=False)
    containerd: "subprocess.Popen[bytes]" = field(init=False)
    """A program of its own, as where the system starts both: it outlives a daemon that is killed."""

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    def open(self) -> None:
        places = {"root": "images", "state": "tasks", "address": "containerd.sock"}
        self.containerd = self._begin("containerd", places)

    def start(self) -> None:
        places = {"data-root": "data", "exec-root": "run", "pidfile": "pid", "containerd": "containerd.sock"}
        self.daemon = self._begin("dockerd", places, f"--host={self.host}", "--storage-driver=vfs")
        until_it_answers = "until docker info >/dev/null 2>&1; do kill -0 $0 || exit 1; sleep 0.2; done"
        subprocess.run(
            ["timeout", "120", "bash", "-c", until_it_answers, str(self.daemon.pid)],
            env={**os.environ, "DOCKER_HOST": self.host},
            check=True,
        )

    def _begin(self, program: str, places: dict[str, str], *more: str) -> "subprocess.Popen[bytes]":
        words = [f"--{option}={self.folder / name}" for option, name in places.items()]
        with (self.folder / "log").open("ab") as log:
            command = [*self.inside, program, *words, *more]
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it; killed, it leaves its containers running, and its next start ends them."""
        self.daemon.send_signal(number)
        self.daemon.wait(timeout=PATIENCE)

    def environments(self, project: str, function: str) -> list[str]:
        """The containers of a function that run."""
        labels = {"project": project, "function": function, "role": "environment"}
        filters = (f"--filter=label=lambdaimg.{key}={value}" for key, value in labels.items())
        return docker("--host", self.host, "ps", "-q", *filters).split()

    def load(self, image: str) -> None:
        saved = self.folder / "image.tar"
        docker("save", "-o", str(saved), image)
        docker("--host", self.host, "load", "-i", str(saved))
        saved.unlink()


@contextmanager
def private_engine() -> Iterator[PrivateEngine]:
    if os.geteuid() or not shutil.which("dockerd"):
        pytest.skip("takes root's rights, and dockerd")
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    network = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "ip link set lo up; echo; exec sleep infinity"], stdout=subprocess.PIPE
    )
    assert network.stdout
    network.stdout.readline()
    engine = PrivateEngine(folder=folder, inside=("nsenter", "--net", "--target", str(network.pid)))
    engine.open()
    try:
        engine.start()
        yield engine
        engine.stop()
    finally:
        if engine.daemon.poll() is None:
            engine.daemon.kill()
        engine.containerd.terminate()
        engine.containerd.wait(timeout=PATIENCE)
        network.stdout.close()
        network.kill()
        network.wait()
        # An engine that was killed leaves the mount of its folder on itself.
        subprocess.run(["umount", "--recursive", folder / "data"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
