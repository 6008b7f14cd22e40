"""A whole project of nasty values: every rendered file still says what it says without them, and no more."""

import json
import shlex
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdaimg.catalog import bases, languages
from lambdaimg.engine.container import run_arguments
from lambdaimg.images.build import plans_of
from lambdaimg.images.project_files import project_files
from lambdaimg.model import project_file
from lambdaimg.model.errors import LambdaimgError, ProjectError
from lambdaimg.model.project import Project
from lambdaimg.runtime.placement import Process, Wishes, under_rie

NASTY = ['"', "\\", "$(id)", "${X}", "`id`", "#", "'", "%{if}", "$${X}", " ", "\t", "\u2028", "\n", "\r", "; id"]
TEXT = st.lists(st.sampled_from([*NASTY, "a", "é", "B.c", "/", "-"]), min_size=1, max_size=6).map("".join)


def load(folder: Path, **settings: object) -> Project:
    """A project of one function; its settings are written as TOML's basic strings, which JSON's are too."""
    (folder / "hello").mkdir(exist_ok=True)
    (folder / "hello" / "app.py").write_text("")
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
    text = '[project]\nname = "shop"\n[functions.hello]\nlanguage = "python"\n' + "".join(lines)
    (folder / "lambdaimg.toml").write_text(text, "utf-8")
    return project_file.load(folder / "lambdaimg.toml", languages=languages.names())


def rendered(project: Project) -> dict[str, str]:
    plans = plans_of(project, project.functions, lambda name, _: bases.read(name))
    return project_files(plans, ".lambdaimg", lambda plan: plan.process, container_names=False)


def instructions(dockerfile: str) -> list[str]:
    """The first word of each instruction: lines that a backslash continues are one."""
    joined = dockerfile.replace("\\\n", " ")
    return [line.split()[0] for line in joined.split("\n") if line.strip() and not line.startswith("#")]


@given(TEXT)
def test_a_handlers_name_is_carried_or_refused(handler: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plain = instructions(rendered(load(Path(folder)))["hello.Dockerfile"])
        try:
            files = rendered(load(Path(folder), handler=handler))
        except LambdaimgError:
            return  # refused
        assert instructions(files["hello.Dockerfile"]) == plain
        last = files["hello.Dockerfile"].rstrip("\n").split("\n")[-1]
        assert json.loads(last.removeprefix("CMD ")) == [handler]
        service = yaml.safe_load(files["compose.yaml"])["services"]["hello"]
        assert service["command"][-1].replace("$$", "$") == handler


@settings(deadline=None)  # a busy machine is not a mistake
@given(TEXT)
def test_a_source_folders_name_is_carried_or_refused(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plain = instructions(rendered(load(Path(folder)))["hello.Dockerfile"])
        try:
            project = load(Path(folder), source=name)
            (Path(folder) / name).mkdir(parents=True, exist_ok=True)
            (Path(folder) / name / "app.py").write_text("")
            files = rendered(project)
        except (LambdaimgError, OSError):
            return
        assert instructions(files["hello.Dockerfile"]) == plain


@given(TEXT)
def test_a_variable_reaches_docker_run_literally(value: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = load(Path(folder))
        wishes, process = Wishes(environment={"NASTY": value}), Process(entrypoint=("python3",), command=())
        spec = under_rie(project, project.functions[0], process, Path("/x/aws-lambda-rie"), wishes)
        assert f"--env=NASTY={value}" in shlex.split(shlex.join(run_arguments(spec)))


@pytest.mark.parametrize("key", ["base", "ric-version", "packages", "build-packages"])
@pytest.mark.parametrize("nasty", NASTY)
def test_names_that_would_be_interpreted_are_refused(key: str, nasty: str, tmp_path: Path) -> None:
    value = f"a{nasty}b"
    with pytest.raises(ProjectError) as error:
        load(tmp_path, **{key: [value] if "packages" in key else value})
    assert f": functions.hello.{key}" in str(error.value.lines())


@pytest.mark.parametrize("nasty", NASTY)
def test_names_of_functions_and_projects_are_refused(nasty: str) -> None:
    for text in (f"[project]\nname = {json.dumps(nasty)}\n", ""), ("", f"[functions.{json.dumps(nasty)}]\n"):
        with tempfile.TemporaryDirectory() as folder, pytest.raises(ProjectError):
            (Path(folder) / "lambdaimg.toml").write_text("".join(text) + '[functions.hello]\nlanguage = "python"\n')
            project_file.load(Path(folder) / "lambdaimg.toml", languages=languages.names())
