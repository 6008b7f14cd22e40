"""The project as Knative services: the same images on Kubernetes, each request an invocation under the RIE."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from lambdaimg.model import quotas, rie
from lambdaimg.model.environment import lambda_variables
from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Function, Project
from lambdaimg.model.sandbox import USER

_MAXIMUM_TIMEOUT: Final = 600
"""Seconds that a cluster allows unless it is told otherwise (Knative's `max-revision-timeout-seconds`)."""
_NAME: Final = 63
"""Characters of a Kubernetes name that becomes a host's (RFC 1035)."""

_HEADER: Final = """\
# Made by `lambdaimg export --format knative`. The images hold the emulator (`lambdaimg build --with-rie`).
# What differs from Lambda:
# - A request that finds max-scale pods busy waits in Knative's queue; Lambda refuses it (429, throttled).
# - An invocation is a POST of its event to {path}
#   of the service. The emulator answers 200 to a function's error, with errorType in the body, and 200 with plain
#   text to a timeout.
# - Nobody is asked for credentials, so a service is reached from inside the cluster alone, unless url.auth is "NONE".
# - The function has the credentials of its pod (a service account's identity), not those of an execution role.
# - Triggers, destinations, retries, VPC and logs are the cluster's to give (Knative Eventing, network policies).
"""


def manifest(project: Project, functions: Sequence[Function], images: Mapping[str, str]) -> str:
    """The YAML text: a Service for each function. `images` are references, for the local name of `build --with-rie`.

    Raises UsageError, before anything is made, for what Knative has no equal of.
    """
    _check(functions)
    services = [_service(project, function, images) for function in functions]
    notes = "".join(f"# {note}\n" for function in functions for note in _notes(function))
    return (
        _HEADER.format(path=rie.INVOKE_PATH)
        + notes
        + yaml.safe_dump_all(services, sort_keys=False, width=120, allow_unicode=True, explicit_start=True)
    )


def _check(functions: Sequence[Function]) -> None:
    seen: dict[str, str] = {}
    for function in functions:
        name = service_name(function)
        if function.settings.reserved_concurrency == 0:
            raise UsageError(
                f"{function.name}: reserved-concurrency = 0 stops a function, and Knative has no equal: "
                'max-scale "0" means without limit there',
                remedy="leave the function out of the export (name the others), or delete its Service",
            )
        if len(name) > _NAME or not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name):
            raise UsageError(
                f"{function.name}: {name!r} can't be a Kubernetes service's name",
                remedy=f"it begins with a letter, ends with a letter or digit, and has at most {_NAME} characters",
            )
        if seen.setdefault(name, function.name) != function.name:
            raise UsageError(f"{seen[name]} and {function.name} are both {name} in Kubernetes", remedy="rename one")


def service_name(function: Function) -> str:
    return function.name.lower().replace("_", "-")


def _notes(function: Function) -> list[str]:
    if function.settings.timeout <= _MAXIMUM_TIMEOUT:
        return []
    return [
        f"{function.name}: a timeout over {_MAXIMUM_TIMEOUT} s needs max-revision-timeout-seconds in the cluster's "
        "config-defaults."
    ]


def _service(project: Project, function: Function, images: Mapping[str, str]) -> dict[str, Any]:
    name, url = service_name(function), function.settings.url
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": project.name}
    visibility = {} if url and url.auth == "NONE" else {"networking.knative.dev/visibility": "cluster-local"}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {**labels, **visibility}},
        "spec": {
            "template": {
                "metadata": {"labels": labels, **_scale(function)},
                "spec": _pod(project, function, images.get(function.name) or project.rie_image(function)),
            }
        },
    }


def _scale(function: Function) -> dict[str, Any]:
    settings = function.settings
    bounds = {"min-scale": settings.provisioned_concurrency, "max-scale": settings.reserved_concurrency}
    found = {f"autoscaling.knative.dev/{name}": str(count) for name, count in bounds.items() if count}
    return {"annotations": found} if found else {}


def _pod(project: Project, function: Function, image: str) -> dict[str, Any]:
    settings = function.settings
    return {
        "containerConcurrency": 1,  # overlapping requests crash the emulator
        "timeoutSeconds": settings.timeout,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [_container(project, function, image)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": f"{settings.ephemeral_storage}Mi"}}],
    }


def _container(project: Project, function: Function, image: str) -> dict[str, Any]:
    settings = function.settings
    variables = {**settings.environment, **lambda_variables(project, function)}
    limits = {"cpu": f"{_millicores(settings.memory)}m", "memory": f"{settings.memory}Mi"}
    user, _, group = USER.partition(":")
    return {
        "name": "function",
        "image": image,
        "ports": [{"containerPort": rie.PORT}],
        "env": [{"name": key, "value": value.replace("$(", "$$(")} for key, value in sorted(variables.items())],
        **_secrets(function),
        "resources": {"limits": limits, "requests": dict(limits)},
        "readinessProbe": {"tcpSocket": {"port": rie.PORT}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsGroup": int(group),
            "runAsNonRoot": True,
            "runAsUser": int(user),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - the container's
    }


def _secrets(function: Function) -> dict[str, Any]:
    """The env file's variables come from a Secret that the user makes: their values don't belong into a manifest."""
    if not function.settings.env_file:
        return {}
    return {"envFrom": [{"secretRef": {"name": f"{service_name(function)}-env"}}]}


def _millicores(memory: int) -> int:
    """Lambda's share of processors for a memory of MB, in thousandths."""
    return max(1, memory * 1_000 // quotas.MEMORY_PER_VCPU)
