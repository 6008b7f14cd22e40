"""A function as ListFunctions, GetFunction and GetFunctionConfiguration show it (service model 2015-03-31)."""

from collections.abc import Mapping
from typing import Any

from lambdaimg.engine.records import Image
from lambdaimg.model.deployment import LoggingSettings
from lambdaimg.model.environment import VERSION, log_group_name
from lambdaimg.model.project import ACCOUNT, Function, Project


def configuration(project: Project, function: Function, image: Image) -> dict[str, Any]:
    """FunctionConfiguration of a function with the image that it runs."""
    settings = function.settings
    image_config = {
        "EntryPoint": list(settings.entrypoint),
        "Command": list(settings.command),
        "WorkingDirectory": settings.working_directory,
    }
    return {
        "FunctionName": function.name,
        "FunctionArn": project.arn(function),
        "Role": settings.role or f"arn:aws:iam::{ACCOUNT}:role/{function.name}",
        "CodeSize": image.size,
        "CodeSha256": image.id.removeprefix("sha256:"),
        "Description": settings.description,
        "Timeout": settings.timeout,
        "MemorySize": settings.memory,
        "LastModified": "1970-01-01T00:00:00.000+0000",
        "Version": VERSION,
        "TracingConfig": {"Mode": settings.tracing},
        "RevisionId": _revision(image),
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Image",
        "Architectures": [function.architecture],
        "EphemeralStorage": {"Size": settings.ephemeral_storage},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": (settings.logging or LoggingSettings()).fields(log_group_name(function)),
        **({"Environment": {"Variables": dict(settings.environment)}} if settings.environment else {}),
        **({"ImageConfigResponse": {"ImageConfig": _said(image_config)}} if any(image_config.values()) else {}),
        **({"KMSKeyArn": settings.kms_key} if settings.kms_key else {}),
    }


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _revision(image: Image) -> str:
    """An id in a UUID's form, which changes with the image."""
    digits = image.id.removeprefix("sha256:")[:32]
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def function_output(project: Project, function: Function, image: Image, reserved: int | None) -> dict[str, Any]:
    """GetFunctionResponse."""
    reference = project.image(function)
    return {
        "Configuration": configuration(project, function, image),
        "Code": {"RepositoryType": "ECR", "ImageUri": reference, "ResolvedImageUri": f"{reference}@{image.id}"},
        **({"Tags": dict(function.settings.tags)} if function.settings.tags else {}),
        **({"Concurrency": {"ReservedConcurrentExecutions": reserved}} if reserved is not None else {}),
    }
