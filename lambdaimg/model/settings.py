"""Every setting of the project file: its key, what it may be, its default, what it does here and when deployed.

The one list of keys: the schema of the file, `lambdaimg show` and the reference's tables are made of it.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from voluptuous import Invalid

from lambdaimg.model import arns, quotas
from lambdaimg.model.checks import (
    absolute_path,
    boolean,
    environment_key,
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
from lambdaimg.model.declare import NOTHING, settings_table
from lambdaimg.model.declare import setting as _setting
from lambdaimg.model.deployment import (
    AsyncSettings,
    FileSystemSettings,
    LoggingSettings,
    UrlSettings,
    VpcSettings,
)

ARCHITECTURES: Final = ("x86_64", "arm64")


def host_architecture() -> str:
    """This machine's architecture, under Lambda's name for it."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


_PACKAGE = matching(r"[a-z0-9][a-z0-9+._-]*(?:=[A-Za-z0-9.+:~-]+)?", "an OS package's name, or name=version")
_IDENTIFIER = matching(r"[A-Za-z_][A-Za-z0-9_]*", "letters, digits and _")
_LAYER = matching(r"[a-z0-9]+(?:[_-][a-z0-9]+)*", "lower-case letters and digits, with single - or _ between them")
_CACHE = matching(
    r"[A-Za-z0-9._:/@={},-]+", "a cache, such as type=registry,ref=registry.example/shop-cache:{function}"
)
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
    cache_from: tuple[str, ...] = _setting(
        (),
        list_of(_CACHE),
        local="caches that the build may take steps from, as `buildx --cache-from` takes them; {function} is its name",
    )
    cache_to: tuple[str, ...] = _setting(
        (), list_of(_CACHE), local="caches that the build leaves, as `buildx --cache-to` takes them"
    )
    secrets: Mapping[str, SecretSource] = _setting(
        {}, table_of(_SECRET_ID, _secret_source), local="mounted at /run/secrets/ID during the build"
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
    image: str = _setting(
        "", image_reference, local="or an image that exists, run as it is", deployed="the image that is pushed"
    )
    entrypoint: tuple[str, ...] = _setting(
        (), list_of(text), local="over the image's own entrypoint", deployed="ImageConfig.EntryPoint"
    )
    command: tuple[str, ...] = _setting(
        (), list_of(text), local="over the image's own command", deployed="ImageConfig.Command"
    )
    working_directory: str = _setting(
        "", absolute_path, local="over the image's own", deployed="ImageConfig.WorkingDirectory"
    )
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
    tmp_on_disk: bool = _setting(
        False,
        boolean,
        local="temporary files on the engine's disk: they take no memory, and the size holds for each",
        deployed="not used",
    )
    env_file: str = _setting("", path_inside, local="KEY=VALUE lines for local runs", deployed="not used")
    environment: Mapping[str, str] = _setting(
        {},
        table_of(environment_key, text),
        local="set at run time, never in the image",
        deployed="Environment",
    )
    reserved_concurrency: int | None = _setting(
        None,
        whole_number(quotas.RESERVED_CONCURRENCY),
        local="`serve`: its share of the account's concurrency; beyond it 429, and 0 stops it",
        deployed="ReservedConcurrentExecutions; 0 stops the function",
    )
    provisioned_concurrency: int | None = _setting(
        None,
        whole_number(quotas.PROVISIONED_CONCURRENCY),
        local="`serve`: environments that are initialised ahead of requests, and kept",
        deployed="ProvisionedConcurrentExecutions of the alias",
    )
    role: str = _setting(
        "", arns.ROLE, local=NOTHING, deployed="the execution role; default: one with the rights of `policy`"
    )
    description: str = _setting(
        "", matching(r"(?s).{0,256}", "at most 256 characters"), local=NOTHING, deployed="Description"
    )
    tags: Mapping[str, str] = _setting(
        {}, table_of(_TAG_KEY, _TAG_VALUE, at_most=quotas.TAGS), local=NOTHING, deployed="Tags"
    )
    alias: str = _setting(
        "live",
        matching(quotas.ALIAS, "letters, digits, - and _, not digits alone"),
        local="`serve`: the qualifier that stands for $LATEST",
        deployed="the alias that points to the deployed version",
    )
    tracing: str = _setting(
        "PassThrough",
        one_of("PassThrough", "Active"),
        local=NOTHING,
        deployed="TracingConfig; Active also gives the role X-Ray's rights",
    )
    insights: bool = _setting(
        False, boolean, local=NOTHING, deployed="the role's rights for Lambda Insights, whose extension is the image's"
    )
    kms_key: str = _setting(
        "", arns.KEY, local=NOTHING, deployed="KMSKeyArn, which encrypts the variables; default: AWS's own key"
    )
    triggers: tuple[str, ...] = _setting(
        (), list_of(arns.TRIGGER), local=NOTHING, deployed="a statement of the resource policy, or a source of events"
    )
    permissions: tuple[str, ...] = _setting(
        (), list_of(arns.PRINCIPAL), local=NOTHING, deployed="a statement of the resource policy for each"
    )
    logging: LoggingSettings | None = _setting(
        None,
        settings_table(LoggingSettings),
        table=LoggingSettings,
        local="the log's format and levels",
        deployed="LoggingConfig",
    )
    file_system: FileSystemSettings | None = _setting(
        None,
        settings_table(FileSystemSettings),
        table=FileSystemSettings,
        local=NOTHING,
        deployed="FileSystemConfigs",
    )
    vpc: VpcSettings | None = _setting(
        None,
        settings_table(VpcSettings),
        table=VpcSettings,
        local="a network of its own kind",
        deployed="VpcConfig, and the role's rights for it",
    )
    async_: AsyncSettings | None = _setting(
        None,
        settings_table(AsyncSettings),
        table=AsyncSettings,
        local="`serve`: the event queue",
        deployed="the event invoke configuration of the alias",
    )
    url: UrlSettings | None = _setting(
        None,
        settings_table(UrlSettings),
        table=UrlSettings,
        local="`serve`: http://NAME.localhost",
        deployed="the function URL of the alias",
    )
