"""A project as its file says it, checked: the functions, in the file's order, and how they are built."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from lambdaimg.model.cases import Entry
from lambdaimg.model.edge.settings import EdgeSettings
from lambdaimg.model.errors import UsageError
from lambdaimg.model.settings import BuildSettings, FunctionSettings, host_architecture
from lambdaimg.model.suggest import did_you_mean

ACCOUNT = "123456789012"
"""The account number of local ARNs: AWS's own example account."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """One function. `origins` says for each key where its value comes from (`file:line`, or `default`).

    `tests` are as written in the project file; `model.case_files` reads them and the files that they name.
    """

    name: str
    settings: FunctionSettings
    origins: Mapping[str, str]
    tests: tuple[Entry, ...] = ()

    @property
    def source(self) -> str:
        """The folder of the function's code, relative to the project."""
        return self.settings.source or self.name

    @property
    def architecture(self) -> str:
        """Lambda's name of the image's architecture; this machine's where the project doesn't say."""
        return self.settings.architecture or host_architecture()

    @property
    def is_built(self) -> bool:
        """Whether lambdaimg builds its image; if not, the project names one that exists."""
        return not self.settings.image


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A folder (`source`, relative to the project) that functions share under `/opt`."""

    name: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Project:
    """All that a project file says. `file` is absolute, and its folder is the project's root."""

    file: Path
    name: str
    region: str
    registry_mirror: str
    build: BuildSettings
    functions: tuple[Function, ...]
    layers: Mapping[str, Layer] = field(default_factory=dict)
    edge: EdgeSettings | None = None

    @property
    def root(self) -> Path:
        return self.file.parent

    @cached_property
    def path_hash(self) -> str:
        """Tells two checkouts of one project apart: 12 hex digits of the root's path."""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:12]

    def layers_of(self, function: Function) -> tuple[Layer, ...]:
        """The layers of a function, in the order in which they are laid; a later one goes over an earlier one."""
        return tuple(self.layers[name] for name in dict.fromkeys(function.settings.layers))

    def image(self, function: Function) -> str:
        """The image's name; an image's name has no capitals, a function's may."""
        return function.settings.image or f"{self.name}/{function.name.lower()}:latest"

    def rie_image(self, function: Function) -> str:
        """The image with the emulator in it, which `build --with-rie` makes."""
        return f"{self.name}/{function.name.lower()}:rie"

    def arn(self, function: Function) -> str:
        return f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{function.name}"

    def is_at_edge(self, function: Function) -> bool:
        """Whether a behavior of the distribution has the function."""
        return self.edge is not None and function.name in self.edge.function_names

    def select(self, names: tuple[str, ...]) -> tuple[Function, ...]:
        """The functions called `names`, in the file's order; all of them when none is named.

        Raises UsageError for a name that the project doesn't have.
        """
        known = [function.name for function in self.functions]
        for name in names:
            if name not in known:
                raise UsageError(
                    f"{self.file.name} has no function {name!r}",
                    remedy=did_you_mean(name, known) or f"its functions are {', '.join(known)}",
                )
        return tuple(function for function in self.functions if not names or function.name in names)

    def with_architecture(self, architecture: str) -> "Project":
        """The same project, all of its functions of one architecture."""
        functions = (
            replace(function, settings=replace(function.settings, architecture=architecture))
            for function in self.functions
        )
        return replace(self, functions=tuple(functions))

    def one(self, name: str | None) -> Function:
        """The function called `name`; without a name, the project's only one.

        Raises UsageError when there are several to choose from.
        """
        chosen = self.select((name,) if name else ())
        if len(chosen) > 1:
            names = ", ".join(function.name for function in chosen)
            raise UsageError(f"{self.file.name} has {len(chosen)} functions: name one", remedy=f"one of {names}")
        return chosen[0]
