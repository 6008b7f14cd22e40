"""Deploying against moto's server: planned, made, changed, taken back, interrupted and run again."""

import json
import signal
import threading
import time
from typing import Any

import pytest
import requests

from tests.integration.aws_fixtures import REGION, Aws, Registry, aws, aws_server, registry
from tests.integration.conftest import Sandboxed, docker

__all__ = ["aws", "aws_server", "registry"]

ACCOUNT = "123456789012"
PLAIN = '[functions.hello]\nlanguage = "python"\nbase = "debian-trixie"\n'
FULL = f"""{PLAIN}description = "says hello"
memory = 256
reserved-concurrency = 5
tags = {{ team = "a" }}
triggers = ["arn:aws:s3:::uploads", "arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"]
permissions = ["210987654321"]
[functions.hello.environment]
TABLE = "orders"
[functions.hello.async]
maximum-retry-attempts = 0
on-failure = "arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"
[functions.hello.url]
auth = "NONE"
[[functions.hello.tests]]
name = "greets"
event = {{ name = "Ada" }}
expect = {{ payload = {{ message = "Hello, Ada" }} }}
"""


def image(number: int) -> str:
    return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop@sha256:{number:064}"


class Deployed:
    """A project, and what AWS says of its function."""

    def __init__(self, project: Sandboxed, aws: Aws) -> None:
        self.project = project
        self.aws = aws
        self.lambda_ = aws.client("lambda")

    def write(self, text: str) -> None:
        head = f'[project]\nname = "{self.project.name}"\nregion = "{REGION}"\n'
        self.project.write("lambdaimg.toml", head + text)

    def run(self, *arguments: str, number: int = 1, code: int = 0) -> Any:
        return self.project.run("deploy", *self.options(number), *arguments, code=code)

    def options(self, number: int) -> tuple[str, ...]:
        return "--endpoint-url", self.aws.url, "--image", image(number)

    def alias(self) -> tuple[str, Any]:
        """The version that the alias points to, and that version's configuration and code."""
        version = self.lambda_.get_alias(FunctionName="hello", Name="live")["FunctionVersion"]
        return version, self.lambda_.get_function(FunctionName="hello", Qualifier=version)

    def answers(self, *payloads: Any) -> None:
        """What the next invocations return."""
        results = [json.dumps(payload) for payload in payloads]
        url = f"{self.aws.url}/moto-api/static/lambda-simple/response"
        requests.post(url, json={"results": results, "region": REGION}, timeout=30).raise_for_status()


@pytest.fixture
def deployed(project: Sandboxed, aws: Aws) -> Deployed:
    found = Deployed(project, aws)
    aws.client("sqs").create_queue(QueueName="jobs")
    found.write(FULL)
    return found


def test_a_plan_makes_nothing_and_a_second_deployment_has_nothing_to_do(deployed: Deployed) -> None:
    plan = deployed.run("--plan").stdout
    assert f"+ function: hello from {image(1)}" in plan
    assert deployed.lambda_.list_functions()["Functions"] == []
    assert "deployed: version 1" in deployed.run().stdout
    assert deployed.run().stdout.startswith("hello: nothing to change: version 1")
    assert deployed.run("--plan").stdout == "hello: nothing to change\n"


def test_every_setting_arrives(deployed: Deployed) -> None:
    deployed.run()
    version, found = deployed.alias()
    configuration = found["Configuration"]
    assert (version, found["Code"]["ImageUri"], found["Tags"]) == ("1", image(1), {"team": "a"})
    assert (configuration["MemorySize"], configuration["Environment"]) == (256, {"Variables": {"TABLE": "orders"}})
    role = f"{deployed.project.name}-hello-{REGION}"
    assert configuration["Role"] == f"arn:aws:iam::{ACCOUNT}:role/{role}"
    rights = deployed.aws.client("iam").get_role_policy(RoleName=role, PolicyName="lambdaimg")["PolicyDocument"]
    printed = json.loads(deployed.project.run("policy", "--account", ACCOUNT).stdout)
    assert rights == printed
    client, alias = deployed.lambda_, {"FunctionName": "hello", "Qualifier": "live"}
    assert client.get_function_concurrency(FunctionName="hello")["ReservedConcurrentExecutions"] == 5
    assert client.get_function_event_invoke_config(**alias)["MaximumRetryAttempts"] == 0
    assert client.get_function_url_config(**alias)["AuthType"] == "NONE"
    (source,) = client.list_event_source_mappings()["EventSourceMappings"]
    assert source["EventSourceArn"].endswith(":jobs")
    statements = json.loads(client.get_policy(**alias)["Policy"])["Statement"]
    assert len(statements) == 4  # the bucket, the account, and two for the URL


