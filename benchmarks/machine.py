"""Which machine it was: figures mean little without."""

import os
import platform
from pathlib import Path

from benchmarks.programs import output
from benchmarks.scenario import Failed
from lambdaimg import __version__


def facts() -> dict[str, str]:
    """What the figures depend on, by name, in the order in which it is shown."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} processors",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1024**3:.0f} GiB",
        "system": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}",
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "engine": _said("docker", "version", "--format", "{{.Server.Version}}"),
        "buildx": _said("docker", "buildx", "version"),
        "Python": platform.python_version(),
        "lambdaimg": __version__,
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _said(*command: str) -> str:
    try:
        return output(command).strip()
    except Failed as failed:
        return f"none ({failed})"
