"""`lambdaimg check` as a command: on functions, on any image; baseline, reports, exit codes."""

import json
from pathlib import Path

from tests.integration.conftest import Sandboxed, docker, python_function

DOCKERFILE = """\
FROM debian:trixie-slim
RUN mkdir -p /var/task && echo 'exit 0' > /var/task/bootstrap && chmod 700 /var/task/bootstrap
USER 1000
ENTRYPOINT ["/var/task/bootstrap"]
CMD app.handler
"""


def own_dockerfile(project: Sandboxed, text: str = DOCKERFILE) -> None:
    project.write("Dockerfile", text)
    project.write("lambdaimg.toml", f'[project]\nname = "{project.name}"\n[functions.own]\ndockerfile = "Dockerfile"\n')


def states(output: str) -> dict[str, str]:
    return {row["id"]: row["state"] for row in json.loads(output)[0]["rules"]}


def test_a_hand_written_dockerfile_is_caught_and_the_remedies_mend_it(project: Sandboxed) -> None:
    own_dockerfile(project)
    built = project.run("build")
    assert "warning: own: LI011" in built.stderr
    assert "warning: own: LI030" in built.stderr
    assert "LI0" not in project.run("build").stderr
    found = states(project.run("check", "--json", "--no-run", code=4).stdout)
    raised = {rule: state for rule, state in found.items() if state not in ("pass", "not visible here")}
    assert raised == {
        **dict.fromkeys(("LI011", "LI013", "LI020", "LI040"), "fail"),
        **dict.fromkeys(("LI030", "LI041"), "warn"),
    }
    own_dockerfile(
        project,
        "FROM debian:trixie-slim\n"
        "RUN mkdir -p /var/task && printf '#!/bin/sh\\ncurl $AWS_LAMBDA_RUNTIME_API\\n' > /var/task/bootstrap "
        "&& chmod 755 /var/task/bootstrap\n"
        'ENTRYPOINT ["/var/task/bootstrap"]\nCMD ["app.handler"]\n',
    )
    project.run("build")
    assert "fit for Lambda: 38 pass" in project.run("check", "--no-run").stdout


def test_findings_are_selected_ignored_and_accepted(project: Sandboxed, tmp_path: Path) -> None:
    own_dockerfile(project)
    project.run("build")
    chosen = project.run("check", "--select", "LI03", "--ignore", "LI031", "-v")
    assert [line.split()[1] for line in chosen.stdout.splitlines() if " LI" in line] == [
        "LI030",
        *(f"LI03{n}" for n in range(2, 6)),
    ]
    baseline, sarif = str(tmp_path / "baseline.json"), tmp_path / "check.sarif"
    project.run("check", "--no-run", "--baseline", baseline, "--update-baseline")
    done = project.run("check", "--no-run", "--baseline", baseline, "--sarif", str(sarif))
    assert "6 known" in done.stdout
    assert json.loads(sarif.read_text())["runs"][0]["results"] == []
    own_dockerfile(project, DOCKERFILE + "EXPOSE 80\nENV SECRET_TOKEN=correct-horse\n")
    project.run("build")
    done = project.run("check", "--no-run", "--baseline", baseline, "--json", "--sarif", str(sarif), code=4)
    assert "correct-horse" not in done.stdout + sarif.read_text()
    assert {rule for rule, state in states(done.stdout).items() if state in ("warn", "fail")} == {"LI032", "LI052"}
    assert len(json.loads(sarif.read_text())["runs"][0]["results"]) == 2


def test_an_image_that_lambdaimg_did_not_build(project: Sandboxed) -> None:
    found = states(project.run("check", "--image", "debian:trixie-slim", "--json", "--no-run", code=4).stdout)
    assert [rule for rule, state in found.items() if state == "fail"] == ["LI020"]
    image_id = docker("image", "inspect", "--format", "{{.Id}}", "debian:trixie-slim")
    project.run("check", "--image", image_id, "--select", "LI06")


def test_what_is_asked_wrongly(project: Sandboxed) -> None:
    python_function(project, "")
    for arguments, said in (
        (["--image", "no/such:image"], "the engine has no image no/such:image"),
        (["--image", "oci-archive:none.tar"], "can't read none.tar: No such file or directory"),
        (["--image", "oci-archive:lambdaimg.toml"], "lambdaimg.toml is not an OCI archive"),
        (["--image", "registry:a b"], "is not an image reference"),
        (["--image", "x", "hello"], "--image is instead of functions"),
        (["--select", "LI9"], "no rule's id begins with 'LI9'"),
        (["--update-baseline"], "add --baseline FILE"),
        (["nobody"], "has no function 'nobody'"),
    ):
        assert said in project.run("check", *arguments, code=2).stderr


def test_a_test_run_can_require_it(project: Sandboxed) -> None:
    python_function(project, "def handler(event, context):\n    return 1\n", "tests = [{ name = 'one' }]\n")
    project.run("test", "--check")
    project.write("hello/settings.py", "KEY = 'AKIAQWERTYUIOPASDFGH'\n")
    done = project.run("test", "--check", code=4)
    assert "LI050  No secret is in a file of any layer" in done.stderr
    assert "AKIA" not in done.stderr + done.stdout
    project.run("test")
