"""`run --watch`: an edit is answered by the new code, built where it takes a build; a failed build changes nothing."""

import shutil
from pathlib import Path

import pytest

from tests.integration.conftest import Sandboxed, Served, docker, interrupt, python_function, read_until, serving
from tests.integration.custom_runtime import DOCKERFILE, custom_function

PYTHON = "def handler(event, context):\n    return {answer}\n"
NODEJS = 'import {{ v5 }} from "uuid";\nexport const handler = async () => v5 && {answer};\n'
NEW = "changed: the new code answers"
OLD = "the old code still answers"
LANGUAGES = Path(__file__).parent / "languages"


def image(project: Sandboxed, function: str = "hello") -> str:
    return docker("images", "-q", "--no-trunc", project.image(function))


def told(served: Served, text: str) -> str:
    return read_until(served.process.stderr, text)


@pytest.mark.parametrize("emulator", [[], ["--rie"]], ids=["lambdaimg", "rie"])
def test_an_edit_of_python_is_answered_without_a_build(project: Sandboxed, emulator: list[str]) -> None:
    python_function(project, PYTHON.format(answer=1))
    with serving(project, "hello", "--watch", *emulator) as served:
        assert served.post({}).json() == 1
        built = image(project)
        project.write("hello/app.py", PYTHON.format(answer=2))
        told(served, f"app.py {NEW}")
        assert (served.post({}).json(), image(project)) == (2, built)


def test_an_edit_of_nodejs_is_answered_without_a_build(project: Sandboxed) -> None:
    """With the dependencies that are installed in the image."""
    with serving(project, "named", "--watch") as served:
        built = image(project, "named")
        project.write("named/index.mjs", NODEJS.format(answer=2))
        told(served, f"index.mjs {NEW}")
        assert (served.post({}).json(), image(project, "named")) == (2, built)


def test_a_syntax_error_is_answered_as_lambda_does_and_mended(project: Sandboxed) -> None:
    python_function(project, PYTHON.format(answer=1))
    with serving(project, "hello", "--watch") as served:
        project.write("hello/app.py", "def handler(\n")
        told(served, NEW)
        assert served.post({}).json()["errorType"] == "Runtime.UserCodeSyntaxError"
        project.write("hello/app.py", PYTHON.format(answer=2))
        told(served, NEW)
        assert served.post({}).json() == 2


def test_what_is_installed_is_built_and_a_failed_build_keeps_the_old_code(project: Sandboxed) -> None:
    """Also where nothing was installed before."""
    python_function(project, "import importlib.metadata as m\ndef handler(e, c):\n    return m.version('six')\n")
    with serving(project, "hello", "--watch") as served:
        assert served.post({}).json()["errorType"] == "PackageNotFoundError"
        for requirements, said in (
            ("six==1.17.0\n", NEW),
            ("not a requirement\n", OLD),
            ("six==1.17.0 # mended\n", NEW),
        ):
            project.write("hello/requirements.txt", requirements)
            told(served, "requirements.txt changed: building")
            told(served, said)
            assert served.post({}).json() == "1.17.0"


def test_an_edit_of_a_layer_is_built(project: Sandboxed) -> None:
    python_function(
        project,
        "import shared\ndef handler(event, context):\n    return shared.ANSWER\n",
        'layers = ["shared"]\n[layers.shared]\n',
        **{"layers/shared/python/shared.py": "ANSWER = 1\n"},
    )
    with serving(project, "hello", "--watch") as served:
        assert served.post({}).json() == 1
        project.write("layers/shared/python/shared.py", "ANSWER = 2\n")
        told(served, f"shared.py {NEW}")
        assert served.post({}).json() == 2


@pytest.mark.parametrize(
    ("language", "settings", "file"),
    [
        ("bash", 'language = "custom"\npackages = ["curl"]\nhandler = "function.handler"', "function.sh"),
        pytest.param(
            "typescript", 'language = "nodejs"\nbase = "node-24-slim"', "src/index.ts", marks=pytest.mark.slow
        ),
        pytest.param("go", 'language = "go"\nbase = "scratch"', "main.go", marks=pytest.mark.slow),
    ],
    ids=["bash", "typescript", "go"],
)
def test_other_languages_are_built(project: Sandboxed, language: str, settings: str, file: str) -> None:
    """Those that compile tell an error as a failed build."""
    shutil.copytree(LANGUAGES / language, project.root / "own")
    project.write("lambdaimg.toml", f'[project]\nname = "{project.name}"\n[functions.own]\n{settings}\n')
    source = (project.root / "own" / file).read_text("utf-8")
    with serving(project, "own", "--watch") as served:
        project.write(f"own/{file}", source.replace("Hello", "Servus"))
        told(served, NEW)
        assert served.post({"name": "Ada"}).json() == {"message": "Servus, Ada"}
        project.write(f"own/{file}", f"{source}\n)\n")
        told(served, NEW if language == "bash" else OLD)
        assert ("message" in served.post({"name": "Ada"}).json()) == (language != "bash")
        project.write(f"own/{file}", source)
        told(served, NEW)
        assert served.post({"name": "Ada"}).json() == {"message": "Hello, Ada"}


def test_ctrl_c_interrupts_a_build(project: Sandboxed) -> None:
    custom_function(project, "timeout = 10\n")
    with serving(project, "own", "--watch") as served:
        project.write("Dockerfile", DOCKERFILE.replace("CMD", "RUN sleep 100000\nCMD"))
        told(served, "RUN sleep")
        assert interrupt(served.process)[0] == 130


def test_a_file_that_lambdas_user_cant_read_is_told(project: Sandboxed) -> None:
    python_function(project, PYTHON.format(answer=1))
    (project.root / "hello" / "app.py").chmod(0o600)
    with serving(project, "hello", "--watch") as served:
        told(served, f"hello: Lambda's user can't read {project.root / 'hello' / 'app.py'}: chmod -R a+rX")
