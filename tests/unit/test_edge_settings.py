"""`[edge]`: what CloudFront and Lambda@Edge don't take is refused by a rule that names itself, where it is written."""

from pathlib import Path

import pytest

from lambdaimg.model.edge import restrictions
from lambdaimg.model.edge.settings import TRIGGERS, BehaviorSettings
from tests.unit.test_project_file import load, problems

EDGE = '[edge]\norigin = "site"\n[edge.behaviors."*"]\nviewer-request = "hello"\n'


def project(settings: str = 'language = "python"', edge: str = EDGE) -> str:
    return f"[functions.hello]\n{settings}\n{edge}"


def test_a_distribution_is_what_the_file_says(tmp_path: Path) -> None:
    edge = load(
        tmp_path,
        project(
            edge='[edge]\norigin = "http://localhost:8000/shop"\norigin-headers = { X-Secret = "s" }\n'
            '[edge.behaviors."images/*"]\ncookies = ["*"]\nviewer-request = "hello"\n'
            '[edge.behaviors."*"]\nallowed-methods = ["HEAD", "GET"]\norigin-request = "hello"\n'
            'include-body = ["origin-request"]\n[edge.error-pages.404]\npath = "/404.html"\n'
        ),
    ).edge
    assert edge
    assert list(edge.behaviors) == ["images/*", "*"]
    assert list(edge.associations()) == [("images/*", "viewer-request", "hello"), ("*", "origin-request", "hello")]
    assert edge.behaviors["*"].allowed_methods == ("GET", "HEAD")
    assert (edge.error_pages["404"].path, edge.error_pages["404"].ttl) == ("/404.html", 10)
    assert not edge.is_folder
    assert edge.function_names == ("hello",)


REFUSED = [
    ('language = "go"', "language", "edge-runtime"),
    ('image = "debian:trixie-slim"', "image", "edge-zip"),
    ('dockerfile = "Dockerfile"', "dockerfile", "edge-zip"),
    ('packages = ["libpq5"]', "packages", "edge-zip"),
    ('command = ["app.handler"]', "command", "edge-zip"),
    ('entrypoint = ["/x"]', "entrypoint", "edge-zip"),
    ('working-directory = "/x"', "working-directory", "edge-zip"),
    ('architecture = "arm64"', "architecture", "edge-architecture"),
    ('environment = { AB = "1" }', "environment", "edge-environment"),
    ('env-file = ".env"', "env-file", "edge-environment"),
    ('vpc = { subnet-ids = ["subnet-1"], security-group-ids = ["sg-1"] }', "vpc", "edge-vpc"),
    (
        'vpc = { subnet-ids = ["subnet-1"], security-group-ids = ["sg-1"] }\nfile-system = { mount-path = "/mnt/a", '
        'access-point = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0" }',
        "file-system",
        "edge-vpc",
    ),
    ('layers = ["common"]', "layers", "edge-layers"),
    ('async = { dead-letter = "arn:aws:sqs:us-east-1:123456789012:q" }', "async", "edge-dead-letter"),
    ('tracing = "Active"', "tracing", "edge-tracing"),
    ("provisioned-concurrency = 1", "provisioned-concurrency", "edge-provisioned"),
    ("ephemeral-storage = 513", "ephemeral-storage", "edge-storage"),
    ('kms-key = "arn:aws:kms:us-east-1:123456789012:key/k"', "kms-key", "edge-key"),
    ('tags = { a = "b" }', "tags", "edge-tags"),
    ("timeout = 31", "timeout", "edge-timeout"),
]