def test_a_change_is_planned_done_and_published(deployed: Deployed) -> None:
    deployed.run()
    deployed.write(FULL.replace("256", "512").replace("orders", "s3cr3t"))
    plan = deployed.run("--plan", number=2).stdout
    assert "~ memory: 256 → 512" in plan
    assert f"~ code: {image(1)} → {image(2)}" in plan
    assert "~ environment: other values → TABLE" in plan
    assert "s3cr3t" not in plan
    assert "~ alias live: version 1 → a new version" in plan
    assert deployed.alias()[0] == "1"
    assert "deployed: version 2" in deployed.run(number=2).stdout
    version, found = deployed.alias()
    assert (version, found["Code"]["ImageUri"], found["Configuration"]["MemorySize"]) == ("2", image(2), 512)


def test_what_does_not_answer_as_it_should_is_taken_back(deployed: Deployed) -> None:
    deployed.answers({"message": "Goodbye"})
    assert "no version to go back to: version 1" in deployed.run("--verify", "greets", code=1).stdout
    deployed.answers({"message": "Hello, Ada"})
    assert "nothing to change: version 1" in deployed.run("--verify", "greets").stdout
    deployed.answers({"message": "Goodbye"})
    done = deployed.run("--verify", "greets", number=2, code=1)
    assert "hello: taken back: version 1" in done.stdout
    assert "Goodbye" in done.stderr
    assert deployed.alias()[0] == "1"
    deployed.answers({"message": "Hello, Ada"})
    assert "deployed: version 2" in deployed.run("--verify", "greets", number=2).stdout


def test_interrupted_anywhere_it_can_be_run_again(deployed: Deployed) -> None:
    steps = len(deployed.run("--plan").stdout.splitlines()) - 1
    for stop in range(1, steps, 3):
        requests.post(f"{deployed.aws.url}/moto-api/reset", timeout=30)
        config = {"lambda": {"use_docker": False}}
        requests.post(f"{deployed.aws.url}/moto-api/config", json=config, timeout=30)
        deployed.aws.client("sqs").create_queue(QueueName="jobs")
        process = deployed.project.start("deploy", *deployed.options(1))
        assert process.stderr
        for line in process.stderr:
            stop -= line.startswith("hello: +")
            if stop == 0:
                process.send_signal(signal.SIGINT)
                break
        process.communicate()
        assert process.returncode == 130
        deployed.run()
        assert deployed.run("--plan").stdout == "hello: nothing to change\n"
        assert deployed.alias()[1]["Code"]["ImageUri"] == image(1)


def test_a_role_that_iam_has_not_told_of_yet_is_waited_for(deployed: Deployed) -> None:
    deployed.write(f'{PLAIN}role = "arn:aws:iam::{ACCOUNT}:role/late"\n')

    def make_late() -> None:
        time.sleep(2.5)
        deployed.aws.client("iam").create_role(RoleName="late", AssumeRolePolicyDocument="{}")

    thread = threading.Thread(target=make_late)
    thread.start()
    assert "deployed: version 1" in deployed.run().stdout
    thread.join()


def test_what_cant_be_deployed_is_refused(deployed: Deployed) -> None:
    other = image(1).replace(REGION, "us-east-1")
    done = deployed.project.run("deploy", "--endpoint-url", deployed.aws.url, "--image", other, code=2)
    assert f"is in us-east-1, the function in {REGION}" in done.stderr
    done = deployed.project.run("deploy", "--endpoint-url", deployed.aws.url, "--image", "shop:latest", code=2)
    assert "does not name its digest" in done.stderr
    assert "none of the 1 test cases is asked for" in deployed.run("--verify", "nothing", code=2).stderr
    assert deployed.lambda_.list_functions()["Functions"] == []


