"""What Lambda@Edge does not take of a function and of its association: rules that name themselves.

Sources: CloudFront Developer Guide, "Restrictions on Lambda@Edge", "Restrictions on all edge functions", "Quotas".
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lambdaimg.model.edge.settings import ALL, TRIGGERS, BehaviorSettings, EdgeSettings
from lambdaimg.model.project import Function
from lambdaimg.model.suggest import did_you_mean

LANGUAGES: Final = ("python", "nodejs")
"""Lambda@Edge runs no others."""
TIMEOUT: Final = 30
STORAGE: Final = 512
ZIP_BYTES: Final = 50 * 1024 * 1024
"""A function's zip."""
FUNCTIONS: Final = 100
"""Functions of one distribution."""
REGION: Final = "us-east-1"
_VIEWER_TIMEOUT: Final = 5
_VIEWER_MEMORY: Final = 128


@dataclass(frozen=True, kw_only=True)
class Restriction:
    """One thing that Lambda@Edge does not take. `key` is the setting that decides; `refuses` looks at its value."""

    id: str
    key: str
    says: str
    refuses: Callable[[Any], bool]

    def __str__(self) -> str:
        return f"{self.says} ({self.id})"


def _rule(id: str, key: str, says: str, refuses: Callable[[Any], bool] = bool) -> Restriction:
    return Restriction(id=id, key=key, says=says, refuses=refuses)


_ZIP: Final = "at the edge, a function is a zip, never an image"

RESTRICTIONS: Final = (
    _rule(
        "edge-runtime",
        "language",
        "the edge runs Python and Node.js alone",
        lambda name: name not in ("", *LANGUAGES),
    ),
    *(
        _rule("edge-zip", key, _ZIP)
        for key in ("image", "dockerfile", "packages", "entrypoint", "command", "working_directory")
    ),
    _rule("edge-architecture", "architecture", "the edge is x86_64 alone", lambda name: name == "arm64"),
    _rule("edge-environment", "environment", "edge functions have no environment variables"),
    _rule("edge-environment", "env_file", "edge functions have no environment variables"),
    _rule("edge-vpc", "vpc", "edge functions are in no VPC"),
    _rule("edge-vpc", "file_system", "edge functions are in no VPC, and mount no file system"),
    _rule("edge-layers", "layers", "edge functions have no layers"),
    _rule(
        "edge-dead-letter",
        "async_",
        "edge functions have no dead-letter queue",
        lambda settings: bool(settings and settings.dead_letter),
    ),
    _rule("edge-tracing", "tracing", "edge functions have no X-Ray", lambda mode: mode == "Active"),
    _rule("edge-provisioned", "provisioned_concurrency", "edge functions have no provisioned concurrency"),
    _rule(
        "edge-storage",
        "ephemeral_storage",
        f"at the edge, temporary files have {STORAGE} MB",
        lambda size: size > STORAGE,
    ),
    _rule("edge-key", "kms_key", "edge functions are not encrypted with a key of your own"),
    _rule("edge-tags", "tags", "edge functions have no tags"),
    _rule("edge-timeout", "timeout", f"at the edge, the longest timeout is {TIMEOUT} s", lambda time: time > TIMEOUT),
)


Wrong = tuple[tuple[str, ...], str, str]
"""A problem: the path of its key below `[edge]`, what is wrong, and the remedy."""


def violations(function: Function) -> Iterator[tuple[str, str]]:
    """What an edge function's settings have that the edge does not take: a key, and what to say of it."""
    for rule in RESTRICTIONS:
        if rule.refuses(getattr(function.settings, rule.key)):
            yield rule.key.rstrip("_").replace("_", "-"), str(rule)


def of_distribution(edge: EdgeSettings, functions: Mapping[str, Function]) -> Iterator[Wrong]:
    """What is wrong with a distribution, its functions' own settings aside."""
    if len(edge.function_names) > FUNCTIONS:
        yield ("behaviors",), f"have more than {FUNCTIONS} functions, the most of a distribution (edge-functions)", ""
    for pattern, trigger, name in edge.associations():
        path = ("behaviors", pattern, trigger)
        if ":" in name or "$" in name:
            yield (
                path,
                "names a version: a numbered one is published by each deployment (edge-version)",
                "name it alone",
            )
        elif name not in functions:
            yield path, f"there is no function {name!r}", did_you_mean(name, functions)
    for pattern, behavior in edge.behaviors.items():
        yield from _of_behavior(("behaviors", pattern), behavior)
    for status, page in edge.error_pages.items():
        if page.status and not page.path:
            yield ("error-pages", status, "status"), "has no effect without path", "add path, the page's"


def _of_behavior(path: tuple[str, ...], behavior: BehaviorSettings) -> Iterator[Wrong]:
    for trigger in TRIGGERS:
        if trigger in behavior.include_body and not behavior.function(trigger):
            yield (*path, "include-body"), f"names {trigger}, which has no function", f"add {trigger}"
    if not behavior.min_ttl <= behavior.default_ttl <= behavior.max_ttl:
        found = f"{behavior.min_ttl}, {behavior.default_ttl}, {behavior.max_ttl}"
        yield path, f"min-ttl, default-ttl and max-ttl must not descend, as {found} do", "set all three"
    for key, names in (("cookies", behavior.cookies), ("query-strings", behavior.query_strings)):
        if ALL in names and len(names) > 1:
            yield (*path, key), "has names beside *, which is all", "remove them"


def advice(edge: EdgeSettings, functions: Mapping[str, Function]) -> Iterator[str]:
    """What Lambda@Edge takes, and a viewer may suffer from."""
    for pattern, trigger, name in edge.associations():
        settings = functions[name].settings
        if trigger.startswith("viewer") and settings.timeout > _VIEWER_TIMEOUT:
            yield f"{name} may keep a viewer waiting for {settings.timeout} s ({trigger} of {pattern})"
        if trigger.startswith("viewer") and settings.memory > _VIEWER_MEMORY:
            yield f"{name} has {settings.memory} MB: older tools refuse more than {_VIEWER_MEMORY} MB at {trigger}"
