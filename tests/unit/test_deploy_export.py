"""Exports: valid for the tools that read them, and saying what the project file says."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator

from lambdaimg.cli.main import run
from tests.unit.test_deploy_policy import FULL, PLAIN

CRD = Path(__file__).parents[3] / "shared" / "data" / "knative" / "serving-service-crd.yaml"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "0" * 64
SCALED = f"""{PLAIN}
memory = 1769
env-file = ".docker.env"
entrypoint = ["/usr/bin/env"]
command = ["app.handler"]
working-directory = "/var/task"
reserved-concurrency = 5
provisioned-concurrency = 2
[functions.hello.environment]
GREETING = "$(HOME)"
EMPTY = ""
[functions.get_Order]
language = "python"
timeout = 900
url = {{ auth = "NONE" }}
"""

Export = Callable[..., str]


@pytest.fixture
def export(make_project: Callable[[str], Path], capfd: pytest.CaptureFixture[str]) -> Export:
    def exported(text: str, *arguments: str) -> str:
        assert run(["-C", str(make_project(text)), "export", *arguments]) == 0
        return capfd.readouterr().out

    return exported


def test_cfn_lint_finds_nothing(export: Export, tmp_path: Path) -> None:
    files = []
    for form in ("cloudformation", "sam"):
        for number, text in enumerate((PLAIN, FULL, SCALED)):
            for images in ([], [f"--image=hello={IMAGE}"]):
                files.append(tmp_path / f"{form}-{number}-{len(images)}.yaml")
                files[-1].write_text(export(text, "--format", form, *images))
    linter = [Path(sys.executable).with_name("cfn-lint"), *files]
    done = subprocess.run(linter, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def resources(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)["Resources"]
    return found


def test_a_users_variable_is_not_substituted_and_an_empty_one_is_kept(export: Export) -> None:
    text = f'{PLAIN}[functions.hello.environment]\nWHERE = "${{AWS::Region}}"\nEMPTY = ""\n'
    function = resources(export(text, "--format", "cloudformation"))["Hello"]["Properties"]
    assert function["Environment"]["Variables"] == {"WHERE": "${AWS::Region}", "EMPTY": ""}


def test_a_change_of_settings_or_image_is_a_new_version(export: Export) -> None:
    def version(text: str, *arguments: str) -> str:
        found = resources(export(text, "--format", "cloudformation", *arguments))
        (name,) = (name for name, resource in found.items() if resource["Type"] == "AWS::Lambda::Version")
        return name

    first = version(PLAIN, "--image", IMAGE)
    assert version(PLAIN, "--image", IMAGE) == first
    assert version(f"{PLAIN}memory = 256\n", "--image", IMAGE) != first
    assert version(PLAIN, "--image", IMAGE[:-1] + "1") != first


def test_a_role_that_exists_is_used(export: Export) -> None:
    role = "arn:aws:iam::123456789012:role/mine"
    for form in ("cloudformation", "sam"):
        found = resources(export(f'{PLAIN}role = "{role}"\n', "--format", form))
        assert found["Hello"]["Properties"]["Role"] == role
        assert not [name for name, resource in found.items() if resource["Type"] == "AWS::IAM::Role"]


def services(text: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text))


@pytest.mark.parametrize("text", [PLAIN, FULL, SCALED], ids=["plain", "full", "scaled"])
def test_the_pod_is_valid_for_kubernetes(export: Export, text: str) -> None:
    for service in services(export(text, "--format", "knative")):
        template = service["spec"]["template"]
        spec = {key: value for key, value in template["spec"].items() if key not in KNATIVES_OWN}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", **template["metadata"]}, "spec": spec}
        kubernetes_validate.validate(pod, "1.30", strict=True)


KNATIVES_OWN = ("containerConcurrency", "timeoutSeconds")


@pytest.mark.skipif(not CRD.is_file(), reason="Knative's own schema is not beside the project")
@pytest.mark.parametrize("text", [PLAIN, FULL, SCALED], ids=["plain", "full", "scaled"])
def test_the_service_is_valid_for_knative(export: Export, text: str) -> None:
    (version,) = yaml.safe_load(CRD.read_text("utf-8"))["spec"]["versions"]
    schema = closed(version["schema"]["openAPIV3Schema"])
    for service in services(export(text, "--format", "knative")):
        Draft202012Validator(schema).validate(service)
        with pytest.raises(Exception, match="unknown"):
            Draft202012Validator(schema).validate({**service, "spec": {**service["spec"], "unknown": 1}})


def closed(schema: Any) -> Any:
    """The schema with unknown fields refused, as the API server does (it drops or rejects them)."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items() if key != "default"}
    open_ended = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and not open_ended and "metadata" not in schema["properties"]:
        found["additionalProperties"] = False
    return found


def test_settings_become_knatives(export: Export) -> None:
    hello, order = services(export(SCALED, "--format", "knative", "--image", f"hello={IMAGE}"))
    template = hello["spec"]["template"]
    assert template["metadata"]["annotations"] == {
        "autoscaling.knative.dev/min-scale": "2",
        "autoscaling.knative.dev/max-scale": "5",
    }
    pod = template["spec"]
    (container,) = pod["containers"]
    assert (pod["containerConcurrency"], pod["timeoutSeconds"], container["image"]) == (1, 3, IMAGE)
    assert container["resources"]["limits"] == {"cpu": "1000m", "memory": "1769Mi"}
    assert container["envFrom"] == [{"secretRef": {"name": "hello-env"}}]
    assert {"name": "GREETING", "value": "$$(HOME)"} in container["env"]
    assert hello["metadata"]["labels"]["networking.knative.dev/visibility"] == "cluster-local"
    assert order["metadata"]["name"] == "get-order"
    assert "networking.knative.dev/visibility" not in order["metadata"]["labels"]
    assert order["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/get_order:rie"


def test_what_the_cluster_must_allow_is_said(export: Export) -> None:
    assert "# get_Order: a timeout over 600 s needs max-revision-timeout-seconds" in export(SCALED, "--format=knative")


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        (f"{PLAIN}reserved-concurrency = 0\n", ["--format", "knative"], 'max-scale "0" means without limit'),
        (PLAIN.replace("hello", "1st"), ["--format", "knative"], "can't be a Kubernetes service's name"),
        (PLAIN.replace("hello", "x" * 64), ["--format", "knative"], "at most 63 characters"),
        (
            f'{PLAIN}[functions.a_b]\nlanguage = "python"\n[functions.a-b]\nlanguage = "python"\n',
            ["--format", "knative"],
            "a_b and a-b are both a-b in Kubernetes",
        ),
        (
            f'{PLAIN}[functions.a_b]\nlanguage = "python"\n[functions.a-b]\nlanguage = "python"\n',
            ["--format", "sam"],
            "a_b and a-b are both AB in a template",
        ),
        (f'{PLAIN}command = ["x"]\n', ["--format", "sam"], "needs entrypoint, command and working-directory, or none"),
        (
            f'{PLAIN}command = ["-c", "-c"]\nentrypoint = ["sh"]\nworking-directory = "/"\n',
            ["--format", "cloudformation"],
            "a template can't have a word twice",
        ),
        (PLAIN, ["--format", "sam", "--image", "other=x"], "--image other=x names no function"),
    ],
)
def test_what_has_no_equal_is_refused(
    make_project: Callable[[str], Path],
    capfd: pytest.CaptureFixture[str],
    text: str,
    arguments: list[str],
    said: str,
) -> None:
    assert run(["-C", str(make_project(text)), "export", *arguments]) == 2
    found = capfd.readouterr()
    assert said in found.err
    assert found.out == ""
