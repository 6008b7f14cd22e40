"""The pytest plugin: functions as fixtures, cases as parameters. Light to import, for every suite loads it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from lambdaimg.harness.function import LambdaCase, LambdaFunctions
    from lambdaimg.model.project import Project

_MARKER = "lambda_cases"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("lambda_project", "the folder of lambdaimg's project; default: the nearest one from the rootdir up")
    parser.getgroup("lambdaimg").addoption(
        "--lambda-rie", action="store_true", help="run functions under AWS's Runtime Interface Emulator"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(*functions, files=PATTERN): gives the fixture lambda_case the test cases of these functions "
        "(default: of all), or those of the case files that fit the pattern",
    )


@pytest.fixture(scope="session")
def lambda_project(pytestconfig: pytest.Config) -> "Project":
    """The project, as its file says it."""
    return _project(pytestconfig)


@pytest.fixture(scope="session")
def lambda_function(lambda_project: "Project", pytestconfig: pytest.Config) -> Iterator["LambdaFunctions"]:
    """A factory of functions by name: built and started when they are first asked for, removed at the end."""
    from lambdaimg.harness.function import LambdaFunctions

    with LambdaFunctions(lambda_project, rie=pytestconfig.getoption("--lambda-rie")) as functions:
        yield functions


@pytest.fixture(scope="session")
def lambda_compose_file(lambda_project: "Project") -> "Path":
    """The project's compose file, rendered: what pytest-docker's `docker_compose_file` may give, to test services."""
    from lambdaimg.harness.compose import rendered

    return rendered(lambda_project)


@pytest.fixture(scope="session")
def lambda_endpoint(lambda_project: "Project", pytestconfig: pytest.Config) -> Iterator[str]:
    """The URL of a local Lambda with the project's functions, for an SDK: `lambdaimg serve` for this session."""
    from lambdaimg.harness.endpoint import endpoint

    with endpoint(lambda_project, rie=pytestconfig.getoption("--lambda-rie")) as url:
        yield url


@pytest.fixture
def lambda_case(request: pytest.FixtureRequest, lambda_function: "LambdaFunctions") -> "LambdaCase":
    """One test case of those that the marker `lambda_cases` names; its `check()` fails as the case does."""
    from lambdaimg.harness.function import LambdaCase

    if not hasattr(request, "param"):
        raise pytest.UsageError(f"lambda_case needs the marker: @pytest.mark.{_MARKER}(...)")
    return LambdaCase(case=request.param, functions=lambda_function)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker(_MARKER)
    if marker is not None and "lambda_case" in metafunc.fixturenames:
        metafunc.parametrize("lambda_case", _parameters(metafunc.config, marker), indirect=True)


def _parameters(config: pytest.Config, marker: pytest.Mark) -> list[Any]:
    from lambdaimg.model import case_files
    from lambdaimg.model.errors import LambdaimgError

    try:
        project, files = _project(config), marker.kwargs.get("files", "")
        functions = project.select(marker.args)
        if files:
            cases = [case for each in functions for case in case_files.load_files(project, each, files)]
        else:
            cases = list(case_files.load(project, functions))
    except LambdaimgError as error:
        raise pytest.UsageError("\n".join(error.lines())) from None
    return [pytest.param(case, id=case.id, marks=_marks(case)) for case in cases]


def _marks(case: Any) -> list[pytest.MarkDecorator]:
    skip = [pytest.mark.skip(reason=case.skip)] if case.skip else []
    return [*skip, *([pytest.mark.xfail(reason=case.xfail, strict=True)] if case.xfail else [])]


def _project(config: pytest.Config) -> "Project":
    from lambdaimg.catalog import languages
    from lambdaimg.model import project_file

    folder = config.rootpath / str(config.getini("lambda_project"))
    return project_file.load(project_file.find(folder), languages=languages.names())
