"""Every error that lambdaimg reports, each with its exit code (docs/reference/exit-codes.md)."""

from collections.abc import Sequence
from dataclasses import dataclass


class LambdaimgError(Exception):
    """An error the user can act upon: what failed, where, and what to do, in one to three lines."""

    exit_code = 70

    output: tuple[str, ...] = ()
    """What a program said that failed, to be shown above the error."""

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def lines(self) -> list[str]:
        return [self.what, *([self.remedy] if self.remedy else [])]


class UsageError(LambdaimgError):
    """A wrong argument, or one that doesn't fit the project."""

    exit_code = 2


class EventError(LambdaimgError):
    """An event that is not JSON, can't be read, or is too large for Lambda."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake in a project file.

    `where` is `file:line: key`; `remedy` says what is allowed, or names the nearest right key.
    """

    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")


class ProjectError(LambdaimgError):
    """The project file is missing, can't be read, or says what Lambda doesn't allow: all problems at once."""

    exit_code = 2

    def __init__(self, what: str, *, remedy: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(what, remedy=remedy)
        self.problems = tuple(problems)

    def lines(self) -> list[str]:
        return [self.what, *(f"  {problem}" for problem in self.problems), *super().lines()[1:]]


class EngineUnavailable(LambdaimgError):
    """No container engine answers, or it lacks what lambdaimg needs (BuildKit, buildx, compose)."""

    exit_code = 3


class ProgramMissing(LambdaimgError):
    """A program that is needed is not installed."""

    exit_code = 3


class EngineError(LambdaimgError):
    """The engine refused an operation that should have worked."""

    exit_code = 3


class BuildError(LambdaimgError):
    """An image could not be built. `output` holds the failing step's own lines."""

    exit_code = 5

    def __init__(self, what: str, *, output: Sequence[str] = (), remedy: str = "") -> None:
        super().__init__(what, remedy=remedy)
        self.output = tuple(output)


class RemoteError(LambdaimgError):
    """A service outside this machine refused, or can't be reached."""

    exit_code = 6


class EnvironmentFailed(LambdaimgError):
    """An execution environment could not be started, or ended while it was needed."""

    exit_code = 1


class MalformedResponse(LambdaimgError):
    """A function's HTTP response that is not put together as Lambda wants it."""

    exit_code = 1


class EnvironmentBusy(LambdaimgError):
    """The execution environment runs an invocation; a second one would crash the RIE."""

    exit_code = 1


class EdgeRefused(LambdaimgError):
    """CloudFront would not take a function's result; `page` is what a viewer reads then, with the status 502."""

    exit_code = 1

    def __init__(self, what: str, *, page: str) -> None:
        super().__init__(what)
        self.page = page


class RegistryRefused(RemoteError):
    """A registry did not take an image."""


class AwsRefused(RemoteError):
    """A call of AWS's API was answered with an error; `code` is AWS's own word for it."""

    def __init__(self, what: str, *, code: str, remedy: str = "") -> None:
        super().__init__(what, remedy=remedy)
        self.code = code


class ImageUnfit(LambdaimgError):
    """An image that Lambda would refuse."""

    exit_code = 4
