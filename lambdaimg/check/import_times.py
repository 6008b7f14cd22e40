"""What an init phase loads, and how long each takes: told by Python and Node.js themselves, on their error stream."""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote

_SHOWN: Final = 5
_MARK: Final = "lambdaimg loaded"

_HOOK: Final = f"""
import {{ Module }} from "node:module";
const load = Module._load;
Module._load = function (request, parent, isMain) {{
  const start = performance.now();
  try {{ return load.call(this, request, parent, isMain); }}
  finally {{
    const took = performance.now() - start;
    if (took >= 5) console.error(`{_MARK} ${{took.toFixed(1)}} ${{request}}`);
  }}
}};
"""
"""Times each CommonJS module, required or imported."""

VARIABLES: Final[Mapping[str, str]] = {
    "PYTHONPROFILEIMPORTTIME": "1",
    "NODE_OPTIONS": f"--import=data:text/javascript,{quote(_HOOK, safe='')}",
}
"""Each runtime reads its own, and none of the other's."""

_PYTHON: Final = re.compile(r"import time:\s*\d+ \|\s*(\d+) \| ( *)(\S+)")
_NODEJS: Final = re.compile(rf".*{_MARK} ([\d.]+) (\S+)")


def read(log: Iterable[str]) -> tuple[tuple[str, float], ...]:
    """The slowest of what was loaded, with its ms, what it loads itself included."""
    found: dict[str, float] = {}
    for line in log:
        if python := _PYTHON.match(line):
            if not python[2]:  # what nothing else imports
                found[python[3]] = int(python[1]) / 1000
        elif nodejs := _NODEJS.match(line):
            found[nodejs[2]] = max(found.get(nodejs[2], 0), float(nodejs[1]))
    return tuple(sorted(found.items(), key=lambda item: -item[1])[:_SHOWN])
