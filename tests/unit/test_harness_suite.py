"""A run as a whole: which cases are chosen, what is built, what options are refused."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lambdaimg.cli.main import run
from lambdaimg.harness.images import broken_builds
from lambdaimg.harness.selection import Selection, Shard
from lambdaimg.harness.suite import Options, choose
from lambdaimg.model import project_file
from lambdaimg.model.errors import BuildError, UsageError
from lambdaimg.model.project import Function, Project
from tests.conftest import MakeProject

TEXT = '[functions.hello]\nlanguage = "python"\n[functions.named]\nlanguage = "python"\n'
CASES = "".join(
    f'[[functions.{function}.tests]]\nname = "{name}"\ntags = ["{name}"]\n'
    for function, name in (("hello", "a"), ("hello", "b"), ("named", "c"))
)


def project(root: Path) -> Project:
    return project_file.load(root / "lambdaimg.toml", languages=("python",))


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (Options(), "abc"),
        (Options(functions=("named",)), "c"),
        (Options(selection=Selection(text="hello::")), "ab"),
        (Options(selection=Selection(tags=frozenset("bc"))), "bc"),
        (Options(last_failed=True), "b"),
        (Options(last_failed=True, functions=("named",)), "c"),
    ],
)
def test_the_cases_that_are_asked_for(make_project: MakeProject, options: Options, names: str) -> None:
    root = make_project(TEXT + CASES, {".lambdaimg/last-failed.json": '["hello::b", "hello::gone"]'})
    assert "".join(case.name for case in choose(project(root), options)) == names


def test_shards_share_the_cases(make_project: MakeProject) -> None:
    found = project(make_project(TEXT + CASES))
    parts = [choose(found, Options(shard=Shard(index=index, count=2))) for index in (1, 2)]
    assert sorted(case.name for part in parts for case in part) == ["a", "b", "c"]


def test_no_case_is_a_mistake(make_project: MakeProject) -> None:
    with pytest.raises(UsageError, match="there is no test case"):
        choose(project(make_project(TEXT)), Options())
    with pytest.raises(UsageError, match="none of the 3 test cases"):
        choose(project(make_project(TEXT + CASES, folder="other")), Options(selection=Selection(text="x")))


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2"])
def test_a_wrong_shard_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", "--shard", text]) == 2
    assert "is no part of a whole" in capsys.readouterr().err


def test_all_is_built_at_once_and_alone_only_to_find_what_is_broken(make_project: MakeProject) -> None:
    functions = project(make_project(TEXT)).functions
    builds: list[list[str]] = []

    def build(wanted: Sequence[Function]) -> None:
        builds.append([function.name for function in wanted])
        if "named" in builds[-1] and broken:
            raise BuildError(f"{builds[-1]}: the build failed")

    broken = False
    assert broken_builds(functions, build) == {}
    assert builds == [["hello", "named"]]
    broken = True
    assert [str(error) for error in broken_builds(functions, build).values()] == ["['named']: the build failed"]
    assert builds[1:] == [["hello", "named"], ["hello"], ["named"]]
