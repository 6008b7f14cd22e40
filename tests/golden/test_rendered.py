"""What is rendered for each language on each base, and for the odd settings: compared with the files beside this one.

`make golden` writes them anew; the diff is for a person to read.
"""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from lambdaimg import resources
from lambdaimg.catalog import bases, languages
from lambdaimg.images.build import plans_of
from lambdaimg.images.project_files import project_files
from lambdaimg.model import project_file
from lambdaimg.model.errors import ProjectError
from tests.conftest import MakeProject

HERE = Path(__file__).parent / "rendered"


class Case(NamedTuple):
    """A project, as a function's settings and the files of its source."""

    settings: str
    files: dict[str, str]


SOURCES = {
    "python": {"app.py": "def handler(event, context): ...\n", "requirements.txt": "requests\n"},
    "nodejs": {
        "index.mjs": "export const handler = 1\n",
        "package.json": '{"dependencies": {"uuid": "14"}}',
        "package-lock.json": "{}",
    },
    "go": {"go.mod": "", "main.go": ""},
    "rust": {"Cargo.toml": "", "Cargo.lock": "", "src/main.rs": ""},
    "java": {"pom.xml": ""},
    "custom": {"bootstrap": ""},
    "ruby": {"Gemfile": "", "Gemfile.lock": "", "function.rb": ""},
    "dotnet": {"hello.csproj": "", "Program.cs": ""},
}
PAIRS = [
    (language, base)
    for language in languages.names()
    for base in bases.names()
    if languages.read(language).runtime(bases.read(base))
]
"""Every language on every base that the catalog says it runs on."""


def on(language: str, base: str) -> Case:
    return Case(f'language = "{language}"\nbase = "{base}"\n', SOURCES[language])


