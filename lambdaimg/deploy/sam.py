"""The project as a SAM template."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdaimg.deploy import policies
from lambdaimg.deploy.cloudformation import (
    HERE,
    Resources,
    check_names,
    fields_of,
    image_of,
    logical_id,
    parameters,
    permissions,
    reserved,
    role_of,
    role_resources,
    substituted,
)
from lambdaimg.deploy.configuration import event_invoke, filled
from lambdaimg.model.deployment import AsyncSettings
from lambdaimg.model.project import Function, Project


def template(project: Project, functions: Sequence[Function], images: Mapping[str, str]) -> Resources:
    """The template's data. `images` are the references of the functions' images; a parameter stands for a missing one.

    Raises UsageError when two functions would get one name.
    """
    check_names(functions)
    resources: Resources = {}
    for function in functions:
        name = logical_id(function)
        resources |= role_resources(project, function)
        resources[name] = {
            "Type": "AWS::Serverless::Function",
            "Properties": _properties(function, image_of(function, images)),
        }
        resources |= _permissions(function)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": f"The functions of {project.name}",
        **parameters(functions, images),
        "Resources": resources,
    }


def _permissions(function: Function) -> Resources:
    """Those of a public URL are left out: SAM makes them itself."""
    found = permissions(function, f"{logical_id(function)}.Alias")
    return {name: resource for name, resource in found.items() if resource["Properties"]["Principal"] != "*"}


def _properties(function: Function, image: Any) -> Resources:
    settings = function.settings
    fields = fields_of(function)
    renamed = {
        "KmsKeyArn": fields.pop("KMSKeyArn", ""),
        "Tracing": fields.pop("TracingConfig")["Mode"],
        "DeadLetterQueue": _dead_letter(fields.pop("DeadLetterConfig", {}).get("TargetArn", "")),
    }
    more = {
        **renamed,
        "ProvisionedConcurrencyConfig": _provisioned(settings.provisioned_concurrency),
        "EventInvokeConfig": _event_invoke(settings.async_),
        "FunctionUrlConfig": {"AuthType": settings.url.auth, "InvokeMode": settings.url.invoke_mode}
        if settings.url
        else {},
        "Events": _events(function),
    }
    return {
        "FunctionName": function.name,
        "PackageType": "Image",
        "ImageUri": image,
        "Role": role_of(function),
        "Architectures": [function.architecture],
        "AutoPublishAlias": settings.alias,
        "AutoPublishAliasAllProperties": True,
        **fields,
        **reserved(function),
        **filled(more),
        **({"Tags": dict(sorted(settings.tags.items()))} if settings.tags else {}),
    }


def _dead_letter(target: str) -> Resources:
    return {"Type": policies.service_of(target).upper(), "TargetArn": target} if target else {}


def _provisioned(count: int | None) -> Resources:
    return {"ProvisionedConcurrentExecutions": count} if count else {}


def _event_invoke(settings: AsyncSettings | None) -> Resources:
    if settings is None:
        return {}
    fields: Resources = substituted(event_invoke(HERE, settings))
    for target in fields["DestinationConfig"].values():
        target["Type"] = _TYPES[policies.service_of(_text(target["Destination"]))]
    return fields


_TYPES = {"sqs": "SQS", "sns": "SNS", "lambda": "Lambda", "events": "EventBridge", "s3": "S3Bucket"}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value["Fn::Sub"])


def _events(function: Function) -> Resources:
    """What Lambda reads from. Callers are permissions: a SAM event would want to make the caller itself."""
    polled = [trigger for trigger in function.settings.triggers if policies.is_polled(trigger)]
    return {f"Source{number}": _event(trigger) for number, trigger in enumerate(polled, 1)}


def _event(trigger: str) -> Resources:
    kind = {"sqs": "SQS", "kinesis": "Kinesis", "dynamodb": "DynamoDB"}[policies.service_of(trigger)]
    fields = policies.source(trigger)
    arn = fields.pop("EventSourceArn")
    return {"Type": kind, "Properties": {("Queue" if kind == "SQS" else "Stream"): arn, **fields}}
