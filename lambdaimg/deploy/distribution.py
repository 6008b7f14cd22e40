"""The project's distribution as a CloudFormation template: its functions from zips, their versions, its behaviors."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from lambdaimg.catalog import bases, languages
from lambdaimg.deploy.cloudformation import Resources, check_names, logical_id, role_of, role_resources
from lambdaimg.deploy.configuration import configuration, filled
from lambdaimg.model.edge.settings import ALL, REQUEST_TRIGGERS, BehaviorSettings, EdgeSettings
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Function, Project

_ORIGIN: Final = "origin"


def template(project: Project, zips: Mapping[str, str]) -> Resources:
    """The template's data. `zips` are the addresses of functions' zips; parameters stand for missing ones.

    Raises UsageError without a distribution, for a base that the catalog does not know, and for what is no zip.
    """
    if project.edge is None:
        raise UsageError(f"{project.file.name} has no distribution", remedy='write a table [edge] with origin = "…"')
    functions = project.select(project.edge.function_names) if project.edge.function_names else ()
    check_names(functions)
    resources: Resources = {}
    versions: dict[str, str] = {}
    for function in functions:
        made = _function(function, _code(function, zips))
        versions[function.name] = next(name for name in made if made[name]["Type"] == "AWS::Lambda::Version")
        resources |= {**role_resources(project, function), **made}
    policies = {pattern: f"CachePolicy{number}" for number, pattern in enumerate(_patterns(project.edge))}
    for pattern, name in policies.items():
        resources[name] = _cache_policy(project, name, _behavior(project.edge, pattern))
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The distribution of {project.name}, for us-east-1",
        "Parameters": _parameters(project.edge, [function for function in functions if function.name not in zips]),
        "Resources": {**resources, "Distribution": _distribution(project, policies, versions)},
        "Outputs": {"Domain": {"Value": {"Fn::GetAtt": ["Distribution", "DomainName"]}}},
    }


def _parameters(edge: EdgeSettings, functions: Sequence[Function]) -> Resources:
    domain = {} if edge.is_folder else {"Default": urlsplit(edge.origin).hostname}
    what = "The bucket's domain, NAME.s3.REGION.amazonaws.com" if edge.is_folder else "The origin's domain"
    found: Resources = {"OriginDomain": {"Type": "String", "Description": what, **domain}}
    if functions:
        found["CodeBucket"] = {"Type": "String", "Description": "The bucket that `lambdaimg package --s3` sent to"}
    for function in functions:
        found[f"{logical_id(function)}Key"] = {"Type": "String", "Description": f"The key of {function.name}'s zip"}
    return found


def _code(function: Function, zips: Mapping[str, str]) -> Resources:
    if function.name not in zips:
        return {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": f"{logical_id(function)}Key"}}
    scheme, _, address = zips[function.name].partition("://")
    bucket, _, key = address.partition("/")
    if scheme != "s3" or not key:
        raise UsageError(
            f"{zips[function.name]} is no zip in S3: at the edge, a function is a zip, never an image",
            remedy=f"give what `lambdaimg package {function.name} --s3 BUCKET` prints",
        )
    return {"S3Bucket": bucket, "S3Key": key}


def _function(function: Function, code: Resources) -> Resources:
    name = logical_id(function)
    language = languages.read(function.settings.language)
    fields = {key: value for key, value in filled(configuration(function)).items() if key != "ImageConfig"}
    properties = {
        "FunctionName": function.name,
        "Runtime": _runtime(function),
        "Handler": function.settings.handler or language.handler,
        "Code": code,
        "Role": role_of(function),
        **fields,
    }
    digest = hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()[:12]
    retained = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}  # replicas outlive the association
    return {
        name: {"Type": "AWS::Lambda::Function", "Properties": properties},
        f"{name}Version{digest}": {
            "Type": "AWS::Lambda::Version",
            **retained,
            "Properties": {"FunctionName": {"Ref": name}},
        },
    }


def _runtime(function: Function) -> str:
    language = languages.read(function.settings.language)
    base = bases.find(function.settings.base or language.default_base)
    runtime = language.runtime(base) if base else None
    if runtime is None or language.zip is None:
        raise UsageError(
            f"{function.name}: the catalog does not say which runtime of Lambda's its base has",
            remedy="`lambdaimg base list` shows the bases that it knows",
        )
    return language.zip.runtime.format(version=runtime.version)


def _patterns(edge: EdgeSettings) -> list[str]:
    """The default behavior, then the others in the file's order."""
    return [ALL, *(pattern for pattern in edge.behaviors if pattern != ALL)]


