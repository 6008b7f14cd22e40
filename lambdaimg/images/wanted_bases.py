"""The bases of one build. The engine is asked for them while the builder works, for hardly any is ever missing."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lambdaimg.catalog import bases as catalog
from lambdaimg.catalog.bases import BaseImage

if TYPE_CHECKING:
    from lambdaimg.engine.client import Engine


class BaseMissing(Exception):
    """A base is not in the engine: the builder would ask a registry for it, where lambdaimg may know better."""


class WantedBases:
    """Collects the bases that are asked for, and provides them. `connect` gives the engine, when it is needed."""

    def __init__(self, connect: "Callable[[], Engine]", mirror: str, say: Callable[[str], None]) -> None:
        self._connect = connect
        self._mirror = mirror
        self._say = say
        self._wanted: dict[tuple[str, str], BaseImage] = {}
        self.ids: dict[str, str] = {}
        """The image ids of the bases that the engine has, by reference, as `check` or `provide` found them."""

    def find(self, name: str, architecture: str) -> BaseImage:
        """The facts of a base. One that the catalog doesn't know is provided now, to be looked at.

        Raises BuildError when it can't be had.
        """
        base = catalog.find(name) or self._provide(name, architecture)
        self._wanted[name, architecture] = base
        return base

    def __iter__(self) -> Iterator[tuple[BaseImage, str]]:
        """All of them, each with the architecture that it is wanted for."""
        return ((base, architecture) for (_, architecture), base in self._wanted.items())

    def check(self) -> None:
        """Raises BaseMissing unless the engine has them all."""
        for base in self._wanted.values():
            self._look(base)

    def _look(self, base: BaseImage) -> None:
        if base.reference == catalog.EMPTY:
            return
        image = self._connect().image(base.reference)
        if image is None:
            raise BaseMissing
        self.ids[base.reference] = image.id

    def provide(self) -> None:
        """Gets those that the engine doesn't have. Raises BuildError when one can't be had."""
        for (name, architecture), base in self._wanted.items():
            self._provide(name, architecture)
            self._look(base)

    def _provide(self, name: str, architecture: str) -> BaseImage:
        from lambdaimg.images.bases import provide

        return provide(self._connect(), name, architecture, self._mirror, self._say)
