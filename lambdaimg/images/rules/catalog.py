"""All static rules, by their ids. An id is never used again for another rule."""

from lambdaimg.images.rules import client, configuration, files, lifetimes, manifest, process, secrecy
from lambdaimg.images.rules.rule import StaticRule

STATIC_RULES: tuple[StaticRule, ...] = tuple(
    sorted(
        (
            *manifest.RULES,
            *configuration.RULES,
            *process.RULES,
            *client.RULES,
            *files.RULES,
            *secrecy.RULES,
            *lifetimes.RULES,
        ),
        key=lambda rule: rule.id,
    )
)
