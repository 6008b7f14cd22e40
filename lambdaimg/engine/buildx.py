"""`docker buildx bake`: all targets of a bake file as one graph, with progress, and the failing step's own words."""

import base64
import json
import os
import re
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lambdaimg.engine import programs
from lambdaimg.model.errors import BuildError, EngineUnavailable

LEAST_BUILDX: Final = (0, 13)
"""The first with `--progress=rawjson`."""
LEAST_REPRODUCIBLE: Final = (0, 13)
"""The first BuildKit that rewrites the times of a layer's files."""
_UNTOLD: Final = "0.0.0"
_NAME_LENGTH: Final = 80
"""Of a failed step's name in the message: a RUN line may be a whole script."""
_KEPT_LINES: Final = 2_000
"""Lines of a step's output that are kept, the last ones, for a step that fails."""


@dataclass(kw_only=True)
class Step:
    """One vertex of the build graph. `target` is empty where the step serves several targets or none."""

    name: str
    target: str
    started: bool = False
    completed: bool = False
    cached: bool = False
    error: str = ""
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a call of bake may change."""

    builder: str = ""
    no_cache: bool = False
    epoch: str = ""
    """SOURCE_DATE_EPOCH (reproducible-builds.org): the time that an image and its files bear, seconds since 1970."""


def bake(
    bake_file: Mapping[str, Any],
    folder: Path,
    options: Options,
    on_step: Callable[[Step], None],
    meanwhile: Callable[[], None] = lambda: None,
) -> dict[str, str]:
    """Builds all targets of a bake file from `folder`; returns the image id of each.

    `on_step` is called whenever a step starts, says something, or ends; `meanwhile` once, when the builder is at
    work: what it raises ends the build. Raises BuildError with the failing step's output, and EngineUnavailable when
    there is no buildx, or one that is too old.
    """
    targets = bake_file["target"]
    graph = _Graph(tuple(targets), on_step)
    with tempfile.TemporaryDirectory(prefix="lambdaimg-") as scratch:
        file, metadata = Path(scratch, "bake.json"), Path(scratch, "metadata.json")
        file.write_text(json.dumps(bake_file), "utf-8")
        with programs.started(_command(file, metadata, targets, options), folder=folder) as running:
            meanwhile()
            for line in running.lines():
                graph.read(line)
            code = running.code()
        if code != 0:
            raise _failure(graph)
        return {
            name: entry["containerimage.digest"]
            for name, entry in json.loads(metadata.read_text()).items()
            if isinstance(entry, dict) and "containerimage.digest" in entry
        }


def _command(file: Path, metadata: Path, targets: Iterable[str], options: Options) -> list[str]:
    return [
        *(*_program(), "bake"),
        *(f"--file={file}", f"--metadata-file={metadata}", "--progress=rawjson"),
        *([f"--builder={options.builder}"] if options.builder else []),
        *(["--no-cache"] if options.no_cache else []),
        *_times(options),
        *targets,
    ]


def _times(options: Options) -> list[str]:
    """Only a builder of its own rewrites the times of a layer's files; the engine's refuses or ignores it."""
    if not options.epoch:
        return []
    rewrite = ["--set=*.output=type=docker,rewrite-timestamp=true"] if options.builder else []
    return [f"--set=*.args.SOURCE_DATE_EPOCH={options.epoch}", *rewrite]


def _program(environment: Mapping[str, str] = os.environ) -> list[str]:
    """buildx. A plugin of the user's own goes before all others, so docker's look at them is spared (30 ms)."""
    folder = Path(environment.get("DOCKER_CONFIG") or "~/.docker").expanduser()
    plugin = folder / "cli-plugins" / "docker-buildx"
    return [str(plugin)] if os.access(plugin, os.X_OK) else ["docker", "buildx"]


class _Graph:
    """The steps of a build, as buildx reports them (BuildKit's SolveStatus, a JSON object a line)."""

    def __init__(self, targets: tuple[str, ...], on_step: Callable[[Step], None]) -> None:
        self._targets = targets
        self._on_step = on_step
        self._steps: dict[str, Step] = {}
        self._open: list[str] = []  # the lines of a status object that has not ended yet
        self.other_lines: list[str] = []

    @property
    def failed(self) -> Step | None:
        """The step that failed by itself, not one that was cancelled because another failed."""
        errors = [step for step in self._steps.values() if step.error]
        return next((step for step in errors if "context canceled" not in step.error), errors[0] if errors else None)

    def read(self, line: str) -> None:
        """One line of output. A status object is on one line of its own, or (buildx 0.13) indented over several."""
        if line.startswith("{") or self._open:
            self._open.append(line)
            if line == "}" or (len(self._open) == 1 and line.endswith("}")):
                self._status(json.loads("".join(self._open)))
                self._open.clear()
        else:
            self.other_lines.append(line)

    def _status(self, status: Mapping[str, Any]) -> None:
        for vertex in status.get("vertexes") or ():
            self._vertex(vertex)
        for log in status.get("logs") or ():
            self._log(log)

    def _vertex(self, vertex: Mapping[str, Any]) -> None:
        step = self._steps.get(vertex["digest"])
        if step is None:
            target, name = self._split(vertex.get("name", ""))
            step = self._steps[vertex["digest"]] = Step(name=name, target=target)
        step.started = "started" in vertex
        step.completed = "completed" in vertex
        step.cached = vertex.get("cached", False)
        step.error = vertex.get("error", "")
        self._on_step(step)

    def _split(self, name: str) -> tuple[str, str]:
        """`[hello runtime 2/5] RUN …` → (`hello`, `[runtime 2/5] RUN …`); a lone target isn't named in its steps."""
        inner, bracket, rest = name.removeprefix("[").partition("] ")
        first, _, stage = inner.partition(" ")
        if bracket and first in self._targets:
            return first, f"[{stage}] {rest}"
        return (self._targets[0] if len(self._targets) == 1 else ""), name

    def _log(self, log: Mapping[str, Any]) -> None:
        step = self._steps.get(log["vertex"])
        if step is None:
            return
        step.lines += base64.b64decode(log.get("data") or "").decode("utf-8", "replace").splitlines()
        del step.lines[:-_KEPT_LINES]
        self._on_step(step)


def _failure(graph: _Graph) -> BuildError | EngineUnavailable:
    step = graph.failed
    if step is not None:
        where = f"{step.target}: " if step.target else ""
        name = textwrap.shorten(step.name, _NAME_LENGTH, placeholder=" …")
        return BuildError(f"{where}the build failed at: {name}", output=[*step.lines, step.error])
    installed = version()  # docker without buildx takes bake's options for its own, and says only that
    if installed is None:
        return EngineUnavailable("docker has no buildx", remedy=install_remedy())
    if not is_recent_enough(installed):
        return EngineUnavailable(f"docker's buildx {installed} is too old", remedy=install_remedy())
    said = [line for line in graph.other_lines if line.strip()]
    return BuildError("the build could not be started", output=said[-12:])


def install_remedy() -> str:
    least = ".".join(map(str, LEAST_BUILDX))
    return f"install buildx {least} or newer (the package docker-buildx or docker-buildx-plugin)"


def is_recent_enough(version: str, least: tuple[int, int] = LEAST_BUILDX) -> bool:
    numbers = tuple(int(part) for part in version.split("-", maxsplit=1)[0].split(".")[:2] if part.isdigit())
    return numbers >= least


def version() -> str | None:
    """The version of buildx, such as `0.13.1`; None without buildx."""
    return _plugin_version("buildx")


def buildkit_version() -> str | None:
    """The version of the BuildKit that builds here by default, such as `0.8`; None where it is not told."""
    return told_version(programs.run([*_program(), "inspect"], timeout=20).output)


def told_version(inspected: str) -> str | None:
    """BuildKit's version by `buildx inspect`; a distribution's engine may say 0.0.0, which tells nothing."""
    found = re.search(r"^BuildKit(?: version)?:\s*v?(\d[\d.]*)", inspected, re.MULTILINE | re.IGNORECASE)
    return found[1] if found and found[1] != _UNTOLD else None


def compose_version() -> str | None:
    return _plugin_version("compose")


def _plugin_version(plugin: str) -> str | None:
    try:
        said = programs.run(["docker", plugin, "version"], timeout=20)
    except Exception:
        return None
    words = [word.lstrip("v") for word in said.output.replace("+", " ").split() if word.lstrip("v")[:1].isdigit()]
    return words[0] if said.code == 0 and words else None
