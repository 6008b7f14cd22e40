"""The project file: everything that can be wrong with it is reported at once, with line, key, value and remedy."""

from pathlib import Path

import pytest

from lambdaimg.model import project_file, quotas
from lambdaimg.model.declare import settings_of
from lambdaimg.model.errors import ProjectError, UsageError
from lambdaimg.model.locate import Locator
from lambdaimg.model.project import Project
from lambdaimg.model.settings import BuildSettings, FunctionSettings, ProjectSettings

LANGUAGES = ("nodejs", "python")
MINIMAL = '[functions.hello]\nlanguage = "python"\n'


def load(folder: Path, text: str, name: str = "lambdaimg.toml") -> Project:
    file = folder / name
    file.write_text(text, "utf-8")
    return project_file.load(file, languages=LANGUAGES)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ProjectError) as error:
        load(folder, text)
    assert error.value.exit_code == 2
    return [str(problem) for problem in error.value.problems]


def test_defaults_are_lambdas(tmp_path: Path) -> None:
    project = load(tmp_path, MINIMAL)
    (function,) = project.functions
    assert function.source == "hello"
    assert (function.settings.memory, function.settings.timeout, function.settings.ephemeral_storage) == (128, 3, 512)
    assert project.region == "us-east-1"


def test_functions_keep_the_files_order_and_take_defaults(tmp_path: Path) -> None:
    project = load(
        tmp_path,
        '[defaults]\nlanguage = "python"\nmemory = 256\n[defaults.environment]\nSTAGE = "dev"\nTABLE = "all"\n'
        '[functions.zeta]\n[functions.alpha]\nmemory = 512\n[functions.alpha.environment]\nTABLE = "own"\n',
    )
    assert [function.name for function in project.functions] == ["zeta", "alpha"]
    zeta, alpha = project.functions
    assert (zeta.settings.memory, alpha.settings.memory) == (256, 512)
    assert alpha.settings.environment == {"STAGE": "dev", "TABLE": "own"}
    assert zeta.origins["memory"] == "lambdaimg.toml:3"
    assert alpha.origins["memory"] == "lambdaimg.toml:9"
    assert alpha.origins["timeout"] == "default"


def test_all_problems_are_reported_at_once_with_their_lines(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        '[project]\nname = "Shop"\n[functions.hello]\nlangauge = "python"\nlanguage = "python"\nmemory = 64\n'
        'packages = [\n  "libpq5",\n  "bad name",\n]\n[build]\nnetwork = "hosts"\n',
    )
    assert [line.split(": ")[:2] for line in found] == [
        ["lambdaimg.toml:2", "project.name"],
        ["lambdaimg.toml:4", "functions.hello.langauge"],
        ["lambdaimg.toml:6", "functions.hello.memory"],
        ["lambdaimg.toml:7", "functions.hello.packages.1"],
        ["lambdaimg.toml:12", "build.network"],
    ]
    assert 'did you mean "language"?' in found[1]
    assert "128 to 10240 MB, not 64" in found[2]


WRONG = [
    ("memory = 127", "128 to 10240 MB"),
    ("memory = 10241", "128 to 10240 MB"),
    ("memory = true", "128 to 10240 MB"),
    ("memory = 128.0", "128 to 10240 MB"),
    ('memory = "128"', "128 to 10240 MB"),
    ("timeout = 0", "1 to 900 s"),
    ("timeout = 901", "1 to 900 s"),
    ("ephemeral-storage = 511", "512 to 10240 MB"),
    ('handler = "a b"', "without white space"),
    ('base = "debian trixie"', "image reference"),
    ('base = "$(id)"', "image reference"),
    ('base = "a\\nRUN id"', "image reference"),
    ('source = "../up"', "inside the project"),
    ('source = "/etc"', "relative path"),
    ('source = "a\\"b"', "relative path"),
    ('source = "a*"', "relative path"),
    ('source = "${X}"', "relative path"),
    ('packages = ["a; rm -rf /"]', "OS package"),
    ('packages = ["-y"]', "OS package"),
    ('packages = "libpq5"', "must be a list"),
    ('ric-version = "1; id"', "a version"),
    ('architecture = "amd64"', "one of x86_64, arm64"),
    ("environment = 3", "must be a table"),
    ('environment = { A = "x" }', "the name must be"),
    ('environment = { AWS_REGION = "x" }', "reserved"),
    ("environment = { OK_1 = 3 }", "must be a string"),
    ('environment = { OK_1 = "x\\u0000" }', "must be a string"),
    ('test = "x"', "unknown key 'test'"),
    ('dockerfile = "D"\npackages = ["libpq5"]', "no effect beside dockerfile"),
]