CASES = {
    f"{language}-{base}": on(language, base)
    for language, base in PAIRS
    if base in languages.read(language).tier_1 or language in bases.read(base).runtimes
} | {
    "go-arm64": Case('language = "go"\narchitecture = "arm64"\n', SOURCES["go"]),
    "rust-arm64": Case('language = "rust"\narchitecture = "arm64"\n', SOURCES["rust"]),
    "rust-layers": Case(
        'language = "rust"\nlayers = ["common"]\n[layers.common]\n', SOURCES["rust"] | {"../layers/common/x": ""}
    ),
    "java-gradle": Case('language = "java"\n', {"gradlew": "", "build.gradle": ""}),
    "custom-cmake": Case('language = "custom"\nbase = "scratch"\n', {"CMakeLists.txt": "", "main.cpp": ""}),
    "nodejs-typescript": Case(
        'language = "nodejs"\n', {"tsconfig.json": "{}", "package.json": "{}", "package-lock.json": "{}"}
    ),
    "python-plain": Case('language = "python"\n', {"app.py": ""}),
    "python-uv": Case('language = "python"\n', {"app.py": "", "uv.lock": "", "pyproject.toml": ""}),
    "python-poetry": Case('language = "python"\n', {"app.py": "", "poetry.lock": "", "pyproject.toml": ""}),
    "python-layers": Case(
        'language = "python"\nlayers = ["common", "other"]\n'
        '[layers]\ncommon = {}\nother = { source = "shared/other" }\n',
        {"app.py": "", "../layers/common/python/x.py": "", "../shared/other/y": ""},
    ),
    "nodejs-layers": Case(
        'language = "nodejs"\nlayers = ["common"]\n[layers.common]\n',
        {"index.mjs": "", "../layers/common/nodejs/node_modules/x.js": ""},
    ),
    "python-pylock": Case('language = "python"\n', {"app.py": "", "pylock.toml": ""}),
    "python-pyproject": Case(
        'language = "python"\n', {"app.py": "", "pyproject.toml": '[project]\ndependencies = ["requests"]\n'}
    ),
    "python-everything": Case(
        'language = "python"\nsource = "src/my code"\nhandler = "a/b.run\\"$(id)"\npackages = ["libpq5", "curl"]\n'
        'build-packages = ["libpq-dev=15.1"]\nric-version = "4.0.0"\narchitecture = "arm64"\nmemory = 1769\n'
        'timeout = 900\nephemeral-storage = 1024\nenv-file = ".env.local"\n'
        '[functions.hello.environment]\nNASTY = "a$b ${X} \\"quoted\\" # no comment"\n'
        '[build]\nnetwork = "host"\nca-bundle = "/ca.pem"\n[build.args]\nVERSION = "${X} %{if} $Y"\n'
        '[build.secrets]\ntoken = { env = "TOKEN" }\n',
        SOURCES["python"],
    ),
    "nodejs-plain": Case('language = "nodejs"\n', {"index.mjs": ""}),
    "nodejs-npm": Case('language = "nodejs"\n', {"index.mjs": "", "package.json": '{"dependencies": {"uuid": "14"}}'}),
    "nodejs-yarn": Case(
        'language = "nodejs"\n', {"index.mjs": "", "package.json": "{}", "yarn.lock": "# yarn lockfile v1"}
    ),
    "nodejs-yarn-berry": Case('language = "nodejs"\n', {"index.mjs": "", "package.json": "{}", "yarn.lock": "x"}),
    "nodejs-pnpm": Case('language = "nodejs"\n', {"index.mjs": "", "package.json": "{}", "pnpm-lock.yaml": ""}),
    "nodejs-here": Case('language = "nodejs"\nsource = "."\n', {"index.mjs": ""}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_secrets_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "PIP_CONFIG_FILE",
                 "NPM_CONFIG_USERCONFIG"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def rendered(make_project: MakeProject, case: Case, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    source = next((line[10:-1] for line in case.settings.splitlines() if line.startswith("source")), "hello")
    files = {f"{source}/{name}": text for name, text in case.files.items()}
    root = make_project(f'[project]\nname = "shop"\n[functions.hello]\n{case.settings}', files)
    if "TOKEN" in case.settings:
        monkeypatch.setenv("TOKEN", "hunter2")
        (root / "ca.pem").write_text("certificate")
        text = (root / "lambdaimg.toml").read_text().replace("/ca.pem", "ca.pem")
        (root / "lambdaimg.toml").write_text(text)
    project = project_file.load(root / "lambdaimg.toml", languages=languages.names())
    plans = plans_of(project, project.functions, lambda name, _: bases.read(name))
    found = project_files(plans, ".lambdaimg", lambda plan: plan.process, container_names=False)
    return {name: text.replace(str(root), "/project") for name, text in found.items()}


@pytest.mark.parametrize("name", CASES)
def test_rendered(
    name: str, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    files = rendered(make_project, CASES[name], monkeypatch)
    text = "".join(f"=== {file}\n{content}" for file, content in sorted(files.items()))
    golden = HERE / f"{name}.txt"
    if request.config.getoption("--update-golden"):
        HERE.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in HERE.iterdir()} == set(CASES)


def hadolint(*dockerfiles: Path) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).parent / "hadolint"
    # DL3007: a base's tag is the catalog's choice, or the user's
    return subprocess.run([program, "--ignore=DL3007", *dockerfiles], capture_output=True, text=True, check=False)


def test_hadolint_passes_on_every_pair_of_the_catalog_and_every_odd_case(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = []
    for name, case in (CASES | {f"{language}-{base}": on(language, base) for language, base in PAIRS}).items():
        file = tmp_path / f"{name}.Dockerfile"
        file.write_text(rendered(make_project, case, monkeypatch)["hello.Dockerfile"])
        files.append(file)
    done = hadolint(*files)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("dockerfile", sorted(resources.base_images().glob("*.Dockerfile")), ids=lambda file: file.name)
def test_hadolint_passes_for_the_bases(dockerfile: Path) -> None:
    done = hadolint(dockerfile)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_plan_gives_the_same_bytes(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES["python-everything"]
    assert rendered(make_project, case, monkeypatch) == rendered(make_project, case, monkeypatch)


def test_nothing_secret_is_rendered(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    files = rendered(make_project, CASES["python-everything"], monkeypatch)
    assert "hunter2" not in "".join(files.values())
    assert "NASTY" not in files["hello.Dockerfile"], "run-time variables are not for the image"


def test_compose_and_bake_are_data(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    files = rendered(make_project, CASES["python-everything"], monkeypatch)
    service = yaml.safe_load(files["compose.yaml"])["services"]["hello"]
    assert service["environment"]["NASTY"] == 'a$$b $${X} "quoted" # no comment'
    assert service["command"][-1] == 'a/b.run"$$(id)'
    assert service["ports"] == ["127.0.0.1:9000:8080"]
    assert "container_name" not in service
    target = json.loads(files["bake.json"])["target"]["hello"]
    assert target["args"]["VERSION"] == "$${X} %%{if} $Y"
    assert target["secret"] == ["id=ca,src=/project/ca.pem", "id=token,env=TOKEN"]


def test_a_template_of_the_users_own_extends_ours(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    template = '{% extends "python/Dockerfile.j2" %}\n{% block function %}\nENV MINE=1\n{% endblock %}\n'
    case = Case(
        'language = "python"\nsource = "hello"\ntemplate = "hello/mine.j2"\n', {"app.py": "", "mine.j2": template}
    )
    text = rendered(make_project, case, monkeypatch)["hello.Dockerfile"]
    assert "\nENV MINE=1\n" in text
    assert 'CMD ["app.handler"]' in text


@pytest.mark.parametrize(
    ("template", "said"),
    [("{% block", "mine.j2:1"), ("{{ nothing }}", "'nothing' is undefined"), ("{{ 1 + '' }}", "mine.j2")],
)
def test_a_wrong_template_is_named(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, template: str, said: str
) -> None:
    case = Case('language = "python"\ntemplate = "hello/mine.j2"\n', {"app.py": "", "mine.j2": template})
    with pytest.raises(ProjectError, match=said):
        rendered(make_project, case, monkeypatch)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("go", "hello has no go.mod"),
        ("rust", "hello has no Cargo.toml"),
        ("java", "hello has neither pom.xml nor gradlew"),
        ("dotnet", "hello has no project file"),
    ],
)
def test_what_a_language_is_built_with_is_asked_for(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    with pytest.raises(ProjectError, match=said):
        rendered(make_project, Case(f'language = "{language}"\n', {"x": ""}), monkeypatch)


@pytest.mark.parametrize(("deprecated", "warned"), [(date(2020, 1, 1), True), (date(9000, 1, 1), False), (None, False)])
def test_a_base_that_aws_no_longer_keeps_up_is_warned_of(
    make_project: MakeProject, deprecated: date | None, warned: bool
) -> None:
    root = make_project('[functions.hello]\nlanguage = "go"\n', {"hello/go.mod": ""})
    project = project_file.load(root / "lambdaimg.toml", languages=languages.names())
    base = replace(bases.read("aws-provided-al2023"), deprecated=deprecated)
    [plan] = plans_of(project, project.functions, lambda *_: base)
    assert ("AWS no longer keeps" in "".join(plan.warnings)) is warned


def test_packages_need_a_package_manager(make_project: MakeProject) -> None:
    root = make_project('[functions.hello]\nlanguage = "python"\npackages = ["curl"]\n', {"hello/app.py": ""})
    project = project_file.load(root / "lambdaimg.toml", languages=languages.names())
    base = replace(bases.read("python-3.13-slim"), package_manager="none")
    plans = plans_of(project, project.functions, lambda *_: base)
    with pytest.raises(ProjectError, match="has no package manager to install curl"):
        project_files(plans, ".lambdaimg", lambda plan: plan.process, container_names=False)