def test_the_built_image_is_pushed_and_deployed_by_its_digest(deployed: Deployed, registry: Registry) -> None:
    deployed.write(PLAIN)
    deployed.project.run("build", "hello")
    arguments = ("deploy", "--endpoint-url", deployed.aws.url)
    tag = "hello-" + docker("image", "inspect", "--format", "{{.Id}}", deployed.project.image())[7:19]
    repository = f"{registry.host}/{deployed.project.name}"
    assert f"+ function: hello from {repository}:{tag}" in deployed.project.run(*arguments, "--plan").stdout
    assert deployed.aws.client("ecr").describe_repositories()["repositories"] == []
    row = json.loads(deployed.project.run(*arguments, "--json").stdout)[0]
    assert (row["version"], row["verified"]) == ("1", True)
    code = deployed.alias()[1]["Code"]
    assert code["ImageUri"] == f"{repository}@{registry.digest(deployed.project.name, tag)}"
    assert "nothing to change" in deployed.project.run(*arguments).stdout


def test_what_the_project_file_has_no_more_stays_until_it_is_pruned(deployed: Deployed) -> None:
    deployed.run()
    client, alias = deployed.lambda_, {"FunctionName": "hello", "Qualifier": "live"}
    theirs = {"StatementId": "theirs", "Action": "lambda:InvokeFunction", "Principal": "210987654321"}
    client.add_permission(**alias, **theirs)
    deployed.write(PLAIN)
    deployed.run()
    assert client.get_function_url_config(**alias)["AuthType"] == "NONE"
    plan = [line.split(":")[0] for line in deployed.run("--plan", "--prune").stdout.splitlines()[1:]]
    assert plan == ["  - reserved-concurrency", "  - async", "  - url", *["  - permission"] * 4, "  - source"]
    deployed.run("--prune")
    assert deployed.run("--plan", "--prune").stdout == "hello: nothing to change\n"
    assert [each["Sid"] for each in json.loads(client.get_policy(**alias)["Policy"])["Statement"]] == ["theirs"]
    assert client.list_event_source_mappings()["EventSourceMappings"] == []


def test_an_exported_template_makes_the_same_function(deployed: Deployed) -> None:
    """Without what moto's CloudFormation lacks: permissions, sources, URL."""
    deployed.write(f"{PLAIN}memory = 256\n")
    template = deployed.project.run("export", "--format", "cloudformation", "--image", image(1)).stdout
    client = deployed.aws.client("cloudformation")
    client.create_stack(StackName="shop", TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
    (stack,) = client.describe_stacks(StackName="shop")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    found = deployed.lambda_.get_function(FunctionName="hello")
    assert (found["Code"]["ImageUri"], found["Configuration"]["MemorySize"]) == (image(1), 256)
    assert found["Configuration"]["Role"].startswith(f"arn:aws:iam::{ACCOUNT}:role/shop-HelloRole")


def test_a_zip_is_deployed_with_its_layers(deployed: Deployed) -> None:
    write = deployed.project.write
    deployed.write(f'{PLAIN}layers = ["common"]\n[layers.common]\n')
    (deployed.project.root / "hello" / "requirements.txt").unlink()
    write("layers/common/python/shared.py", "SHARED = 1\n")
    arguments = ("deploy", "--zip", "--endpoint-url", deployed.aws.url)
    assert "+ function: hello from zip" in deployed.project.run(*arguments, "--plan").stdout
    assert "deployed: version 1" in deployed.project.run(*arguments).stdout
    assert "nothing to change" in deployed.project.run(*arguments).stdout
    configuration = deployed.alias()[1]["Configuration"]
    assert (configuration["PackageType"], configuration["Runtime"]) == ("Zip", "python3.13")
    assert configuration["Handler"] == "app.handler"
    assert [layer["Arn"].rpartition("layer:")[2] for layer in configuration["Layers"]] == [
        f"{deployed.project.name}-common:1"
    ]
    deployed.aws.client("s3").create_bucket(Bucket="zips", CreateBucketConfiguration={"LocationConstraint": REGION})
    write("hello/app.py", "def handler(event, context):\n    return 2\n")
    write("layers/common/python/shared.py", "SHARED = 2\n")
    changed = deployed.project.run(*arguments, "--s3", "zips")
    assert "deployed: version 2" in changed.stdout
    assert "~ layers:" in changed.stderr
    assert len(deployed.aws.client("s3").list_objects_v2(Bucket="zips")["Contents"]) == 2
    assert "is not of the package type Image" in deployed.run(code=6).stderr
