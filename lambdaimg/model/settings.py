"""Every setting of the project file: its key, what it may be, its default, what it does here and when deployed.

The one list of keys: the schema of the file, `lambdaimg show` and the reference's tables are made of it.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from voluptuous import Invalid, Optional, Schema

from lambdaimg.model import arns, quotas
from lambdaimg.model.checks import (
    Check,
    boolean,
    image_reference,
    list_of,
    matching,
    one_of,
    path_anywhere,
    path_inside,
    table_of,
    text,
    whole_number,
)

ARCHITECTURES: Final = ("x86_64", "arm64")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is known of one key. `local` and `deployed` say in words what it does there.

    `table` is the settings class of a key that is a table of settings.
    """

    key: str
    check: Check
    local: str
    deployed: str
    table: type | None = None


def _setting(default: Any, check: Check, *, local: str, deployed: str = "", table: type | None = None) -> Any:
    metadata = {"check": check, "local": local, "deployed": deployed, "table": table}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


def settings_of(table: type) -> dict[str, Setting]:
    """The keys of a settings class, in the file's spelling, in the order of their declaration."""
    return {
        (key := declared.name.rstrip("_").replace("_", "-")): Setting(key=key, **declared.metadata)
        for declared in fields(table)
    }


def field_of(key: str) -> str:
    """The attribute of a key: `async` is a word of Python's own."""
    return "async_" if key == "async" else key.replace("-", "_")


def _settings_table(table: type) -> Check:
    """A table of settings; the setting's default is None, for a file without that table."""
    schema = Schema({Optional(key): setting.check for key, setting in settings_of(table).items()})

    def check(value: Any) -> Any:
        return table(**{field_of(key): found for key, found in schema(value).items()})

    return check