@pytest.mark.parametrize(("line", "said"), WRONG, ids=[line for line, _ in WRONG])
def test_a_wrong_value_says_what_is_allowed(tmp_path: Path, line: str, said: str) -> None:
    (found,) = problems(tmp_path, f"{MINIMAL}{line}\n")
    assert said in found
    assert found.startswith("lambdaimg.toml:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no function"),
        ("[functions]\n", "no function"),
        ("[functions.hello]\n", "has no language"),
        ('[functions.hello]\nlanguage = "pyhton"\n', 'did you mean "python"?'),
        ('[functions."a b"]\nlanguage = "python"\n', "letters, digits, - and _"),
        (f'[functions.{"x" * 65}]\nlanguage = "python"\n', "1 to 64"),
        ('[functions._a]\nlanguage = "python"\n', "image's name"),
        ('[functions.Hello]\nlanguage = "python"\n[functions.hello]\nlanguage = "python"\n', "same image as 'Hello'"),
        ("functions = 3\n", "must be a table"),
        ('[function.hello]\n[functions.hello]\nlanguage = "python"\n', 'did you mean "functions"?'),
        (f'{MINIMAL}[build.secrets]\nx = {{ env = "A", file = "b" }}\n', "must be { env"),
        (f'{MINIMAL}[build.args]\n"A B" = "x"\n', "the name must be"),
        (f'{MINIMAL}layers = ["comon"]\n[layers.common]\n', "no layer 'comon'; did you mean \"common\"?"),
        (f'{MINIMAL}layers = ["common"]\n', "write a table [layers.common]"),
        (f"{MINIMAL}[layers.Common]\n", "the name must be lower-case"),
        (f'{MINIMAL}[layers.common]\nsources = "x"\n', 'did you mean "source"?'),
    ],
)
def test_a_wrong_structure(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in found for found in problems(tmp_path, text))


def test_the_environment_is_measured_as_compact_json(tmp_path: Path) -> None:
    room = quotas.ENVIRONMENT_BYTES - len('{"KEY":""}')
    load(tmp_path, f'{MINIMAL}[functions.hello.environment]\nKEY = "{"x" * room}"\n')
    (found,) = problems(tmp_path, f'{MINIMAL}[functions.hello.environment]\nKEY = "{"x" * (room + 1)}"\n')
    assert "4097 bytes" in found


def test_secret_values_are_not_shown(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, f'{MINIMAL}[functions.hello.environment]\nAWS_SECRET_ACCESS_KEY = "hunter2"\n')
    assert "hunter2" not in found


def test_not_toml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"lambdaimg\.toml:2: not TOML"):
        load(tmp_path, "[project]\nname = \n")


def test_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "lambdaimg.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ProjectError, match="not UTF-8"):
        project_file.load(tmp_path / "lambdaimg.toml", languages=LANGUAGES)


def test_pyproject_with_its_table(tmp_path: Path) -> None:
    text = '[project]\nname = "other"\n[tool.lambdaimg.project]\nname = "shop"\n[tool.lambdaimg.functions.hello]\n'
    project = load(tmp_path, text + 'language = "python"\n', "pyproject.toml")
    assert project.name == "shop"
    with pytest.raises(ProjectError) as error:
        load(tmp_path, text + "memory = 1\n", "pyproject.toml")
    assert "pyproject.toml:6: functions.hello.memory" in str(error.value.problems[1])


def test_the_nearest_file_is_found_walking_up(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "lambdaimg.toml").write_text(MINIMAL)
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'\n")  # not ours: no table
    assert project_file.find(inner) == tmp_path / "lambdaimg.toml"


def test_two_files_in_one_folder_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "lambdaimg.toml").write_text(MINIMAL)
    (tmp_path / "pyproject.toml").write_text("[tool.lambdaimg]\n")
    with pytest.raises(ProjectError, match="has both"):
        project_file.find(tmp_path)


def test_no_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as error:
        project_file.find(tmp_path)
    assert "lambdaimg init" in error.value.remedy


def test_the_default_name_is_the_folders(tmp_path: Path) -> None:
    folder = tmp_path / "My Shop (2)"
    folder.mkdir()
    assert load(folder, MINIMAL).name == "my-shop-2"


def test_selecting_functions(tmp_path: Path) -> None:
    project = load(tmp_path, '[defaults]\nlanguage = "python"\n[functions.orders]\n[functions.users]\n')
    assert [function.name for function in project.select(("users", "orders"))] == ["orders", "users"]
    with pytest.raises(UsageError, match="has no function 'order'") as error:
        project.select(("order",))
    assert error.value.remedy == 'did you mean "orders"?'
    with pytest.raises(UsageError, match="2 functions: name one"):
        project.one(None)


def test_every_setting_has_its_words() -> None:
    for table in (ProjectSettings, BuildSettings, FunctionSettings):
        for setting in settings_of(table).values():
            assert setting.local, setting.key


@pytest.mark.parametrize(
    ("path", "line"),
    [(("a",), 1), (("t", "b"), 5), (("t", "long"), 6), (("t", "after"), 11), (("t", "missing"), 4), (("u", "v"), 13)],
)
def test_lines_are_found_in_any_toml(path: tuple[str, ...], line: int) -> None:
    text = 'a = 1\n\n# t\n[t]\nb = 2\nlong = """\n[t]\nb = 9\nafter = 8\n"""\nafter = 3\n\nu.v = { w = 1 }\n'
    text = text.replace("\n\nu.v", "\n[u]\nv")
    assert Locator(text).line(path) == line


TABLES = """\
[[f.tests]]
name = "a"
event = [
  1,
]
[[f.tests]]
[f.tests.expect]
payload = { a = [{ b = 1 }] }
[[f.tests.steps]]
[[f.tests.steps]]
event = 1
[other."a.b"]
x.y.z = '''
[[f.tests]]
'''
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("f", "tests", 0), 1),
        (("f", "tests", 0, "event", 0), 3),
        (("f", "tests", 1), 6),
        (("f", "tests", 1, "expect"), 7),
        (("f", "tests", 1, "expect", "payload", "a", 0, "b"), 8),
        (("f", "tests", 1, "steps", 1, "event"), 11),
        (("other", "a.b", "x", "y", "z"), 13),
        (("f", "tests", 2), 1),
    ],
)
def test_lines_are_found_in_arrays_of_tables(path: tuple[str, ...], line: int) -> None:
    assert Locator(TABLES).line(path) == line
