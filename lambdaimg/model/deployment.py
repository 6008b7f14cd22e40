"""The tables of settings that are for the deployed function."""

from dataclasses import dataclass
from typing import Final

from lambdaimg.model import arns, quotas
from lambdaimg.model.checks import boolean, list_of, matching, one_of, whole_number
from lambdaimg.model.declare import NOTHING, setting

APPLICATION_LOG_LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
SYSTEM_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARN")
"""The most detailed first."""
DEFAULT_LOG_LEVEL: Final = "INFO"
"""Of both, in the format JSON."""


@dataclass(frozen=True, kw_only=True)
class VpcSettings:
    """`[functions.NAME.vpc]`; without it the function is outside a VPC."""

    subnet_ids: tuple[str, ...] = setting(
        (),
        list_of(matching(r"subnet-[0-9a-z]+", "a subnet's id, subnet-…"), at_most=quotas.SUBNETS),
        local=NOTHING,
        deployed="VpcConfig.SubnetIds",
    )
    security_group_ids: tuple[str, ...] = setting(
        (),
        list_of(matching(r"sg-[0-9a-zA-Z]+", "a security group's id, sg-…"), at_most=quotas.SECURITY_GROUPS),
        local=NOTHING,
        deployed="VpcConfig.SecurityGroupIds",
    )
    ipv6: bool = setting(False, boolean, local=NOTHING, deployed="VpcConfig.Ipv6AllowedForDualStack")
    nat: bool = setting(
        True,
        boolean,
        local="whether a NAT gateway leads out: without, the network is the VPC's own",
        deployed="not used",
    )
    network: str = setting(
        "",
        matching(r"[A-Za-z0-9][A-Za-z0-9_.-]*", "a network of the engine"),
        local="a network of the engine to join, such as a compose project's",
        deployed="not used",
    )


@dataclass(frozen=True, kw_only=True)
class AsyncSettings:
    """`[functions.NAME.async]`: what becomes of asynchronous invocations."""

    maximum_retry_attempts: int = setting(
        quotas.RETRY_ATTEMPTS.most,
        whole_number(quotas.RETRY_ATTEMPTS),
        local="`serve`: after 1 and 2 minutes, × --time-scale",
        deployed="MaximumRetryAttempts of the event invoke configuration",
    )
    maximum_event_age: int = setting(
        quotas.EVENT_AGE.most,
        whole_number(quotas.EVENT_AGE),
        local="`serve`: seconds, × --time-scale",
        deployed="MaximumEventAgeInSeconds of the event invoke configuration",
    )
    on_success: str = setting(
        "",
        arns.DESTINATION,
        local="`serve`: gets the record, AWS's own by boto3",
        deployed="the destination OnSuccess, and the role's right to send there; a file or URL is left out",
    )
    on_failure: str = setting(
        "",
        arns.DESTINATION,
        local="`serve`: gets the record, AWS's own by boto3",
        deployed="the destination OnFailure, and the role's right to send there; a file or URL is left out",
    )
    dead_letter: str = setting(
        "",
        arns.DEAD_LETTER,
        local="`serve`: gets the event, by boto3",
        deployed="DeadLetterConfig, and the role's right to send there",
    )


@dataclass(frozen=True, kw_only=True)
class UrlSettings:
    """`[functions.NAME.url]`: a function URL."""

    auth: str = setting(
        "AWS_IAM",
        one_of("AWS_IAM", "NONE"),
        local="`serve`: AWS_IAM takes signed requests alone, unchecked",
        deployed="AuthType; NONE lets anybody invoke",
    )
    invoke_mode: str = setting("BUFFERED", one_of("BUFFERED", "RESPONSE_STREAM"), local=NOTHING, deployed="InvokeMode")


@dataclass(frozen=True, kw_only=True)
class LoggingSettings:
    """`[functions.NAME.logging]`."""

    format: str = setting(
        "Text",
        one_of("Text", "JSON"),
        local="JSON: AWS_LAMBDA_LOG_FORMAT for the runtime, and START, END and REPORT as records; not by the RIE",
        deployed="LoggingConfig.LogFormat",
    )
    level: str = setting(
        "",
        one_of(*APPLICATION_LOG_LEVELS),
        local="AWS_LAMBDA_LOG_LEVEL of the format JSON; the function's lines below it are left out; default INFO",
        deployed="LoggingConfig.ApplicationLogLevel, of the format JSON",
    )
    system_level: str = setting(
        "",
        one_of(*SYSTEM_LOG_LEVELS),
        local="records of the format JSON below it are left out; default INFO",
        deployed="LoggingConfig.SystemLogLevel, of the format JSON",
    )
    group: str = setting(
        "",
        matching(quotas.LOG_GROUP, "a log group's name: letters, digits and ._-/#"),
        local="AWS_LAMBDA_LOG_GROUP_NAME",
        deployed="LoggingConfig.LogGroup; default /aws/lambda/FUNCTION",
    )

    @property
    def is_json(self) -> bool:
        return self.format == "JSON"

    def fields(self, group: str) -> dict[str, str]:
        """LoggingConfig of Lambda's API, for a log group."""
        levels = {"ApplicationLogLevel": self.level, "SystemLogLevel": self.system_level}
        return {"LogFormat": self.format, **{name: value for name, value in levels.items() if value}, "LogGroup": group}


@dataclass(frozen=True, kw_only=True)
class FileSystemSettings:
    """`[functions.NAME.file-system]`: both keys are needed."""

    access_point: str = setting(
        "", arns.FILE_SYSTEM, local=NOTHING, deployed="FileSystemConfigs.Arn, and the role's right to mount it"
    )
    mount_path: str = setting(
        "",
        matching(quotas.MOUNT_PATH, "a path /mnt/NAME"),
        local=NOTHING,
        deployed="FileSystemConfigs.LocalMountPath",
    )
