"""A function's settings in Lambda's own words: the fields of its API (service model 2015-03-31)."""

from typing import Any

from lambdaimg.deploy.place import Place
from lambdaimg.model.arns import is_local
from lambdaimg.model.deployment import AsyncSettings, LoggingSettings
from lambdaimg.model.environment import log_group_name
from lambdaimg.model.project import Function

Fields = dict[str, Any]


def configuration(function: Function) -> Fields:
    """The fields that CreateFunction and UpdateFunctionConfiguration share, save the role.

    All are there: an empty value takes back what was set before. Lists whose order means nothing are sorted.
    """
    settings = function.settings
    files = settings.file_system
    return {
        "Description": settings.description,
        "MemorySize": settings.memory,
        "Timeout": settings.timeout,
        "EphemeralStorage": {"Size": settings.ephemeral_storage},
        "Environment": {"Variables": dict(sorted(settings.environment.items()))},
        "KMSKeyArn": settings.kms_key,
        "TracingConfig": {"Mode": settings.tracing},
        "LoggingConfig": (settings.logging or LoggingSettings()).fields(log_group_name(function)),
        "VpcConfig": _vpc(function),
        "DeadLetterConfig": {"TargetArn": settings.async_.dead_letter if settings.async_ else ""},
        "FileSystemConfigs": [{"Arn": files.access_point, "LocalMountPath": files.mount_path}] if files else [],
        "ImageConfig": {
            "EntryPoint": list(settings.entrypoint),
            "Command": list(settings.command),
            "WorkingDirectory": settings.working_directory,
        },
    }


def sent(fields: Fields) -> Fields:
    """The same as Lambda takes it: what is empty in ImageConfig would go over the image's own."""
    own = {name: value for name, value in fields.get("ImageConfig", {}).items() if value}
    return {**fields, "ImageConfig": own} if "ImageConfig" in fields else fields


def _vpc(function: Function) -> Fields:
    vpc = function.settings.vpc
    return {
        "SubnetIds": sorted(vpc.subnet_ids) if vpc else [],
        "SecurityGroupIds": sorted(vpc.security_group_ids) if vpc else [],
        "Ipv6AllowedForDualStack": vpc.ipv6 if vpc else False,
    }


def event_invoke(place: Place, settings: AsyncSettings) -> Fields:
    """The fields of PutFunctionEventInvokeConfig, which replaces all that was set before."""
    targets = {"OnSuccess": settings.on_success, "OnFailure": settings.on_failure}
    return {
        "MaximumRetryAttempts": settings.maximum_retry_attempts,
        "MaximumEventAgeInSeconds": settings.maximum_event_age,
        "DestinationConfig": {
            when: {"Destination": place.destination(named)}
            for when, named in targets.items()
            if named and not is_local(named)
        },
    }


def filled(fields: Fields) -> Fields:
    """Fields without those that are empty, for a new function and for templates.

    A table of nothing but empty values is empty; a variable with an empty value is not.
    """
    return {name: value for name, value in fields.items() if not _is_empty(value)}


def _is_empty(value: Any) -> bool:
    return all(map(_is_nothing, value.values())) if isinstance(value, dict) else _is_nothing(value)


def _is_nothing(value: Any) -> bool:
    return value in ("", [], {}) or value is False
