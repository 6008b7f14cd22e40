"""What `init` writes: a project whose test case fits its starter, and a workflow that runs it."""

from pathlib import Path

import pytest
import yaml

from lambdaimg.catalog import languages
from lambdaimg.cli.init import command
from lambdaimg.images.starter import WORKFLOWS, create
from lambdaimg.model import case_files, project_file


@pytest.mark.parametrize("starter", languages.starters())
def test_a_new_project_has_a_test_case(tmp_path: Path, starter: str) -> None:
    create(tmp_path, starter)
    project = project_file.load(tmp_path / "lambdaimg.toml", languages=languages.names())
    (case,) = case_files.load(project, project.functions)
    assert case.steps[0].event.strip() == b'{"name": "Ada"}'
    assert case.steps[0].expect.payload == {"message": "Hello, Ada"}


@pytest.mark.parametrize("ci", WORKFLOWS)
def test_a_workflow_tests_the_project(tmp_path: Path, ci: str) -> None:
    assert tmp_path / WORKFLOWS[ci] in create(tmp_path, "python", ci)
    steps = yaml.safe_load((tmp_path / WORKFLOWS[ci]).read_text())["jobs"]["test"]["steps"]
    assert "lambdaimg test --junit report.xml" in [step.get("run") for step in steps]


def test_the_command_knows_every_workflow() -> None:
    (option,) = [each for each in command.params if each.name == "ci"]
    assert sorted(getattr(option.type, "choices", ())) == sorted(WORKFLOWS)