def host_architecture() -> str:
    """This machine's architecture, under Lambda's name for it."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def _environment_key(value: Any) -> Any:
    """A variable's name: Lambda's pattern, and none that Lambda sets itself (quotas.md §1, §7)."""
    if value in quotas.RESERVED_ENVIRONMENT:
        raise Invalid("is reserved: Lambda sets it itself")
    return matching(quotas.ENVIRONMENT_KEY, "a letter, then letters, digits and _ (two characters at least)")(value)


_PACKAGE = matching(r"[a-z0-9][a-z0-9+._-]*(?:=[A-Za-z0-9.+:~-]+)?", "an OS package's name, or name=version")
_IDENTIFIER = matching(r"[A-Za-z_][A-Za-z0-9_]*", "letters, digits and _")
_LAYER = matching(r"[a-z0-9]+(?:[_-][a-z0-9]+)*", "lower-case letters and digits, with single - or _ between them")
_SECRET_ID = matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "letters, digits and ._-")


@dataclass(frozen=True, kw_only=True)
class SecretSource:
    """Where a build secret comes from: an environment variable or a file, exactly one of them."""

    env: str = ""
    file: str = ""


def _secret_source(value: Any) -> Any:
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in ("env", "file"):
        raise Invalid('must be { env = "NAME" } or { file = "PATH" }')
    if "env" in value:
        return SecretSource(env=_IDENTIFIER(value["env"]))
    return SecretSource(file=path_anywhere(value["file"]))


@dataclass(frozen=True, kw_only=True)
class ProjectSettings:
    """`[project]`."""

    name: str = _setting(
        "",
        matching(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", "lower-case letters and digits, with single ._- between them"),
        local="image names: NAME/FUNCTION:latest; the default is the folder's name",
    )
    region: str = _setting(
        "us-east-1",
        matching(r"[a-z]{2}(?:-[a-z]+)+-\d", "a Region's name, such as eu-central-1"),
        local="AWS_REGION and the function's ARN",
        deployed="the Region",
    )
    registry_mirror: str = _setting(
        "",
        matching(r"[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[a-z0-9._/-]+)?", "a registry's host[:port][/path]"),
        local="where base images are pulled from",
    )


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """`[build]`."""

    ca_bundle: str = _setting(
        "", path_anywhere, local="extra CA certificates during the build, never kept in the image"
    )
    network: str = _setting("default", one_of("default", "host"), local="the network of the build's steps")
    args: Mapping[str, str] = _setting({}, table_of(_IDENTIFIER, text), local="build arguments")
    pip_config: str = _setting("", path_anywhere, local="pip.conf during the build, mounted as a secret")
    npm_config: str = _setting("", path_anywhere, local=".npmrc during the build, mounted as a secret")
    secrets: Mapping[str, SecretSource] = _setting(
        {}, table_of(_SECRET_ID, _secret_source), local="mounted at /run/secrets/ID during the build"
    )


_NOTHING: Final = "nothing"
"""What a setting does here that is for the deployed function alone."""


@dataclass(frozen=True, kw_only=True)
class VpcSettings:
    """`[functions.NAME.vpc]`; without it the function is outside a VPC."""

    subnet_ids: tuple[str, ...] = _setting(
        (),
        list_of(matching(r"subnet-[0-9a-z]+", "a subnet's id, subnet-…"), at_most=quotas.SUBNETS),
        local=_NOTHING,
        deployed="VpcConfig.SubnetIds",
    )
    security_group_ids: tuple[str, ...] = _setting(
        (),
        list_of(matching(r"sg-[0-9a-zA-Z]+", "a security group's id, sg-…"), at_most=quotas.SECURITY_GROUPS),
        local=_NOTHING,
        deployed="VpcConfig.SecurityGroupIds",
    )
    ipv6: bool = _setting(False, boolean, local=_NOTHING, deployed="VpcConfig.Ipv6AllowedForDualStack")


@dataclass(frozen=True, kw_only=True)
class AsyncSettings:
    """`[functions.NAME.async]`: what becomes of asynchronous invocations."""

    maximum_retry_attempts: int = _setting(
        quotas.RETRY_ATTEMPTS.most,
        whole_number(quotas.RETRY_ATTEMPTS),
        local=_NOTHING,
        deployed="MaximumRetryAttempts of the event invoke configuration",
    )
    maximum_event_age: int = _setting(
        quotas.EVENT_AGE.most,
        whole_number(quotas.EVENT_AGE),
        local=_NOTHING,
        deployed="MaximumEventAgeInSeconds of the event invoke configuration",
    )
    on_success: str = _setting(
        "", arns.DESTINATION, local=_NOTHING, deployed="the destination OnSuccess, and the role's right to send there"
    )
    on_failure: str = _setting(
        "", arns.DESTINATION, local=_NOTHING, deployed="the destination OnFailure, and the role's right to send there"
    )
    dead_letter: str = _setting(
        "", arns.DEAD_LETTER, local=_NOTHING, deployed="DeadLetterConfig, and the role's right to send there"
    )


@dataclass(frozen=True, kw_only=True)
class UrlSettings:
    """`[functions.NAME.url]`: a function URL."""

    auth: str = _setting(
        "AWS_IAM", one_of("AWS_IAM", "NONE"), local=_NOTHING, deployed="AuthType; NONE lets anybody invoke"
    )
    invoke_mode: str = _setting(
        "BUFFERED", one_of("BUFFERED", "RESPONSE_STREAM"), local=_NOTHING, deployed="InvokeMode"
    )


@dataclass(frozen=True, kw_only=True)
class LoggingSettings:
    """`[functions.NAME.logging]`."""

    format: str = _setting("Text", one_of("Text", "JSON"), local=_NOTHING, deployed="LoggingConfig.LogFormat")
    level: str = _setting(
        "",
        one_of("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"),
        local=_NOTHING,
        deployed="LoggingConfig.ApplicationLogLevel, of the format JSON",
    )
    system_level: str = _setting(
        "",
        one_of("DEBUG", "INFO", "WARN"),
        local=_NOTHING,
        deployed="LoggingConfig.SystemLogLevel, of the format JSON",
    )
    group: str = _setting(
        "",
        matching(quotas.LOG_GROUP, "a log group's name: letters, digits and ._-/#"),
        local=_NOTHING,
        deployed="LoggingConfig.LogGroup; default /aws/lambda/FUNCTION",
    )


@dataclass(frozen=True, kw_only=True)
class FileSystemSettings:
    """`[functions.NAME.file-system]`: both keys are needed."""

    access_point: str = _setting(
        "", arns.FILE_SYSTEM, local=_NOTHING, deployed="FileSystemConfigs.Arn, and the role's right to mount it"
    )
    mount_path: str = _setting(
        "",
        matching(quotas.MOUNT_PATH, "a path /mnt/NAME"),
        local=_NOTHING,
        deployed="FileSystemConfigs.LocalMountPath",
    )


_TAG_KEY: Final = matching(r"(?!aws:)[\w\s.:/=+@-]{1,128}", "1 to 128 letters, digits, spaces and _.:/=+-@, not aws:…")
_TAG_VALUE: Final = matching(r"[\w\s.:/=+@-]{0,256}", "at most 256 letters, digits, spaces and _.:/=+-@")


@dataclass(frozen=True, kw_only=True)
class LayerSettings:
    """`[layers.NAME]`."""

    source: str = _setting("", path_inside, local="the folder that is laid under /opt; the default is layers/NAME")


layer_name: Final = _LAYER
"""What a layer may be called: its name becomes a build stage's."""


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """`[functions.NAME]`, and `[defaults]` for all of them. An empty value means the default that `show` names."""

    language: str = _setting(
        "", text, local="the template and the runtime interface client", deployed="inside the image"
    )
    base: str = _setting(
        "", image_reference, local="the image that the function is built onto", deployed="inside the image"
    )
    source: str = _setting("", path_inside, local="the folder that becomes /var/task", deployed="inside the image")
    handler: str = _setting(
        "",
        matching(quotas.HANDLER, "at most 128 characters without white space"),
        local="the image's command",
        deployed="inside the image",
    )
    ric_version: str = _setting(
        "",
        matching(r"[0-9][0-9A-Za-z.+-]*", "a version"),
        local="over the catalog's pin",
        deployed="inside the image",
    )
    packages: tuple[str, ...] = _setting(
        (), list_of(_PACKAGE), local="OS packages of the image", deployed="inside the image"
    )
    build_packages: tuple[str, ...] = _setting((), list_of(_PACKAGE), local="OS packages of the build stage alone")
    layers: tuple[str, ...] = _setting(
        (), list_of(_LAYER), local="layers under /opt, in this order", deployed="inside the image"
    )
    template: str = _setting("", path_inside, local="your own Jinja template, which may extend ours")
    dockerfile: str = _setting("", path_inside, local="your own Dockerfile, used as it is")
    architecture: str = _setting("", one_of(*ARCHITECTURES), local="the image's platform", deployed="Architectures")
    memory: int = _setting(
        quotas.DEFAULT_MEMORY,
        whole_number(quotas.MEMORY),
        local="memory limit without swap; processor share of 1 per 1,769 MB",
        deployed="MemorySize",
    )
    timeout: int = _setting(
        quotas.DEFAULT_TIMEOUT,
        whole_number(quotas.TIMEOUT),
        local="enforced for each invocation",
        deployed="Timeout",
    )
    ephemeral_storage: int = _setting(
        quotas.DEFAULT_EPHEMERAL_STORAGE,
        whole_number(quotas.EPHEMERAL_STORAGE),
        local="the size of /tmp, in memory",
        deployed="EphemeralStorage",
    )
    env_file: str = _setting("", path_inside, local="KEY=VALUE lines for local runs", deployed="not used")
    environment: Mapping[str, str] = _setting(
        {},
        table_of(_environment_key, text),
        local="set at run time, never in the image",
        deployed="Environment",
    )
    reserved_concurrency: int | None = _setting(
        None,
        whole_number(quotas.RESERVED_CONCURRENCY),
        local=_NOTHING,
        deployed="ReservedConcurrentExecutions; 0 stops the function",
    )
    provisioned_concurrency: int | None = _setting(
        None,
        whole_number(quotas.PROVISIONED_CONCURRENCY),
        local=_NOTHING,
        deployed="ProvisionedConcurrentExecutions of the alias",
    )
    role: str = _setting(
        "", arns.ROLE, local=_NOTHING, deployed="the execution role; default: one with the rights of `policy`"
    )
    description: str = _setting(
        "", matching(r"(?s).{0,256}", "at most 256 characters"), local=_NOTHING, deployed="Description"
    )
    tags: Mapping[str, str] = _setting(
        {}, table_of(_TAG_KEY, _TAG_VALUE, at_most=quotas.TAGS), local=_NOTHING, deployed="Tags"
    )
    alias: str = _setting(
        "live",
        matching(quotas.ALIAS, "letters, digits, - and _, not digits alone"),
        local=_NOTHING,
        deployed="the alias that points to the deployed version",
    )
    tracing: str = _setting(
        "PassThrough",
        one_of("PassThrough", "Active"),
        local=_NOTHING,
        deployed="TracingConfig; Active also gives the role X-Ray's rights",
    )
    insights: bool = _setting(
        False, boolean, local=_NOTHING, deployed="the role's rights for Lambda Insights, whose extension is the image's"
    )
    kms_key: str = _setting(
        "", arns.KEY, local=_NOTHING, deployed="KMSKeyArn, which encrypts the variables; default: AWS's own key"
    )
    triggers: tuple[str, ...] = _setting(
        (), list_of(arns.TRIGGER), local=_NOTHING, deployed="a statement of the resource policy, or a source of events"
    )
    permissions: tuple[str, ...] = _setting(
        (), list_of(arns.PRINCIPAL), local=_NOTHING, deployed="a statement of the resource policy for each"
    )
    logging: LoggingSettings | None = _setting(
        None, _settings_table(LoggingSettings), table=LoggingSettings, local=_NOTHING, deployed="LoggingConfig"
    )
    file_system: FileSystemSettings | None = _setting(
        None,
        _settings_table(FileSystemSettings),
        table=FileSystemSettings,
        local=_NOTHING,
        deployed="FileSystemConfigs",
    )
    vpc: VpcSettings | None = _setting(
        None,
        _settings_table(VpcSettings),
        table=VpcSettings,
        local=_NOTHING,
        deployed="VpcConfig, and the role's rights for it",
    )
    async_: AsyncSettings | None = _setting(
        None,
        _settings_table(AsyncSettings),
        table=AsyncSettings,
        local=_NOTHING,
        deployed="the event invoke configuration of the alias",
    )
    url: UrlSettings | None = _setting(
        None, _settings_table(UrlSettings), table=UrlSettings, local=_NOTHING, deployed="the function URL of the alias"
    )
