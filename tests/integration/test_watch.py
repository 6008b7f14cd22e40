"""`run --watch`: an edit of a source that is mounted is answered by the new code, with no build."""

import pytest

from tests.integration.conftest import Sandboxed, Served, docker, python_function, read_until, serving

PYTHON = "def handler(event, context):\n    return {answer}\n"
NODEJS = 'import {{ v5 }} from "uuid";\nexport const handler = async () => v5 && {answer};\n'


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
        told(served, "app.py changed: the new code answers")
        assert (served.post({}).json(), image(project)) == (2, built)


def test_an_edit_of_nodejs_is_answered_without_a_build(project: Sandboxed) -> None:
    """With the dependencies that are installed in the image."""
    with serving(project, "named", "--watch") as served:
        built = image(project, "named")
        project.write("named/index.mjs", NODEJS.format(answer=2))
        told(served, "index.mjs changed: the new code answers")
        assert (served.post({}).json(), image(project, "named")) == (2, built)
