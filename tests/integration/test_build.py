"""Building: what is in the images, what is not, and what is left in the engine."""

import io
import json
import secrets
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lambdaimg.images.escape import bake_value, compose_value, label
from lambdaimg.model.settings import host_architecture
from tests.integration.conftest import Sandboxed, docker, interrupt, python_function, read_until
from tests.integration.serve_fixtures import until

MB = 1_000_000


def size(image: str) -> int:
    return int(docker("image", "inspect", "--format", "{{.Size}}", image))


def image_id(image: str) -> str:
    return docker("image", "inspect", "--format", "{{.Id}}", image)


def dangling(project: Sandboxed) -> list[str]:
    label = f"label=lambdaimg.project={project.name}"
    return docker("images", "-q", "--filter", "dangling=true", "--filter", label).split()


def files(image: str, base: str, folder: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Every file of every layer that an image adds to its base (an empty one has no name): entry, content."""
    archive = folder / "image.tar"
    docker("save", "-o", str(archive), image)
    below = int(docker("image", "inspect", "--format", "{{len .RootFS.Layers}}", base)) if base else 0
    with tarfile.open(archive) as outer:
        [manifest] = json.load(outer.extractfile("manifest.json") or io.BytesIO())
        for layer in manifest["Layers"][below:]:
            with tarfile.open(fileobj=outer.extractfile(layer)) as inner:
                for entry in inner:
                    content = inner.extractfile(entry) if entry.isfile() else None
                    yield entry, content.read() if content else b""


def test_both_examples_are_small_and_hold_no_secret_nor_cache(
    project: Sandboxed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "s3cr3t-t0ken-of-the-test"
    monkeypatch.setenv("TEST_TOKEN", token)
    text = (project.root / "lambdaimg.toml").read_text()
    project.write("lambdaimg.toml", text + '[build.secrets]\ntoken = { env = "TEST_TOKEN" }\n')
    done = project.run("build", "--json")
    built = {row["function"]: row for row in json.loads(done.stdout)}
    assert list(built) == ["hello", "named"]
    assert built["hello"]["id"] == image_id(project.image())
    assert size(project.image("hello")) - size("debian:trixie-slim") <= 75 * MB
    assert size(project.image("named")) - size("node:24-slim") <= 15 * MB
    for function, base in (("hello", "debian:trixie-slim"), ("named", "node:24-slim")):
        assert token not in docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", project.image(function))
        for entry, content in files(project.image(function), base, tmp_path):
            assert token.encode() not in content, entry.name
            assert not entry.name.startswith(("root/.cache", "root/.npm", "run/secrets/")) or not content, entry.name
            assert not entry.name.startswith(("var/lib/apt/lists/", "var/cache/apt/")) or not content, entry.name
            assert "ca-certificates" not in entry.name


def test_nothing_to_do_changes_nothing_and_an_edit_leaves_nothing_dangling(project: Sandboxed) -> None:
    python_function(project, "def handler(event, context):\n    return 1\n")
    project.run("build")
    again = project.run("build")
    assert ("unchanged" in again.stdout, again.stderr) == (True, "")  # the builder is not even asked
    assert "exporting" in project.run("build", "--no-cache").stderr
    assert "unchanged" in project.run("build").stdout
    docker("tag", "debian:trixie-slim", project.image())  # nor is another image of that name taken for it
    assert "exporting" in project.run("build").stderr
    first = image_id(project.image())
    assert first != image_id("debian:trixie-slim")
    project.write("hello/app.py", "def handler(event, context):\n    return 2\n")
    assert "built" in project.run("build").stdout
    assert image_id(project.image()) != first
    assert dangling(project) == []
    docker("rmi", project.image())  # a removed image is noticed
    project.run("build")
    assert image_id(project.image())


def test_a_changed_base_is_noticed(project: Sandboxed) -> None:
    base = f"{project.name}-base:latest"
    docker("tag", "python:3.13-slim", base)
    python_function(project, "def handler(event, context):\n    return 1\n")
    text = (project.root / "lambdaimg.toml").read_text().replace("debian-trixie", base)
    project.write("lambdaimg.toml", text)
    try:
        project.run("build")
        first = image_id(project.image())
        subprocess.run(
            ["docker", "build", "-q", "-t", base, "-"], input=b"FROM python:3.13-slim\nLABEL x=y\n", check=True
        )
        assert "built" in project.run("build").stdout
        assert image_id(project.image()) != first
        assert "any image reference" not in project.run("show").stdout
    finally:
        docker("rmi", base)


@pytest.mark.parametrize("base", ["debian-bookworm", "python-3.13-slim"])
def test_python_on_other_bases(project: Sandboxed, base: str) -> None:
    text = (project.root / "lambdaimg.toml").read_text().replace("debian-trixie", base)
    project.write("lambdaimg.toml", text)
    project.run("build", "hello")
    assert (
        json.loads(project.run("invoke", "hello", "--rie", "-d", '{"name": "Bob"}').stdout)["message"] == "Hello, Bob"
    )


def test_the_source_is_readable_by_anybody_and_compiled(project: Sandboxed) -> None:
    python_function(project, "from pkg import value\ndef handler(event, context):\n    return value.X\n")
    project.write("hello/pkg/value.py", "X = 7\n")
    project.write("hello/tool.sh", "#!/bin/sh\necho ran\n")
    (project.root / "hello" / "tool.sh").chmod(0o700)
    (project.root / "hello" / "pkg" / "value.py").chmod(0o600)
    (project.root / "hello" / "pkg").chmod(0o700)
    project.run("build")
    assert project.run("invoke", "--rie").stdout == "7"
    listed = project.run("shell", "find", "/var/task", "-name", "*.pyc").stdout
    assert "/var/task/pkg/__pycache__/value.cpython-313.pyc" in listed
    assert project.run("shell", "/var/task/tool.sh").stdout == "ran\n"


def test_what_does_not_belong_in_an_image_stays_out(project: Sandboxed) -> None:
    python_function(project, "def handler(event, context): ...\n")
    out = [".git/config", ".env", ".env.local", ".venv/bin/python", "node_modules/x.js", ".aws/credentials", ".npmrc",
           "id_rsa", "__pycache__/app.cpython-310.pyc", ".pypirc", "sub/.env"]  # fmt: skip
    for file in out:
        project.write(f"hello/{file}", "x")
    project.write("hello/environment.py", "")
    project.write("other.py", "")
    project.run("build")
    found = project.run("shell", "find", "/var/task", "-type", "f", "-not", "-name", "*.pyc").stdout.split()
    assert sorted(found) == ["/var/task/app.py", "/var/task/environment.py"]


def test_a_failing_install_shows_the_builders_own_words(project: Sandboxed) -> None:
    project.write("hello/requirements.txt", "no-such-distribution-of-lambdaimg==1\n")
    done = project.run("build", code=5)
    assert "No matching distribution found for no-such-distribution-of-lambdaimg==1" in done.stderr
    (said,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert said.startswith("error: hello: the build failed at: [dependencies 3/3] RUN ")
    assert len(said) < 160


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('language = "python"\nbase = "debian-trixie"', ("debian:trixie-slim is here for", "docker pull --platform")),
        ('dockerfile = "Dockerfile"', ("the build failed at: [2/2] RUN true", "qemu-user-static")),
    ],
    ids=["a base", "a step"],
)
def test_what_is_not_there_for_an_architecture_is_told_with_what_to_do(
    project: Sandboxed, settings: str, said: tuple[str, str]
) -> None:
    other = "arm64" if host_architecture() == "x86_64" else "x86_64"
    project.write("Dockerfile", "FROM scratch\nCOPY --chmod=755 Dockerfile /bin/sh\nRUN true\n")  # no program at all
    head = f'[project]\nname = "{project.name}"\n[functions.hello]\n{settings}\narchitecture = "{other}"\n'
    project.write("lambdaimg.toml", head)
    *_, error, remedy = project.run("build", code=5).stderr.splitlines()
    assert said[0] in error
    assert said[1] in remedy


def test_dependencies_of_a_pyproject_and_of_locks(project: Sandboxed) -> None:
    python_function(project, "import six\ndef handler(event, context):\n    return six.__version__\n")
    project.write("hello/pyproject.toml", '[project]\nname = "x"\nversion = "1"\ndependencies = ["six==1.16.0"]\n')
    project.run("build")
    assert project.run("invoke", "--rie").stdout == '"1.16.0"'


def test_a_dockerfile_of_the_users_own(project: Sandboxed) -> None:
    project.write("mine/Dockerfile", "FROM python-base\n")
    project.run("build", "hello")
    own = f"FROM {project.image()}\nENV MINE=1\n"
    project.write("Dockerfile", own)
    text = (project.root / "lambdaimg.toml").read_text()
    project.write("lambdaimg.toml", f'{text}[functions.own]\ndockerfile = "Dockerfile"\ntimeout = 10\n')
    assert "only its image knows the entrypoint" in project.run("render", "own", code=2).stderr
    project.run("build", "own")
    assert json.loads(project.run("invoke", "own", "--rie", "-d", '{"name": "Eve"}').stdout)["message"] == "Hello, Eve"
    project.run("render", "own")
    assert "awslambdaric" in (project.root / ".lambdaimg" / "compose.yaml").read_text()


def test_build_arguments_arrive_literally(project: Sandboxed) -> None:
    nasty = "a ${X} %{if} $(id) \\ \" ' # é"
    project.write("Dockerfile", "FROM debian:trixie-slim\nARG NASTY\nRUN printf '%s' \"$NASTY\" > /nasty\n")
    project.write(
        "lambdaimg.toml",
        f'[project]\nname = "{project.name}"\n[functions.own]\ndockerfile = "Dockerfile"\n'
        f"[build.args]\nNASTY = {json.dumps(nasty, ensure_ascii=False)}\n",
    )
    project.run("build")
    assert docker("run", "--rm", project.image("own"), "cat", "/nasty") == nasty


def test_an_interrupted_build_ends_at_once(project: Sandboxed) -> None:
    pause = f"sleep 3{secrets.randbelow(10**8):08}"
    project.write("Dockerfile", f"FROM debian:trixie-slim\nRUN {pause}\n")
    project.write("lambdaimg.toml", f'[project]\nname = "{project.name}"\n[functions.own]\ndockerfile = "Dockerfile"\n')
    process = project.start("build")
    read_until(process.stderr, f"RUN {pause}")
    until(lambda: runs(pause), "the step's program")  # the engine kills no step that it is about to start
    code, _, err = interrupt(process)
    assert (code, err.splitlines()[-1]) == (130, "interrupted")
    until(lambda: not runs(pause), "its end")


def runs(program: str) -> bool:
    return program in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
FEW = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


@FEW
@given(st.lists(WORDS, min_size=5, max_size=30))
def test_labels_are_carried_literally(tmp_path_factory: pytest.TempPathFactory, values: list[str]) -> None:
    values = [*values, 'a"b', "$HOME ${X}", "\\", "#x", "`id`", "$(id)", "a\\", "'"]
    folder = tmp_path_factory.mktemp("labels")
    pairs = [(f"l{number}", value) for number, value in enumerate(values)]
    (folder / "Dockerfile").write_text("FROM scratch\nLABEL " + " \\\n  ".join(map(label, pairs)) + "\n", "utf-8")
    docker("build", "-q", "--iidfile", str(folder / "id"), str(folder))
    image = (folder / "id").read_text()
    try:
        assert json.loads(docker("image", "inspect", "--format", "{{json .Config.Labels}}", image)) == dict(pairs)
    finally:
        docker("rmi", image)


@FEW
@given(st.lists(WORDS, min_size=5, max_size=30))
def test_bake_and_compose_carry_values_literally(tmp_path_factory: pytest.TempPathFactory, values: list[str]) -> None:
    values = [*values, 'a"b', "$HOME ${X}", "$$", "$${X}", "%{ if }", "%%{x}", "\\", "#x", "$"]
    folder = tmp_path_factory.mktemp("values")
    names = [f"L{number}" for number in range(len(values))]
    args = dict(zip(names, map(bake_value, values), strict=True))
    (folder / "bake.json").write_text(json.dumps({"target": {"t": {"args": args}}}))
    printed = docker("buildx", "bake", "--print", "-f", str(folder / "bake.json"), "t")
    assert json.loads(printed)["target"]["t"]["args"] == dict(zip(names, values, strict=True))
    environment = dict(zip(names, map(compose_value, values), strict=True))
    service = {"services": {"s": {"image": "x", "environment": environment}}}
    (folder / "compose.yaml").write_text(yaml.safe_dump(service, allow_unicode=True), "utf-8")
    # `config` escapes what it prints again, so that its output is a compose file
    shown = docker("compose", "-f", str(folder / "compose.yaml"), "config", "--format", "json")
    found = json.loads(shown)["services"]["s"]["environment"]
    assert {name: text.replace("$$", "$") for name, text in found.items()} == dict(zip(names, values, strict=True))
