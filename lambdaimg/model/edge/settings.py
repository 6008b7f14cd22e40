"""The tables of settings of a distribution: `[edge]`, its behaviors and its error pages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from voluptuous import Invalid

from lambdaimg.model.checks import boolean, list_of, matching, one_of, path_inside, table_of, text, whole_number
from lambdaimg.model.declare import setting, settings_table
from lambdaimg.model.quotas import Bounds

TRIGGERS: Final = ("viewer-request", "origin-request", "origin-response", "viewer-response")
"""`EventType`, in the order in which a miss meets them."""
REQUEST_TRIGGERS: Final = TRIGGERS[:2]
ALL: Final = "*"
"""The path pattern of the default behavior; in a list of cookies or query strings, all of them."""
METHODS: Final = (
    ("GET", "HEAD"),
    ("GET", "HEAD", "OPTIONS"),
    ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"),
)
"""The sets that `AllowedMethods` may be (CloudFront API reference)."""
ERROR_CODES: Final = ("400", "403", "404", "405", "414", "416", "500", "501", "502", "503", "504")
"""The statuses that may have a page of their own (Developer Guide, "Create a custom error page")."""

_TTL: Final = Bounds(0, 3_153_600_000, "s")
_WORD: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_NAMES: Final = list_of(matching(_WORD, "a name, or * alone for all"), at_most=100)
_HEADER: Final = matching(r"[A-Za-z0-9!#$%&'+.^_`|~-]+", "a header's name")
_FUNCTION: Final = matching(r"\S{1,170}", "a function's name")
_URL: Final = r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~%/-]*[A-Za-z0-9._~%-])?"
_PATTERN: Final = matching(
    r"[A-Za-z0-9_.*$/~\"'@:+&?-]{1,255}",
    "a path pattern of letters, digits and _-.$/~\"'@:+&, in which * and ? stand for others",
)


def _origin(value: Any) -> Any:
    if isinstance(value, str) and "://" in value:
        return matching(_URL, "a URL http(s)://HOST[:PORT][/PATH], without a / at its end, or a folder")(value)
    return path_inside(value)


def _methods(value: Any) -> Any:
    for methods in METHODS:
        if isinstance(value, list) and sorted(map(str, value)) == sorted(methods):
            return methods
    raise Invalid(f"must be one of {', '.join(str(list(methods)) for methods in METHODS)}")


@dataclass(frozen=True, kw_only=True)
class BehaviorSettings:
    """`[edge.behaviors."PATTERN"]`: the first pattern that fits a path is used, `*` when none does."""

    viewer_request: str = setting("", _FUNCTION, local="runs on each request", deployed="LambdaFunctionAssociations")
    origin_request: str = setting(
        "", _FUNCTION, local="runs when the cache has no answer", deployed="LambdaFunctionAssociations"
    )
    origin_response: str = setting(
        "", _FUNCTION, local="runs before an answer of the origin is cached", deployed="LambdaFunctionAssociations"
    )
    viewer_response: str = setting(
        "", _FUNCTION, local="runs before an answer below 400 is sent", deployed="LambdaFunctionAssociations"
    )
    include_body: tuple[str, ...] = setting(
        (),
        list_of(one_of(*REQUEST_TRIGGERS)),
        local="the triggers whose function sees the request's body",
        deployed="IncludeBody",
    )
    min_ttl: int = setting(0, whole_number(_TTL), local="the least seconds in the cache", deployed="MinTTL")
    default_ttl: int = setting(
        86_400, whole_number(_TTL), local="seconds in the cache when the origin doesn't say", deployed="DefaultTTL"
    )
    max_ttl: int = setting(31_536_000, whole_number(_TTL), local="the most seconds in the cache", deployed="MaxTTL")
    headers: tuple[str, ...] = setting(
        (),
        list_of(_HEADER, at_most=100),
        local="part of the cache key, and sent to the origin",
        deployed="HeadersConfig",
    )
    cookies: tuple[str, ...] = setting(
        (), _NAMES, local="part of the cache key, and sent to the origin; * is all", deployed="CookiesConfig"
    )
    query_strings: tuple[str, ...] = setting(
        (), _NAMES, local="part of the cache key, and sent to the origin; * is all", deployed="QueryStringsConfig"
    )
    compress: bool = setting(False, boolean, local="texts are sent with gzip", deployed="Compress")
    allowed_methods: tuple[str, ...] = setting(
        METHODS[0], _methods, local="any other is answered 403", deployed="AllowedMethods"
    )

    def function(self, trigger: str) -> str:
        """The name of a trigger's function; empty without one."""
        found: str = getattr(self, trigger.replace("-", "_"))
        return found

    def functions(self) -> Iterator[tuple[str, str]]:
        """Each trigger that has a function, with its name."""
        return ((trigger, name) for trigger in TRIGGERS if (name := self.function(trigger)))


