"""Steps of a deployment that need an AWS which no emulator has, against botocore's own model of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from lambdaimg.deploy import around, function
from lambdaimg.deploy.around import Provisioned
from lambdaimg.deploy.artifact import Image
from lambdaimg.deploy.aws import Aws
from lambdaimg.deploy.change import Deployment, differences
from lambdaimg.deploy.configuration import configuration
from lambdaimg.deploy.function import Code, patiently
from lambdaimg.deploy.place import Place
from lambdaimg.model import project_file
from lambdaimg.model.errors import AwsRefused, RemoteError
from tests.unit.test_deploy_policy import PLAIN

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "0" * 64
NAMES = {"FunctionName": "hello", "Qualifier": "live"}

Stubbed = Callable[[str], tuple[Deployment, Stubber]]


@pytest.fixture
def stubbed(make_project: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubbed]:
    """A deployment of a project's only function, and what its AWS answers; all answers must be asked for."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(around, "_PAUSE", 0)
    monkeypatch.setattr(function, "_PAUSE", 0)
    stubbers = []

    def make(text: str) -> tuple[Deployment, Stubber]:
        project = project_file.load(make_project(text) / "lambdaimg.toml", languages=("python",))
        aws = Aws(region="eu-west-1")
        aws.place = Place.of("eu-west-1", "123456789012")
        stubber = Stubber(aws.client("lambda"))
        stubber.activate()
        stubbers.append(stubber)
        (only,) = project.functions
        return Deployment(aws=aws, project=project, function=only, artifact=Image(reference=IMAGE)), stubber

    yield make
    for stubber in stubbers:
        stubber.assert_no_pending_responses()


def configured(stubber: Stubber, status: str, **more: Any) -> None:
    answer = {"RequestedProvisionedConcurrentExecutions": 2, "Status": status, **more}
    stubber.add_response("get_provisioned_concurrency_config", answer, NAMES)


def test_provisioned_concurrency_is_waited_for(stubbed: Stubbed) -> None:
    to, stubber = stubbed(f"{PLAIN}provisioned-concurrency = 2\n")
    missing = "ProvisionedConcurrencyConfigNotFoundException"
    stubber.add_client_error("get_provisioned_concurrency_config", missing)
    assert [str(change) for change in Provisioned(to=to).changes()] == ["+ provisioned-concurrency: 2"]
    asked = {**NAMES, "ProvisionedConcurrentExecutions": 2}
    stubber.add_response("put_provisioned_concurrency_config", {}, asked)
    configured(stubber, "IN_PROGRESS")
    configured(stubber, "READY")
    Provisioned(to=to).apply()
    configured(stubber, "READY")
    assert Provisioned(to=to).changes() == []


def test_provisioned_concurrency_that_fails_says_why(stubbed: Stubbed) -> None:
    to, stubber = stubbed(f"{PLAIN}provisioned-concurrency = 2\n")
    stubber.add_response("put_provisioned_concurrency_config", {})
    configured(stubber, "FAILED", StatusReason="the init phase failed")
    with pytest.raises(RemoteError, match="the init phase failed"):
        Provisioned(to=to).apply()
    configured(stubber, "FAILED")
    assert Provisioned(to=to).changes()


def test_a_function_that_does_not_become_active_says_why(stubbed: Stubbed) -> None:
    to, stubber = stubbed(PLAIN)
    stubber.add_response("get_function", found(State="Failed", StateReasonCode="InvalidImage", StateReason="no gzip"))
    with pytest.raises(RemoteError, match="InvalidImage: no gzip"):
        to.aws.wait("lambda", "function_active_v2", FunctionName="hello")


def found(**configuration: Any) -> dict[str, Any]:
    usual = {
        "FunctionName": "hello",
        "PackageType": "Image",
        "Role": "arn:aws:iam::123456789012:role/shop-hello-eu-west-1",
    }
    return {"Configuration": {**usual, **configuration}, "Code": {"ImageUri": IMAGE}}


