"""The verdict in SARIF 2.1.0, for code scanning services."""

from collections.abc import Sequence
from typing import Any

from lambdaimg import __version__
from lambdaimg.check.verdict import Row, Verdict
from lambdaimg.images.rules.rule import Rule
from lambdaimg.model.errors import UsageError

try:
    from sarif_pydantic import (
        ArtifactLocation,
        Level,
        Location,
        LogicalLocation,
        Message,
        PhysicalLocation,
        ReportingConfiguration,
        ReportingDescriptor,
        Result,
        Run,
        Sarif,
        Tool,
        ToolDriver,
    )
except ImportError:
    raise UsageError("--sarif needs an extra", remedy="pip install 'lambdaimg[sarif]'") from None

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"fail": Level.ERROR, "warn": Level.WARNING}


def as_sarif(verdicts: Sequence[Verdict]) -> str:
    """A SARIF log of one run: a result for each finding, at the path in the image."""
    rules = {row.rule.id: row.rule for verdict in verdicts for row in verdict.rows}
    driver = ToolDriver(name="lambdaimg", version=__version__, rules=[_descriptor(rule) for rule in rules.values()])
    results = [result for verdict in verdicts for row in verdict.rows for result in _results(verdict, row)]
    log = Sarif(schema_uri=_SCHEMA, version="2.1.0", runs=[Run(tool=Tool(driver=driver), results=results)])
    return str(log.model_dump_json(by_alias=True, exclude_none=True, indent=2))


def _descriptor(rule: Rule[Any]) -> ReportingDescriptor:
    return ReportingDescriptor(
        id=rule.id,
        short_description=Message(text=rule.title),
        full_description=Message(text=f"{rule.why} ({rule.document})"),
        help=Message(text=rule.remedy),
        default_configuration=ReportingConfiguration(level=_LEVELS[rule.severity]),
    )


def _results(verdict: Verdict, row: Row) -> list[Result]:
    return [
        Result(
            rule_id=row.rule.id,
            level=_LEVELS[row.rule.severity],
            message=Message(text=f"{row.rule.title}: {finding.where} {finding.what}. {row.rule.remedy}"),
            locations=[_location(verdict, finding.where)],
            partial_fingerprints={"finding/v1": f"{verdict.name} {row.rule.id} {finding.where}"},
        )
        for finding in row.findings
    ]


def _location(verdict: Verdict, where: str) -> Location:
    """A path of the image, relative as code scanning wants it; what is no path is named beside the image."""
    place = ArtifactLocation(uri=where.lstrip("/") if where.startswith("/") else verdict.name)
    return Location(
        physical_location=PhysicalLocation(artifact_location=place),
        logical_locations=[LogicalLocation(fully_qualified_name=f"{verdict.image} {where}")],
    )