@dataclass(frozen=True, kw_only=True)
class ErrorPageSettings:
    """`[edge.error-pages.STATUS]`: what a viewer gets instead of the origin's error."""

    path: str = setting(
        "", matching(r"/\S*", "a path of the site, /…"), local="the page's path", deployed="ResponsePagePath"
    )
    status: int | None = setting(
        None,
        whole_number(Bounds(200, 504, "(a status)")),
        local="the status; default: the error's own",
        deployed="ResponseCode",
    )
    ttl: int = setting(
        10, whole_number(_TTL), local="the least seconds that the error is cached", deployed="ErrorCachingMinTTL"
    )


@dataclass(frozen=True, kw_only=True)
class EdgeSettings:
    """`[edge]`: a distribution, which `lambdaimg edge serve` is."""

    origin: str = setting(
        "",
        _origin,
        local="where answers come from: a URL, or a folder that is served as an S3 bucket is",
        deployed="Origins: a URL as a custom origin, a folder as a bucket",
    )
    origin_headers: Mapping[str, str] = setting(
        {}, table_of(_HEADER, text), local="added to each request to the origin", deployed="OriginCustomHeaders"
    )
    default_root_object: str = setting(
        "",
        matching(r"[^/\s]\S{0,254}", "a path without a / before it"),
        local="what / stands for",
        deployed="DefaultRootObject",
    )
    distribution: str = setting(
        "EDFDVBD6EXAMPLE",
        matching(r"[A-Z0-9]{8,20}", "a distribution's id, such as EDFDVBD6EXAMPLE"),
        local="distributionId of the events",
        deployed="the distribution that `policy --edge` names",
    )
    domain: str = setting(
        "d111111abcdef8.cloudfront.net",
        matching(r"[a-z0-9.-]{1,253}", "a domain's name"),
        local="distributionDomainName of the events",
        deployed="CloudFront's choice",
    )
    behaviors: Mapping[str, BehaviorSettings] = setting(
        {},
        table_of(_PATTERN, settings_table(BehaviorSettings)),
        table=BehaviorSettings,
        local="what is done with the requests for a path",
        deployed="DefaultCacheBehavior and CacheBehaviors",
    )
    error_pages: Mapping[str, ErrorPageSettings] = setting(
        {},
        table_of(one_of(*ERROR_CODES), settings_table(ErrorPageSettings)),
        table=ErrorPageSettings,
        local="what a viewer gets instead of an error of the origin",
        deployed="CustomErrorResponses",
    )

    def associations(self) -> Iterator[tuple[str, str, str]]:
        """Each pattern, trigger and function that belong together, in the file's order."""
        for pattern, behavior in self.behaviors.items():
            yield from ((pattern, trigger, name) for trigger, name in behavior.functions())

    @property
    def is_folder(self) -> bool:
        """Whether the origin is a folder, and not a URL."""
        return "://" not in self.origin

    @property
    def function_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for _, _, name in self.associations()))
