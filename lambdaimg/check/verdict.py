"""The verdict on an image: a row for each rule, and whether the image is fit for Lambda."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from lambdaimg.check.trial import Figures, Trial, figures_of
from lambdaimg.images.inspection.facts import ImageFacts
from lambdaimg.images.rules.rule import SOURCES, Finding, Needs, Rule, Subject
from lambdaimg.model.errors import UsageError
from lambdaimg.model.suggest import did_you_mean

_LARGEST_FOLDERS: Final = 10
State = Literal["pass", "warn", "fail", "known", "not visible here"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one rule says of one image. `known` are the findings that the baseline accepts."""

    rule: Rule[Any]
    state: State
    findings: tuple[Finding, ...] = ()
    known: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Size:
    """What makes an image big, in bytes: all layers together, the ten largest folders, what later layers hide."""

    total: int
    layers: int
    largest: tuple[tuple[str, int], ...]
    hidden: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All rows of one image, in the order of the rules' ids. `name` is the function's, or the image's.

    `figures` are what a trial measured.
    """

    name: str
    image: str
    rows: tuple[Row, ...]
    size: Size
    figures: Figures | None = None

    @property
    def fit(self) -> bool:
        return all(row.state != "fail" for row in self.rows)


def judge(name: str, subject: Subject, rules: Iterable[Rule[Any]], trial: Trial | None = None) -> Verdict:
    """Asks every rule that can look at this image; the dynamic ones look at a trial of it."""
    rows = tuple(_row(rule, subject, trial) for rule in rules)
    figures = figures_of(trial) if trial is not None else None
    return Verdict(name=name, image=subject.image.name, rows=rows, size=_size(subject.image), figures=figures)


def _size(image: ImageFacts) -> Size:
    return Size(
        total=image.size,
        layers=len(image.configuration.layers),
        largest=tuple(image.tree.largest(_LARGEST_FOLDERS)),
        hidden=sum(image.tree.hidden.values()),
    )


def _row(rule: Rule[Any], subject: Subject, trial: Trial | None) -> Row:
    looked_at = trial if rule.needs is Needs.RUN else subject if _visible(rule, subject) else None
    found = rule.find(looked_at) if looked_at is not None else None
    if found is None:
        return Row(rule=rule, state="not visible here")
    findings = tuple(found)
    return Row(rule=rule, state=rule.severity if findings else "pass", findings=findings)


def _visible(rule: Rule[Any], subject: Subject) -> bool:
    if rule.needs is Needs.FILES and subject.image.layers is None:
        return False
    return subject.image.source in SOURCES[rule.needs]


def chosen(rules: Sequence[Rule[Any]], select: Iterable[str], ignore: Iterable[str]) -> list[Rule[Any]]:
    """The rules whose ids begin with one of `select` (all without it), less those that begin with one of `ignore`.

    Raises UsageError for what no rule's id begins with.
    """
    wanted, unwanted = tuple(select), tuple(ignore)
    for word in (*wanted, *unwanted):
        if not any(rule.id.startswith(word) for rule in rules):
            near = did_you_mean(word, [rule.id for rule in rules])
            raise UsageError(f"no rule's id begins with {word!r}", remedy=near or "docs/reference/rules.md lists them")
    return [
        rule
        for rule in rules
        if (not wanted or rule.id.startswith(wanted)) and not (unwanted and rule.id.startswith(unwanted))
    ]


def accept(verdict: Verdict, known: Iterable[tuple[str, str, str]]) -> Verdict:
    """The verdict without the findings that a baseline accepts: (name, rule's id, where)."""
    accepted = set(known)
    return replace(verdict, rows=tuple(_accepted(row, verdict.name, accepted) for row in verdict.rows))


def _accepted(row: Row, name: str, accepted: set[tuple[str, str, str]]) -> Row:
    known = tuple(finding for finding in row.findings if (name, row.rule.id, finding.where) in accepted)
    new = tuple(finding for finding in row.findings if finding not in known)
    state = row.state if new or not known else "known"
    return replace(row, state=state, findings=new, known=known)
