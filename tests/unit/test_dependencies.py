"""Dependencies are found in the most exact statement of them."""

import pytest

from lambdaimg.catalog import languages
from lambdaimg.images.dependencies import detect
from lambdaimg.images.handler import handler_warning
from lambdaimg.model import project_file
from lambdaimg.model.errors import ProjectError
from lambdaimg.model.project import Project
from tests.conftest import MakeProject


def project(make_project: MakeProject, language: str, files: dict[str, str], source: str = "hello") -> Project:
    text = f'[functions.hello]\nlanguage = "{language}"\nsource = "{source}"\n'
    root = make_project(text, {f"{source}/{name}": content for name, content in files.items()})
    return project_file.load(root / "lambdaimg.toml", languages=languages.names())


@pytest.mark.parametrize(
    ("language", "files", "kind", "named"),
    [
        ("python", {"app.py": ""}, "none", ()),
        ("python", {"requirements.txt": "x"}, "requirements", ("hello/requirements.txt",)),
        ("python", {"requirements.txt": "-c c.txt\n-r more.txt\n-r gone.txt", "c.txt": "", "other.txt": "",
                    "more.txt": "-r c.txt\n-r requirements.txt"}, "requirements",
         ("hello/requirements.txt", "hello/c.txt", "hello/more.txt")),
        ("python", {"uv.lock": "", "pyproject.toml": ""}, "uv", ("hello/uv.lock", "hello/pyproject.toml")),
        ("python", {"poetry.lock": "", "pyproject.toml": ""}, "poetry", ("hello/poetry.lock", "hello/pyproject.toml")),
        ("python", {"pylock.toml": ""}, "pylock", ("hello/pylock.toml",)),
        ("python", {"pyproject.toml": "[project]\ndependencies = []\n"}, "none", ()),
        ("nodejs", {"index.js": ""}, "none", ()),
        ("nodejs", {"package.json": "{}"}, "none", ()),
        ("nodejs", {"package.json": "{}", "package-lock.json": "{}"}, "npm-lock",
         ("hello/package-lock.json", "hello/package.json")),
        ("nodejs", {"package.json": "{}", "yarn.lock": "# yarn lockfile v1\n"}, "yarn",
         ("hello/yarn.lock", "hello/package.json")),
        ("nodejs", {"package.json": "{}", "yarn.lock": "__metadata:\n"}, "yarn-berry",
         ("hello/yarn.lock", "hello/package.json")),
        ("nodejs", {"package.json": "{}", "pnpm-lock.yaml": ""}, "pnpm",
         ("hello/pnpm-lock.yaml", "hello/package.json")),
        ("nodejs", {"package.json": '{"devDependencies": {"typescript": "5"}}', "tsconfig.json": "{}"}, "npm",
         ("hello/package.json",)),
        ("go", {"go.mod": "", "main.go": ""}, "module", ("hello/go.mod",)),
        ("rust", {"Cargo.toml": "", "Cargo.lock": ""}, "lock", ("hello/Cargo.toml", "hello/Cargo.lock")),
        ("rust", {"Cargo.toml": ""}, "wishes", ("hello/Cargo.toml",)),
        ("java", {"pom.xml": "", "gradlew": ""}, "gradle", ("hello/gradlew",)),
        ("custom", {"bootstrap": ""}, "none", ()),
        ("custom", {"CMakeLists.txt": ""}, "cmake", ("hello/CMakeLists.txt",)),
        ("dotnet", {"a.csproj": ""}, "project", ("hello/a.csproj",)),
        ("ruby", {"Gemfile": ""}, "gemfile", ("hello/Gemfile",)),
    ],
)  # fmt: skip
def test_kinds(
    make_project: MakeProject, language: str, files: dict[str, str], kind: str, named: tuple[str, ...]
) -> None:
    made = project(make_project, language, files)
    found = detect(made, made.functions[0])
    assert (found.kind, found.files) == (kind, named)


def test_pyproject_becomes_a_requirements_file(make_project: MakeProject) -> None:
    made = project(make_project, "python", {"pyproject.toml": '[project]\ndependencies = ["requests>=2", "boto3"]\n'})
    found = detect(made, made.functions[0])
    assert found.generated == {"hello.requirements.txt": "requests>=2\nboto3\n"}


def test_wishes_without_a_lock_are_warned_of(make_project: MakeProject) -> None:
    made = project(make_project, "nodejs", {"package.json": '{"dependencies": {"uuid": "*"}}'})
    found = detect(made, made.functions[0])
    assert found.kind == "npm"
    assert "no lock file" in found.warning


@pytest.mark.parametrize(("language", "file"), [("python", "pyproject.toml"), ("nodejs", "package.json")])
def test_a_broken_file_is_named(make_project: MakeProject, language: str, file: str) -> None:
    made = project(make_project, language, {file: "{ not"})
    with pytest.raises(ProjectError, match=f"hello/{file}"):
        detect(made, made.functions[0])


@pytest.mark.parametrize(
    ("language", "files", "handler", "said"),
    [
        ("python", {"app.py": "def handler(e, c): ..."}, "app.handler", ""),
        ("python", {"app.py": "from x import handler"}, "app.handler", ""),
        ("python", {"app.py": "from x import *"}, "app.handler", ""),
        ("python", {"app.py": "handler = make()"}, "app.handler", ""),
        ("python", {"pkg/app.py": "async def run(e, c): ..."}, "pkg/app.run", ""),
        ("python", {"pkg/__init__.py": "def run(e, c): ..."}, "pkg.run", ""),
        ("python", {"app.py": ""}, "app.handler", "hello/app.py defines no 'handler'"),
        ("python", {"app.py": ""}, "main.handler", "not there: hello/main.py"),
        ("python", {"app.py": "def ("}, "app.handler", "hello/app.py:1"),
        ("python", {"app.py": ""}, "handler", "has no dot"),
        ("nodejs", {"index.mjs": "export const handler = 1"}, "index.handler", ""),
        ("nodejs", {"index.js": "exports.handler = 1"}, "index.handler", ""),
        ("nodejs", {"index.js": "exports.other = 1"}, "index.handler", "exports no 'handler'"),
        ("nodejs", {"index.ts": "export const handler = 1"}, "index.handler", ""),
        ("nodejs", {"src/index.ts": "", "tsconfig.json": "{}"}, "index.handler", ""),
        ("go", {"main.go": ""}, "bootstrap", ""),
        ("nodejs", {"index.txt": ""}, "index.handler", "not there: hello/index.js or index.mjs"),
    ],
)
def test_handlers_are_looked_for(
    make_project: MakeProject, language: str, files: dict[str, str], handler: str, said: str
) -> None:
    made = project(make_project, language, files)
    warning = handler_warning(made, made.functions[0], handler)
    assert said in warning
    assert bool(said) == bool(warning)