def test_a_zip_cant_become_an_image(stubbed: Stubbed) -> None:
    to, stubber = stubbed(PLAIN)
    stubber.add_response("get_function", found(PackageType="Zip"))
    with pytest.raises(RemoteError, match="not of the package type Image"):
        Code(to=to).changes()


def test_a_function_that_failed_gets_its_image_again(stubbed: Stubbed) -> None:
    to, stubber = stubbed(PLAIN)
    stubber.add_response("get_function", found(State="Failed", StateReasonCode="ImageAccessDenied"))
    assert [str(change) for change in Code(to=to).changes()] == [f"~ code: failed ImageAccessDenied → {IMAGE}"]


def test_an_image_by_tag_is_known_by_the_digest_that_it_was_resolved_to(stubbed: Stubbed) -> None:
    to, stubber = stubbed(PLAIN)
    answer = found()
    answer["Code"] = {"ImageUri": "shop:latest", "ResolvedImageUri": IMAGE}
    stubber.add_response("get_function", answer)
    assert Code(to=to).changes() == []


def refused(code: str, times: int) -> Callable[[], str]:
    """A call that is refused some times, and then answered."""
    left = [AwsRefused(code, code=code)] * times

    def call() -> str:
        if left:
            raise left.pop()
        return "done"

    return call


def test_a_refusal_that_passes_is_waited_out_and_another_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "_PAUSE", 0)
    conflicts: Callable[[AwsRefused], bool] = lambda refused: refused.code == "ResourceConflictException"  # noqa: E731
    assert patiently(refused("ResourceConflictException", 3), conflicts) == "done"
    with pytest.raises(AwsRefused, match="AccessDenied"):
        patiently(refused("AccessDenied", 1), conflicts)
    monkeypatch.setattr(function, "_PATIENCE", -1)
    with pytest.raises(AwsRefused, match="ResourceConflict"):
        patiently(refused("ResourceConflictException", 3), conflicts)


@pytest.mark.parametrize(
    ("text", "answered", "said"),
    [
        ("", {}, []),
        ("", {"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""}, "KMSKeyArn": None}, []),
        (
            "",
            {"LoggingConfig": {"LogFormat": "JSON"}},
            ["~ logging: JSON, /aws/lambda/hello → Text, /aws/lambda/hello"],
        ),
        (
            'command = ["b", "a"]\n',
            {"ImageConfigResponse": {"ImageConfig": {"Command": ["b", "a"], "EntryPoint": None}}},
            [],
        ),
        (
            "",
            {"ImageConfigResponse": {"ImageConfig": {"WorkingDirectory": "/x"}}},
            ["~ entrypoint, command, working-directory: /x → none"],
        ),
        ("memory = 256\n", {"MemorySize": 128}, ["~ memory: 128 → 256"]),
        ("", {"Environment": {"Variables": {"OLD": "x"}}}, ["~ environment: other values → OLD"]),
        (
            'vpc = { subnet-ids = ["subnet-2", "subnet-1"], security-group-ids = ["sg-1"] }\n',
            {"VpcConfig": {"SubnetIds": ["subnet-2", "subnet-1"], "SecurityGroupIds": ["sg-1"], "VpcId": "vpc-1"}},
            [],
        ),
        (
            "",
            {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}},
            ["~ vpc: subnet-1, sg-1 → none"],
        ),
        ('async = { dead-letter = "arn:aws:sqs:eu-west-1:123456789012:q" }\n', {}, ["arn:aws:sqs"]),
    ],
)
def test_differences_are_told_in_the_project_files_words(
    make_project: Callable[[str], Path], text: str, answered: dict[str, Any], said: list[str]
) -> None:
    project = project_file.load(make_project(f"{PLAIN}{text}") / "lambdaimg.toml", languages=("python",))
    (only,) = project.functions
    changes = [str(change) for change in differences(only, configuration(only), answered)]
    assert len(changes) == len(said)
    assert all(wanted in change for wanted, change in zip(said, changes, strict=True))
