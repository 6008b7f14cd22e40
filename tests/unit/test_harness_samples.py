"""Sample events: each is what its service sends, and values are put only where there is a place for them."""

import json
from typing import Any

import pytest

from lambdaimg.cli.main import run
from lambdaimg.model import samples
from lambdaimg.model.checks import value_at
from lambdaimg.model.errors import EventError
from lambdaimg.model.invocation import parse_event

HTTP = {"headers", "body", "isBase64Encoded", "requestContext"}
KEYS = {
    "alb": HTTP | {"httpMethod", "path", "queryStringParameters"},
    "api-gateway-http": HTTP | {"version", "routeKey", "rawPath", "rawQueryString", "cookies", "queryStringParameters",
                                "pathParameters", "stageVariables"},
    "api-gateway-rest": HTTP | {"resource", "path", "httpMethod", "multiValueHeaders", "queryStringParameters",
                                "multiValueQueryStringParameters", "pathParameters", "stageVariables"},
    "function-url": HTTP | {"version", "routeKey", "rawPath", "rawQueryString", "cookies", "queryStringParameters"},
    "eventbridge": {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"},
    "schedule": {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"},
    "s3": {"eventVersion", "eventSource", "awsRegion", "eventTime", "eventName", "userIdentity", "requestParameters",
           "responseElements", "s3"},
    "sqs": {"messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfBody",
            "md5OfMessageAttributes", "eventSource", "eventSourceARN", "awsRegion"},
    "sns": {"EventSource", "EventVersion", "EventSubscriptionArn", "Sns"},
    "kinesis": {"kinesis", "eventSource", "eventVersion", "eventID", "eventName", "invokeIdentityArn", "awsRegion",
                "eventSourceARN"},
    "dynamodb": {"eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "eventSourceARN", "dynamodb"},
    "edge-viewer-request": {"cf"},
    "edge-origin-request": {"cf"},
    "edge-origin-response": {"cf"},
    "edge-viewer-response": {"cf"},
}  # fmt: skip
"""The keys of an event, or of a record in it."""


def test_every_sample_has_its_services_keys() -> None:
    assert set(samples.names()) == set(KEYS)
    for name, keys in KEYS.items():
        event = samples.read(name).event
        assert set(event["Records"][0] if "Records" in event else event) == keys, name
        parse_event(json.dumps(event), name)
        for place in samples.read(name).open:
            there = value_at(event, [int(part) if part.isdecimal() else part for part in place.split(".")])
            assert isinstance(there, dict), f"{name}: {place}"


@pytest.mark.parametrize("trigger", ["viewer-request", "origin-request", "origin-response", "viewer-response"])
def test_an_edge_event_has_what_its_trigger_has(trigger: str) -> None:
    cf = samples.read(f"edge-{trigger}").event["Records"][0]["cf"]
    assert cf["config"]["eventType"] == trigger
    assert ("response" in cf) == trigger.endswith("response")
    assert ("origin" in cf["request"]) == trigger.startswith("origin")


@pytest.mark.parametrize(
    ("name", "path", "text", "value"),
    [
        ("sqs", "Records.0.body", '{"a": 1}', '{"a": 1}'),
        ("sqs", "Records.0.messageAttributes.color.stringValue", "blue", "blue"),
        ("alb", "headers.x-count", "3", "3"),
        ("alb", "isBase64Encoded", "true", True),
        ("eventbridge", "detail.items", "[1]", [1]),
        ("eventbridge", "detail", '{"a": 1}', {"a": 1}),
        ("s3", "Records.0.s3.object.size", "7", 7),
        ("schedule", "detail", "text", "text"),
    ],
)
def test_a_value_is_put_in(name: str, path: str, text: str, value: Any) -> None:
    made = samples.event(name, {path: samples.value_of(name, path, text)})
    assert value_at(made, [int(part) if part.isdecimal() else part for part in path.split(".")]) == value
    assert made != samples.read(name).event, "the sample itself stays as it is"


@pytest.mark.parametrize(
    ("name", "path", "remedy"),
    [
        ("sqss", "a", 'did you mean "sqs"?'),
        ("sqs", "Record.0.body", 'did you mean "Records"?'),
        ("sqs", "Records.0.bdy", 'did you mean "body"?'),
        ("sqs", "Records.1.body", "0 to 0"),
        ("sqs", "Records.first.body", "0 to 0"),
        ("sqs", "Records.0.body.order", "no table"),
        ("schedule", "detail.order", "nothing can be set below it"),
    ],
)
def test_a_wrong_path_names_the_right_one(name: str, path: str, remedy: str) -> None:
    with pytest.raises(EventError) as error:
        samples.event(name, {path: samples.value_of(name, path, "1")})
    assert remedy in error.value.remedy


def test_the_command_prints_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["event", "sqs", "--set", "Records.0.body=hi"]) == 0
    assert json.loads(capsys.readouterr().out)["Records"][0]["body"] == "hi"
    assert run(["event"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(samples.names())
    assert run(["event", "sqs", "--set", "Records"]) == 2
    assert "--set KEY=VALUE" in capsys.readouterr().err
