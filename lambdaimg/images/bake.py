"""The bake file: all functions as targets of one graph, for `docker buildx bake`."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdaimg.engine.container import PLATFORMS
from lambdaimg.images.escape import bake_value
from lambdaimg.images.plan import Plan, secrets_for
from lambdaimg.images.render import marks
from lambdaimg.images.secrets import Secret


def bake_file(plans: Sequence[tuple[Plan, str]], secrets: Sequence[Secret]) -> dict[str, Any]:
    """The data for functions and their Dockerfiles (paths in the context). It runs from the project's folder."""
    built = [(plan, dockerfile) for plan, dockerfile in plans if plan.function.is_built]
    targets = {plan.function.name: _target(plan, dockerfile, secrets) for plan, dockerfile in built}
    return {"group": {"default": {"targets": list(targets)}}, "target": targets}


def _target(plan: Plan, dockerfile: str, secrets: Sequence[Secret]) -> dict[str, Any]:
    build = plan.project.build
    target: dict[str, Any] = {
        "context": ".",
        "dockerfile": bake_value(dockerfile),
        "tags": [plan.project.image(plan.function)],
        "platforms": [PLATFORMS[plan.architecture]],
        "output": ["type=docker"],
        # Lambda rejects the image index that attestations make.
        "attest": ["type=provenance,disabled=true", "type=sbom,disabled=true"],
        "labels": _escaped(marks(plan)),
    }
    for key, caches in (("cache-from", build.cache_from), ("cache-to", build.cache_to)):
        if caches:  # a cache is one function's own: two that write one would replace each other's
            target[key] = [bake_value(cache.replace("{function}", plan.function.name.lower())) for cache in caches]
    if build.args:
        target["args"] = _escaped(build.args)
    if mounted := secrets_for(plan, secrets):
        target["secret"] = [bake_value(secret.option) for secret in mounted]
    if build.network != "default":
        target["network"] = build.network
    return target


def _escaped(values: Mapping[str, str]) -> dict[str, str]:
    return {key: bake_value(value) for key, value in sorted(values.items())}
