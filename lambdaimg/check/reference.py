"""The reference page of all rules, made of the rules."""

from collections.abc import Iterable
from typing import Final

from lambdaimg.images.rules.rule import SOURCES, Rule

_BEGINNING: Final = """\
# Rules of `lambdaimg check`

Made of the rules themselves. A rule that fails makes `check` exit with 4; a warning does not. `--select` and
`--ignore` take ids, or their beginnings (`LI05`); `--baseline` accepts what is known.
"""


def page(rules: Iterable[Rule]) -> str:
    """The page, in Markdown."""
    return "\n".join([_BEGINNING, *map(_section, rules)])


def _section(rule: Rule) -> str:
    return (
        f"## {rule.id}: {rule.title}\n\n"
        f"{rule.severity} · looks at {rule.needs.value} · visible in {', '.join(SOURCES[rule.needs])}\n\n"
        f"{rule.why}\n\n"
        f"Remedy: {rule.remedy}\n\n"
        f"Source: {rule.document}.\n"
    )
