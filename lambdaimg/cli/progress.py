"""A build's progress: one live line a function on a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import TYPE_CHECKING, Any

from lambdaimg.cli.session import Session

if TYPE_CHECKING:
    from lambdaimg.engine.buildx import Step


class BuildProgress:
    """A context manager whose `step` is told of every step of a build."""

    def __init__(self, session: Session, functions: list[str]) -> None:
        self._session = session
        self._current = dict.fromkeys(functions, "waiting")
        self._said: set[tuple[str, str]] = set()
        self._live: Any = None

    def __enter__(self) -> "BuildProgress":
        if self._session.log_level != "error" and self._session.live:
            from rich.live import Live

            self._live = Live(self._lines(), console=self._session.console, refresh_per_second=10, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def step(self, step: "Step") -> None:
        if not step.started or step.name.startswith("[internal]"):
            return
        if self._live is not None:
            self._show(step)
        elif not step.cached:
            self._print(step)

    def _show(self, step: "Step") -> None:
        said = f"{step.name} · {step.lines[-1]}" if step.lines and not step.completed else step.name
        for function in [step.target] if step.target in self._current else self._current:
            self._current[function] = said
        self._live.update(self._lines())

    def _print(self, step: "Step") -> None:
        """A line when a step begins: the one that takes long, or fails, is the last that is seen."""
        if (step.target, step.name) not in self._said:
            self._said.add((step.target, step.name))
            self._session.say(f"{step.target or 'all'}: {step.name}")

    def _lines(self) -> Any:
        from rich.text import Text

        width = max(map(len, self._current))
        lines = [
            Text(f"{function:{width}}  {said}", no_wrap=True, overflow="ellipsis")
            for function, said in self._current.items()
        ]
        return Text("\n").join(lines)
