"""Edge functions deployed: zips with a trust of their own, rights on versions, a distribution in a template."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lambdaimg.cli.main import run
from lambdaimg.deploy.at_edge import check_size
from lambdaimg.deploy.package import Package
from lambdaimg.model import project_file
from lambdaimg.model.errors import ImageUnfit

EDGE = """
[project]
name = "shop"
[functions.hello]
language = "python"
timeout = 5
[functions.other]
language = "nodejs"
base = "node-24-slim"
[edge]
origin = "{origin}"
distribution = "E2ABCDEFGHIJKL"
default-root-object = "index.html"
origin-headers = {{ X-Secret = "s" }}
[edge.behaviors."api/*"]
origin-request = "other"
include-body = ["origin-request"]
headers = ["Accept-Language"]
cookies = ["*"]
query-strings = ["page"]
allowed-methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
[edge.behaviors."*"]
viewer-request = "hello"
viewer-response = "hello"
compress = true
[edge.error-pages.404]
path = "/404.html"
[edge.error-pages.403]
ttl = 60
"""
FOLDER, URL = EDGE.format(origin="site"), EDGE.format(origin="https://example.org:8443/shop")
ACCOUNT = "123456789012"

Output = Callable[..., str]


@pytest.fixture
def output(make_project: Callable[[str], Path], capfd: pytest.CaptureFixture[str]) -> Output:
    def done(text: str, *arguments: str, code: int = 0) -> str:
        assert run(["-C", str(make_project(text)), *arguments]) == code
        captured = capfd.readouterr()
        return captured.err if code else captured.out

    return done


def template(output: Output, text: str, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(output(text, "export", "--format", "edge", *arguments))
    return found


def config(found: dict[str, Any]) -> Any:
    return found["Resources"]["Distribution"]["Properties"]["DistributionConfig"]


def test_cfn_lint_finds_nothing(output: Output, tmp_path: Path) -> None:
    files = []
    for number, text in enumerate((FOLDER, URL)):
        files.append(tmp_path / f"edge-{number}.yaml")
        files[-1].write_text(output(text, "export", "--format", "edge"))
    linter = [Path(sys.executable).with_name("cfn-lint"), *files]
    done = subprocess.run(linter, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_distributions_associations_name_numbered_versions(output: Output) -> None:
    found = template(output, FOLDER)
    (api,) = config(found)["CacheBehaviors"]
    assert api["PathPattern"] == "api/*"
    (association,) = api["LambdaFunctionAssociations"]
    assert (association["EventType"], association["IncludeBody"]) == ("origin-request", True)
    assert found["Resources"][association["LambdaFunctionARN"]["Ref"]]["Type"] == "AWS::Lambda::Version"
    default = config(found)["DefaultCacheBehavior"]["LambdaFunctionAssociations"]
    assert [each["EventType"] for each in default] == ["viewer-request", "viewer-response"]
    assert "IncludeBody" not in default[1]
    assert {"ErrorCode": 404, "ErrorCachingMinTTL": 10, "ResponsePagePath": "/404.html", "ResponseCode": 404} in config(
        found
    )["CustomErrorResponses"]


def test_a_cache_policy_is_what_a_behavior_sends_on(output: Output) -> None:
    found = template(output, FOLDER)["Resources"]
    policy = found["CachePolicy1"]["Properties"]["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]
    assert policy["HeadersConfig"] == {"HeaderBehavior": "whitelist", "Headers": ["Accept-Language"]}
    assert policy["CookiesConfig"] == {"CookieBehavior": "all"}
    assert policy["QueryStringsConfig"] == {"QueryStringBehavior": "whitelist", "QueryStrings": ["page"]}
    default = found["CachePolicy0"]["Properties"]["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]
    assert default["CookiesConfig"] == {"CookieBehavior": "none"}
    assert default["EnableAcceptEncodingGzip"] is True


def test_an_origin_is_a_bucket_or_a_server(output: Output) -> None:
    (bucket,) = config(template(output, FOLDER))["Origins"]
    assert bucket["S3OriginConfig"] == {"OriginAccessIdentity": ""}
    found = template(output, URL)
    (server,) = config(found)["Origins"]
    assert server["CustomOriginConfig"] == {"OriginProtocolPolicy": "https-only", "HTTPSPort": 8443}
    assert server["OriginPath"] == "/shop"
    assert found["Parameters"]["OriginDomain"]["Default"] == "example.org"


def test_a_function_is_a_zip_with_a_runtime_and_the_edges_trust(output: Output) -> None:
    found = template(output, FOLDER, "--image", "hello=s3://code/hello.zip")
    function = found["Resources"]["Hello"]["Properties"]
    assert function["Code"] == {"S3Bucket": "code", "S3Key": "hello.zip"}
    assert (function["Runtime"], function["Handler"], function["Timeout"]) == ("python3.13", "app.handler", 5)
    assert found["Resources"]["Other"]["Properties"]["Runtime"] == "nodejs24.x"
    assert set(found["Parameters"]) == {"OriginDomain", "CodeBucket", "OtherKey"}
    trust = found["Resources"]["HelloRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"]["Service"] == ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]


def test_a_new_zip_is_a_new_version(output: Output) -> None:
    def versions(key: str) -> set[str]:
        return set(template(output, FOLDER, "--image", f"hello=s3://code/{key}")["Resources"])

    assert versions("a") == versions("a")
    assert versions("a") != versions("b")
    assert "is no zip in S3" in output(FOLDER, "export", "--format", "edge", "--image", "hello=shop:1", code=2)


def test_a_deployer_has_rights_on_versions_and_on_the_distribution_alone(output: Output) -> None:
    document = json.loads(output(FOLDER, "policy", "hello", "--edge", "--account", ACCOUNT))
    version, *roles, distribution = document["Statement"]
    assert version["Action"] == ["lambda:DisableReplication*", "lambda:EnableReplication*", "lambda:GetFunction"]
    assert version["Resource"] == f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:hello:*"
    assert [role["Action"] for role in roles] == ["iam:CreateServiceLinkedRole"] * 2
    assert "cloudfront:UpdateDistribution" in distribution["Action"]
    assert distribution["Resource"] == f"arn:aws:cloudfront::{ACCOUNT}:distribution/E2ABCDEFGHIJKL"


def test_an_edge_functions_role_writes_where_its_replicas_run(output: Output) -> None:
    rights = json.loads(output(FOLDER, "policy", "hello", "--account", ACCOUNT))
    replica = f"arn:aws:logs:*:{ACCOUNT}:log-group:/aws/lambda/us-east-1.hello:*"
    assert replica in [statement["Resource"] for statement in rights["Statement"]]
    trust = json.loads(output(FOLDER, "policy", "hello", "--trust", "--account", ACCOUNT))
    assert "edgelambda.amazonaws.com" in trust["Statement"][0]["Principal"]["Service"]


def test_the_policies_are_valid_iam(output: Output, tmp_path: Path) -> None:
    for kind in ("edge", "role"):
        (tmp_path / f"{kind}.json").write_text(output(FOLDER, "policy", "hello", f"--{kind}", "--account", ACCOUNT))
    linter = [sys.executable, "-m", "parliament.cli", "--directory", str(tmp_path), "--json"]
    done = subprocess.run(linter, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert [
        line for line in findings if not ("EnableReplication" in str(line) or "DisableReplication" in str(line))
    ] == []


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["policy", "hello", "--edge"], "no behavior of [edge] has hello"),
        (["export", "--format", "edge"], "has no distribution"),
    ],
)
def test_without_a_distribution_there_is_nothing_to_deploy(output: Output, words: list[str], what: str) -> None:
    more = ["--account", ACCOUNT] if words[0] == "policy" else []
    assert what in output('[functions.hello]\nlanguage = "python"\n', *words, *more, code=2)


def test_an_edge_function_is_not_deployed_as_an_image(output: Output) -> None:
    assert "never an image: hello, other" in output(FOLDER, "deploy", "--plan", code=2)


@pytest.mark.parametrize(
    ("name", "size", "fits"), [("hello", 52_428_800, True), ("hello", 52_428_801, False), ("x", 10**9, True)]
)
def test_an_edge_functions_zip_has_at_most_50_mb(
    make_project: Callable[[str], Path], name: str, size: int, fits: bool
) -> None:
    project = project_file.load(make_project(FOLDER) / "lambdaimg.toml", languages=("nodejs", "python"))
    package = Package(name=name, file=Path("a.zip"), runtime="", handler="", size=size, unzipped=0)
    if fits:
        check_size(project, [package])
    else:
        with pytest.raises(ImageUnfit, match="edge-zip"):
            check_size(project, [package])
