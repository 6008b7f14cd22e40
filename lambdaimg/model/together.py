"""Which settings of one function Lambda takes only together, and which it refuses together."""

from collections.abc import Iterator

from lambdaimg.model.settings import FunctionSettings


def together(settings: FunctionSettings) -> Iterator[tuple[str, str]]:
    """What is wrong between a function's settings: a key, and what to say of it."""
    vpc, files, logging = settings.vpc, settings.file_system, settings.logging
    if vpc and bool(vpc.subnet_ids) != bool(vpc.security_group_ids):
        yield "vpc", "needs both subnet-ids and security-group-ids, or neither"
    if files and not (files.access_point and files.mount_path):
        yield "file-system", "needs both access-point and mount-path"
    if files and not (vpc and vpc.subnet_ids):
        yield "file-system", "is reached from inside a VPC alone: it needs vpc.subnet-ids"
    if logging and logging.format == "Text" and (logging.level or logging.system_level):
        yield "logging", 'has a level, which the format "Text" does not know: set format = "JSON"'
    yield from _concurrency(settings.reserved_concurrency, settings.provisioned_concurrency)


def _concurrency(reserved: int | None, provisioned: int | None) -> Iterator[tuple[str, str]]:
    if reserved is not None and provisioned is not None and provisioned > reserved:
        yield "provisioned-concurrency", f"must be at most reserved-concurrency, {reserved}, not {provisioned}"