def _behavior(edge: EdgeSettings, pattern: str) -> BehaviorSettings:
    return edge.behaviors.get(pattern, BehaviorSettings())


def _distribution(project: Project, policies: Mapping[str, str], versions: Mapping[str, str]) -> Resources:
    edge = project.edge or EdgeSettings()
    default, *others = (_cache_behavior(_behavior(edge, each), policies[each], versions) for each in policies)
    patterns = [pattern for pattern in policies if pattern != ALL]
    config = {
        "Enabled": True,
        "Comment": project.name,
        "DefaultRootObject": edge.default_root_object,
        "Origins": [_origin(edge)],
        "DefaultCacheBehavior": default,
        "CacheBehaviors": [{"PathPattern": name, **each} for name, each in zip(patterns, others, strict=True)],
        "CustomErrorResponses": [_error_page(edge, status) for status in edge.error_pages],
    }
    return {
        "Type": "AWS::CloudFront::Distribution",
        "Properties": {"DistributionConfig": {key: value for key, value in config.items() if value}},
    }


def _origin(edge: EdgeSettings) -> Resources:
    headers = [{"HeaderName": name, "HeaderValue": value} for name, value in edge.origin_headers.items()]
    more: Resources = {"OriginCustomHeaders": headers} if headers else {}
    if edge.is_folder:
        more["S3OriginConfig"] = {"OriginAccessIdentity": ""}
    else:
        url = urlsplit(edge.origin)
        more |= {"OriginPath": url.path} if url.path else {}
        port = {f"{url.scheme.upper()}Port": url.port} if url.port else {}
        more["CustomOriginConfig"] = {"OriginProtocolPolicy": f"{url.scheme}-only", **port}
    return {"Id": _ORIGIN, "DomainName": {"Ref": "OriginDomain"}, **more}


def _cache_behavior(behavior: BehaviorSettings, policy: str, versions: Mapping[str, str]) -> Resources:
    associations = [
        {
            "EventType": trigger,
            "LambdaFunctionARN": {"Ref": versions[name]},
            **({"IncludeBody": trigger in behavior.include_body} if trigger in REQUEST_TRIGGERS else {}),
        }
        for trigger, name in behavior.functions()
    ]
    return {
        "TargetOriginId": _ORIGIN,
        "ViewerProtocolPolicy": "allow-all",
        "AllowedMethods": list(behavior.allowed_methods),
        "Compress": behavior.compress,
        "CachePolicyId": {"Ref": policy},
        **({"LambdaFunctionAssociations": associations} if associations else {}),
    }


def _cache_policy(project: Project, name: str, behavior: BehaviorSettings) -> Resources:
    headers = {"HeaderBehavior": "whitelist", "Headers": list(behavior.headers)}
    config = {
        "Name": f"{project.name}-{name}".replace(".", "-"),
        "MinTTL": behavior.min_ttl,
        "DefaultTTL": behavior.default_ttl,
        "MaxTTL": behavior.max_ttl,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": behavior.compress,
            "HeadersConfig": headers if behavior.headers else {"HeaderBehavior": "none"},
            "CookiesConfig": _named("Cookie", "Cookies", behavior.cookies),
            "QueryStringsConfig": _named("QueryString", "QueryStrings", behavior.query_strings),
        },
    }
    return {"Type": "AWS::CloudFront::CachePolicy", "Properties": {"CachePolicyConfig": config}}


def _named(kind: str, field: str, names: tuple[str, ...]) -> Resources:
    if not names or ALL in names:
        return {f"{kind}Behavior": "all" if names else "none"}
    return {f"{kind}Behavior": "whitelist", field: list(names)}


def _error_page(edge: EdgeSettings, status: str) -> Resources:
    page = edge.error_pages[status]
    shown = {"ResponsePagePath": page.path, "ResponseCode": page.status or int(status)} if page.path else {}
    return {"ErrorCode": int(status), "ErrorCachingMinTTL": page.ttl, **shown}