@pytest.mark.parametrize(("setting", "key", "rule"), REFUSED, ids=[f"{rule} {key}" for _, key, rule in REFUSED])
def test_what_the_edge_does_not_take_of_a_function_is_refused(
    tmp_path: Path, setting: str, key: str, rule: str
) -> None:
    language = "" if "language" in setting or "image" in setting or "dockerfile" in setting else 'language = "python"\n'
    text = project(f"{language}{setting}") + '[layers.common]\nsource = "common"\n'
    elsewhere = '[edge]\norigin = "site"\n[layers.common]\nsource = "common"\n'
    (tmp_path / "Dockerfile").touch()
    if "go" not in setting:
        load(tmp_path, project(f"{language}{setting}", edge=elsewhere))
    assert [line for line in problems(tmp_path, text) if f": functions.hello.{key}: " in line and f"({rule})" in line]


def test_every_restriction_has_a_case() -> None:
    covered = {(rule, key) for _, key, rule in REFUSED}
    assert {(rule.id, rule.key.rstrip("_").replace("_", "-")) for rule in restrictions.RESTRICTIONS} == covered


WRONG = [
    (EDGE.replace('origin = "site"', ""), "edge.origin: is missing"),
    (EDGE.replace('"site"', '"https://x/"'), "edge.origin: must be a URL"),
    (EDGE.replace('"hello"', '"hallo"'), 'viewer-request: there is no function \'hallo\'; did you mean "hello"?'),
    (EDGE.replace('"hello"', '"hello:3"'), "edge-version"),
    (EDGE.replace('"hello"', '"hello:$LATEST"'), "edge-version"),
    (EDGE + 'include-body = ["origin-request"]\n', "include-body: names origin-request, which has no function"),
    (EDGE + 'include-body = ["viewer-response"]\n', "include-body.0: must be one of viewer-request, origin-request"),
    (EDGE + "min-ttl = 90000\n", "min-ttl, default-ttl and max-ttl must not descend, as 90000, 86400, 31536000 do"),
    (EDGE + 'cookies = ["*", "a"]\n', "cookies: has names beside *"),
    (EDGE + 'allowed-methods = ["GET", "POST"]\n', "allowed-methods: must be one of ['GET', 'HEAD'], "),
    (EDGE + 'headers = ["*"]\n', "headers.0: must be a header's name"),
    (EDGE + '[edge.behaviors."a b"]\n', 'edge.behaviors.a b: the name must be a path pattern'),
    (EDGE + "[edge.error-pages.418]\n", "edge.error-pages.418: the name must be one of 400"),
    (EDGE + "[edge.error-pages.404]\nstatus = 200\n", "status: has no effect without path"),
    ('[project]\nregion = "eu-west-1"\n' + EDGE, "project.region: must be us-east-1"),
]  # fmt: skip


@pytest.mark.parametrize(("edge", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_wrong_distribution_is_refused(tmp_path: Path, edge: str, message: str) -> None:
    found = problems(tmp_path, project(edge=edge))
    assert len(found) == 1
    assert message in found[0]


def test_a_distribution_has_at_most_100_functions(tmp_path: Path) -> None:
    functions = "".join(f'[functions.f{number}]\nlanguage = "python"\n' for number in range(101))
    behaviors = "".join(f'[edge.behaviors."{number}"]\nviewer-request = "f{number}"\n' for number in range(101))
    (found,) = problems(tmp_path, f'{functions}[edge]\norigin = "site"\n{behaviors}')
    assert "edge-functions" in found


def test_what_older_tools_refuse_is_said(tmp_path: Path) -> None:
    loaded = load(tmp_path, project('language = "python"\ntimeout = 6\nmemory = 256'))
    assert loaded.edge
    said = list(restrictions.advice(loaded.edge, {"hello": loaded.functions[0]}))
    assert [words.split()[0] for words in said] == ["hello", "hello"]
    assert "6 s" in said[0]
    assert "256 MB" in said[1]


def test_a_behavior_knows_its_functions() -> None:
    behavior = BehaviorSettings(origin_response="a", viewer_request="b")
    assert [behavior.function(trigger) for trigger in TRIGGERS] == ["b", "", "a", ""]
    assert list(behavior.functions()) == [("viewer-request", "b"), ("origin-response", "a")]
