"""The pytest plugin costs a suite that does not use it next to nothing."""

import subprocess
import sys

HEAVY = ("docker", "requests", "aiohttp", "jinja2", "voluptuous", "rich", "click", "yaml")


def test_the_plugin_loads_nothing_heavy() -> None:
    script = (
        "import pytest, sys; before = set(sys.modules); import lambdaimg.harness.pytest_plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert [name for name in loaded if name.partition(".")[0] in HEAVY] == []
    assert [name for name in loaded if name.startswith("lambdaimg")] == [
        "lambdaimg",
        "lambdaimg.harness",
        "lambdaimg.harness.pytest_plugin",
    ]
