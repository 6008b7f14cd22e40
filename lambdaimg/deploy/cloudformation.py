"""The project as a CloudFormation template."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lambdaimg.deploy import policies
from lambdaimg.deploy.configuration import configuration, event_invoke, filled, sent
from lambdaimg.deploy.place import Place
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Function, Project

Resources = dict[str, Any]

HERE: Final = Place(region="${AWS::Region}", account="${AWS::AccountId}", partition="${AWS::Partition}")
"""The place of a stack, in the words of Fn::Sub."""


def template(project: Project, functions: Sequence[Function], images: Mapping[str, str]) -> Resources:
    """The template's data. `images` are the references of the functions' images; a parameter stands for a missing one.

    Raises UsageError when two functions would get one name.
    """
    check_names(functions)
    resources: Resources = {}
    for function in functions:
        resources |= role_resources(project, function)
        resources |= _function(project, function, image_of(function, images))
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The functions of {project.name}",
        **parameters(functions, images),
        "Resources": resources,
    }


def logical_id(function: Function) -> str:
    """`get-order_2` → `GetOrder2`: the letters and digits that CloudFormation allows."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", function.name))


def check_names(functions: Sequence[Function]) -> None:
    seen: dict[str, str] = {}
    for function in functions:
        other = seen.setdefault(logical_id(function), function.name)
        if other != function.name:
            raise UsageError(
                f"{other} and {function.name} are both {logical_id(function)} in a template", remedy="rename one"
            )


def parameters(functions: Sequence[Function], images: Mapping[str, str]) -> Resources:
    missing = [function for function in functions if function.name not in images]
    listed = {
        f"{logical_id(function)}Image": {
            "Type": "String",
            "Description": f"What `lambdaimg push {function.name}` prints",
        }
        for function in missing
    }
    return {"Parameters": listed} if listed else {}


def image_of(function: Function, images: Mapping[str, str]) -> Any:
    return images.get(function.name) or {"Ref": f"{logical_id(function)}Image"}


def substituted(value: Any) -> Any:
    """Strings that name the stack's place, as Fn::Sub. For our own texts alone: a user's `${…}` stays as it is."""
    if isinstance(value, dict):
        return {key: substituted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [substituted(item) for item in value]
    return {"Fn::Sub": value} if isinstance(value, str) and "${AWS::" in value else value


def role_resources(project: Project, function: Function) -> Resources:
    """The execution role; none where the project file names one that exists."""
    if function.settings.role:
        return {}
    at_edge = project.is_at_edge(function)
    document = substituted(policies.execution(HERE, function, at_edge=at_edge))
    rights = {"PolicyName": "lambdaimg", "PolicyDocument": document}
    return {
        f"{logical_id(function)}Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": policies.trust(at_edge=at_edge), "Policies": [rights]},
        }
    }


def role_of(function: Function) -> Any:
    return function.settings.role or {"Fn::GetAtt": [f"{logical_id(function)}Role", "Arn"]}


def _function(project: Project, function: Function, image: Any) -> Resources:
    name = logical_id(function)
    properties = _properties(function, image)
    version = f"{name}Version{_digest(properties)}"
    alias = {
        "FunctionName": {"Ref": name},
        "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
        "Name": function.settings.alias,
        **_provisioned(function),
    }
    return {
        name: {"Type": "AWS::Lambda::Function", "Properties": properties},
        version: {
            "Type": "AWS::Lambda::Version",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"FunctionName": {"Ref": name}},
        },
        f"{name}Alias": {"Type": "AWS::Lambda::Alias", "Properties": alias},
        **_event_invoke(function),
        **_url(function),
        **permissions(function, f"{name}Alias"),
        **_sources(function),
    }


def _properties(function: Function, image: Any) -> Resources:
    fields = fields_of(function)
    if key := fields.pop("KMSKeyArn", ""):
        fields["KmsKeyArn"] = key
    tags = [{"Key": key, "Value": value} for key, value in sorted(function.settings.tags.items())]
    return {
        "FunctionName": function.name,
        "PackageType": "Image",
        "Code": {"ImageUri": image},
        "Role": role_of(function),
        "Architectures": [function.architecture],
        **fields,
        **reserved(function),
        **({"Tags": tags} if tags else {}),
    }


def fields_of(function: Function) -> Resources:
    """Lambda's fields of a function. Raises UsageError for an ImageConfig that CloudFormation spoils.

    It wants all three values of it or none, for it puts empty ones over the image's own (Developer Guide,
    "Troubleshoot deployment"), and no word twice (its resource schema).
    """
    fields = filled(sent(configuration(function)))
    own = fields.get("ImageConfig", {})
    if own and len(own) < 3:
        raise UsageError(
            f"{function.name}: a template needs entrypoint, command and working-directory, or none of them",
            remedy="set them all three",
        )
    for words in (own.get("EntryPoint", []), own.get("Command", [])):
        if len(set(words)) < len(words):
            raise UsageError(
                f"{function.name}: a template can't have a word twice in an entrypoint or command: {' '.join(words)}",
                remedy="put them into the image, or deploy with `lambdaimg deploy`",
            )
    return fields


def reserved(function: Function) -> Resources:
    count = function.settings.reserved_concurrency
    return {} if count is None else {"ReservedConcurrentExecutions": count}


def _provisioned(function: Function) -> Resources:
    count = function.settings.provisioned_concurrency
    return {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": count}} if count else {}


def _digest(properties: Resources) -> str:
    """A version is published when its resource is new: so its name follows what the function is."""
    return hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()[:12]


def _event_invoke(function: Function) -> Resources:
    settings, name = function.settings.async_, logical_id(function)
    if settings is None:
        return {}
    properties = {
        "FunctionName": {"Ref": name},
        "Qualifier": function.settings.alias,
        **filled(substituted(event_invoke(HERE, settings))),
    }
    # DependsOn: the qualifier is a name, from which CloudFormation can't tell that the alias comes first.
    return {
        f"{name}EventInvoke": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "DependsOn": [f"{name}Alias"],
            "Properties": properties,
        }
    }


def _url(function: Function) -> Resources:
    url, name = function.settings.url, logical_id(function)
    if url is None:
        return {}
    properties = {
        "TargetFunctionArn": {"Ref": name},
        "Qualifier": function.settings.alias,
        "AuthType": url.auth,
        "InvokeMode": url.invoke_mode,
    }
    return {f"{name}Url": {"Type": "AWS::Lambda::Url", "DependsOn": [f"{name}Alias"], "Properties": properties}}


def permissions(function: Function, alias: str) -> Resources:
    """A permission for each statement of the resource policy; `alias` is what refers to the alias's ARN."""
    return {
        f"{logical_id(function)}Permission{statement['Sid'].removeprefix('lambdaimg')}": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {"FunctionName": {"Ref": alias}, **substituted(policies.permission(statement))},
        }
        for statement in policies.resource(HERE, function)["Statement"]
    }


def _sources(function: Function) -> Resources:
    name = logical_id(function)
    polled = [trigger for trigger in function.settings.triggers if policies.is_polled(trigger)]
    return {
        f"{name}Source{hashlib.sha256(trigger.encode()).hexdigest()[:12]}": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"FunctionName": {"Ref": f"{name}Alias"}, **policies.source(trigger)},
        }
        for trigger in polled
    }
