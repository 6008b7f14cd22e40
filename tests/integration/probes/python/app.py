"""Reports what a function sees of its sandbox; index.mjs beside it does the same."""

import errno
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

LISTENS = "0A"
LOOPBACK = ("7F", "00000000000000000000000001000000")
"""How such addresses end: 127.0.0.0/8, ::1."""
SPAWN = "exec 3<&0; n=0; while [ $n -lt 1100 ]; do (read _ <&3) & n=$((n+1)); echo $n; done"
"""Processes that wait for the end of standard input, up to a bound; each prints its number."""


def handler(event: Any, context: Any) -> dict[str, Any]:
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    return {
        "file system": {folder: refused(folder) for folder in ("/", "/opt", "/var/task", "/etc")},
        "`/tmp`": temporary_files(),
        "user": [status["Uid"].split()[1], status["Gid"].split()[1]],
        "capabilities": [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
        "privileges": status["NoNewPrivs"],
        "memory": [number("memory/memory.limit_in_bytes", "memory.max"), swap()],
        "processor": quota(),
        "file descriptors": limit("Max open files"),
        "time": context.get_remaining_time_in_millis(),
        "variables": dict(os.environ),
        "credentials": [value for name, value in sorted(os.environ.items()) if name in event["credentials"]],
        "host name": socket.gethostname(),
        "working directory": str(Path.cwd()),
        "clock": time.strftime("%z"),
        "inbound network": listening(),
        "processes and threads": spawned() if event["spawn"] else 0,
    }


def refused(folder: str) -> str:
    try:
        Path(folder, "written").write_text("")
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    Path(folder, "written").unlink()
    return ""


def temporary_files() -> list[Any]:
    found, program = os.statvfs("/tmp"), Path("/tmp/program")
    program.write_text("#!/bin/sh\necho executed\n")
    program.chmod(0o755)
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout.strip()
    mounted = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    kinds = [kind for _, place, kind, *_ in mounted if place == "/tmp"]
    return [kinds, found.f_blocks * found.f_frsize, said]


def number(*files: str) -> int:
    """Of the control group, as version 1 or 2 has it."""
    text = next(path.read_text() for file in files if (path := Path("/sys/fs/cgroup", file)).exists())
    return int(text) if text.strip() != "max" else 2**62


def swap() -> int:
    """Bytes of it that may be used."""
    if Path("/sys/fs/cgroup/memory.swap.max").exists():
        return number("memory.swap.max")
    return number("memory/memory.memsw.limit_in_bytes") - number("memory/memory.limit_in_bytes")


def quota() -> float:
    """Processors; lambdaimg sets them after the init phase, which may be a moment ago."""
    deadline = time.monotonic() + 2
    while (found := processors()) == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def processors() -> float:
    if (path := Path("/sys/fs/cgroup/cpu.max")).exists():
        most, period = path.read_text().split()
        return 0 if most == "max" else round(int(most) / int(period), 3)
    return max(0.0, round(number("cpu/cpu.cfs_quota_us") / number("cpu/cpu.cfs_period_us"), 3))


def limit(name: str) -> str:
    line = next(line for line in Path("/proc/self/limits").read_text().splitlines() if line.startswith(name))
    return line.removeprefix(name).split()[0]


def listening() -> list[int]:
    """The ports that something here listens on for others than itself."""
    lines = [line.split() for file in ("tcp", "tcp6") for line in Path("/proc/net", file).read_text().splitlines()[1:]]
    places = [line[1].split(":") for line in lines if line[3] == LISTENS]
    return [int(port, 16) for address, port in places if not address.endswith(LOOPBACK)]


def spawned() -> int:
    shell = subprocess.Popen(
        ["/bin/sh", "-c", SPAWN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert shell.stdin
    assert shell.stdout
    shell.wait()
    shell.stdin.close()
    return len(shell.stdout.read().split())
