"""What `--version` and `--help` may load: not the engine's client, the templates, nor the HTTP library."""

import subprocess
import sys

import pytest

from lambdaimg import __version__
from lambdaimg.cli.main import COMMANDS

HEAVY = ("docker", "jinja2", "requests", "aiohttp", "yaml", "rich")
PROGRAM = f"""
import sys
from lambdaimg.cli.main import run
code = run(sys.argv[1:])
print("loaded:", *sorted(sys.modules.keys() & set({HEAVY!r})))
sys.exit(code)
"""


def test_the_http_server_is_loaded_while_the_engine_starts_a_container() -> None:
    program = "import sys, lambdaimg.runtime.factory; print('aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("words", [["--version"], ["--help"], *([name, "--help"] for name in COMMANDS)], ids=" ".join)
def test_nothing_heavy_is_loaded(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"
    if words == ["--version"]:
        assert done.stdout.splitlines()[0] == f"lambdaimg {__version__}"
