"""`image`: one that exists, built by anything, is run as it is; ImageConfig's three words go before its own."""

import json
from collections.abc import Iterator

import pytest

from tests.integration.conftest import OURS, Sandboxed, docker, serving

IMAGE = f"{OURS}-image:latest"
DOCKERFILE = """FROM python:3.13-slim
RUN mkdir /other && ln -s /other /link
COPY boot.py /boot.py
COPY boot.py /second.py
WORKDIR /var/task
ENTRYPOINT ["python3", "/boot.py"]
CMD ["app.handler"]
"""
BOOT = """
import http.client, json, os, sys

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    event = api.getresponse()
    event.read()
    path = f"/2018-06-01/runtime/invocation/{event.headers['Lambda-Runtime-Aws-Request-Id']}/response"
    api.request("POST", path, json.dumps([*sys.argv, os.getcwd(), os.environ["_HANDLER"]]))
    api.getresponse().read()
"""
ALL = 'entrypoint = ["python3", "/second.py"]\ncommand = ["b.c", "d"]\nworking-directory = "/tmp"\n'
AS_IT_IS = ["/boot.py", "app.handler", "/var/task", "app.handler"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("image")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "boot.py").write_text(BOOT)
    docker("build", "-q", "-t", IMAGE, str(folder))
    yield IMAGE
    docker("rmi", IMAGE)


def of_image(project: Sandboxed, image: str, settings: str = "") -> None:
    project.write(
        "lambdaimg.toml",
        f'[project]\nname = "{project.name}"\n[functions.own]\nimage = "{image}"\nmemory = 256\n{settings}',
    )


@pytest.mark.parametrize(
    ("settings", "seen"),
    [
        ("", AS_IT_IS),
        ('command = ["other.handler"]\n', ["/boot.py", "other.handler", "/var/task", "other.handler"]),
        ('entrypoint = ["python3", "/second.py"]\n', ["/second.py", "app.handler", "/var/task", "app.handler"]),
        ('working-directory = "/other"\n', ["/boot.py", "app.handler", "/other", "app.handler"]),
        ('working-directory = "/link"\n', ["/boot.py", "app.handler", "/other", "app.handler"]),
        (ALL, ["/second.py", "b.c", "d", "/tmp", "b.c"]),
    ],
)
def test_each_word_of_image_config(project: Sandboxed, image: str, settings: str, seen: list[str]) -> None:
    of_image(project, image, settings)
    assert json.loads(project.run("invoke").stdout) == seen
    under_rie = json.loads(project.run("invoke", "--rie").stdout)
    assert under_rie[:-1] == seen[:-1], "the RIE's _HANDLER is the last word, whatever it is"


@pytest.mark.parametrize(
    ("settings", "error_type", "hint"),
    [
        ('working-directory = "/no/such"\n', "Runtime.InvalidWorkingDir", "the working directory is not in the image"),
        ('working-directory = "/boot.py"\n', "Runtime.InvalidWorkingDir", "the working directory is not in the image"),
        ('working-directory = "/tmp/no"\n', "Runtime.InvalidWorkingDir", "the working directory is not in the image"),
        ('entrypoint = ["/no/such"]\n', "Runtime.InvalidEntrypoint", "the image's entrypoint is not there"),
        ('entrypoint = ["no-such"]\n', "Runtime.InvalidEntrypoint", "the image's entrypoint is not there"),
        ('entrypoint = ["/boot.py"]\n', "Runtime.InvalidEntrypoint", "Lambda's user may not execute"),
        ('entrypoint = ["/var"]\n', "Runtime.InvalidEntrypoint", "Lambda's user may not execute"),
    ],
)
def test_what_is_not_in_the_image_is_lambdas_error(
    project: Sandboxed, image: str, settings: str, error_type: str, hint: str
) -> None:
    of_image(project, image, settings)
    done = project.run("invoke", code=1)
    assert json.loads(done.stdout)["errorType"] == error_type
    assert f"Phase: init\tStatus: error\tError Type: {error_type}" in done.stderr
    assert f"lambdaimg: {hint}" in done.stderr
    assert project.run("invoke", "--rie", code=1).returncode == 1


def test_run_and_test_take_it_as_it_is(project: Sandboxed, image: str) -> None:
    before = docker("images", "-q", "--no-trunc", image)
    of_image(project, image, f'[[functions.own.tests]]\nname = "as it is"\nexpect = {{ payload = {AS_IT_IS} }}\n')
    with serving(project) as served:
        assert served.post({}).json() == AS_IT_IS
    project.run("test")
    project.run("build")
    project.run("clean", "--images")
    assert docker("images", "-q", "--no-trunc", image) == before


@pytest.mark.parametrize(("words", "code"), [("run --port 0", 6), ("invoke", 6), ("invoke --rie", 6), ("test", 1)])
def test_an_image_that_is_nowhere_is_told(project: Sandboxed, words: str, code: int) -> None:
    of_image(project, "127.0.0.1:1/none:latest", '[[functions.own.tests]]\nname = "none"\nexpect = { payload = 1 }\n')
    done = project.run(*words.split(), code=code)
    said = "the image 127.0.0.1:1/none:latest is not here and can't be pulled: connection refused"
    assert said in done.stdout + done.stderr
