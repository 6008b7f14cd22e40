"""The program of containers that only have a volume mounted: it starts, uses nothing, and ends when it is killed."""

import signal
import subprocess
from pathlib import Path

from lambdaimg.engine.idle_program import archive, program
from lambdaimg.model.settings import ARCHITECTURES, host_architecture


def test_it_runs_until_it_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "idle"
    file.write_bytes(program(host_architecture()))
    file.chmod(0o755)
    process = subprocess.Popen([str(file)])
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM, "it has started, and ended by nothing else"


def test_each_architecture_has_its_own() -> None:
    machines = {architecture: program(architecture)[18] for architecture in ARCHITECTURES}
    assert machines == {"x86_64": 62, "arm64": 183}
    assert all(len(program(architecture)) < 200 for architecture in ARCHITECTURES)
    assert program("x86_64") in archive("x86_64")
