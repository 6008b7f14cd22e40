"""From a plan to texts: Dockerfile, ignore file, and what stands beside them. Same plan, same bytes; no engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError

from lambdaimg import resources
from lambdaimg.engine import labels
from lambdaimg.images.escape import json_form, label, quoted, shell_word
from lambdaimg.images.plan import Plan, TemplatePlan, entrypoint_of
from lambdaimg.model.errors import ProjectError
from lambdaimg.model.settings import host_architecture


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """The files of one function, by name; they are written into one folder."""

    dockerfile: str
    """The name of the Dockerfile among them, or the path of the user's own in the context."""
    files: Mapping[str, str]


def render(plan: Plan, folder: str) -> Rendered:
    """The files of a function that will stand in `folder`, a path relative to the context (the project's folder).

    Raises ProjectError with file and line when a template of the user's own is wrong.
    """
    settings = plan.function.settings
    if plan.template is None:
        return Rendered(dockerfile=settings.dockerfile, files={})
    name = f"{plan.function.name}.Dockerfile"
    generated = plan.template.dependencies.generated
    dependency_files = [*plan.template.dependencies.files, *(f"{folder}/{file}" for file in generated)]
    context = _context(plan, plan.template, dependency_files)
    return Rendered(
        dockerfile=f"{folder}/{name}",
        files={
            name: _text(plan, settings.template or f"{settings.language}/Dockerfile.j2", context),
            f"{name}.dockerignore": _text(plan, "dockerignore.j2", context),
            **generated,
        },
    )


def _context(plan: Plan, template: TemplatePlan, dependency_files: Sequence[str]) -> dict[str, Any]:
    function, build = plan.function, plan.project.build
    return {
        "project": {"name": plan.project.name},
        "function": {
            "name": function.name,
            "source": function.source,
            "handler": plan.handler,
            "packages": tuple(sorted(function.settings.packages)),
            "build_packages": tuple(sorted(function.settings.build_packages)),
        },
        "architecture": plan.architecture,
        "language": template.language.title,
        "base": template.base,
        "builder": _builder(template, plan.architecture),
        "runtime": template.runtime,
        "ric": template.ric,
        "entrypoint": entrypoint_of(template),
        "dependencies": {
            "kind": template.dependencies.kind,
            "files": dependency_files,
            "compiled": template.dependencies.compiled,
        },
        "build": {"args": sorted(build.args), "secrets": sorted(build.secrets)},
        "layers": plan.project.layers_of(function),
        "ignore": template.language.ignore,
        "labels": sorted(_image_labels(plan, template).items()),
    }


def _builder(template: TemplatePlan, architecture: str) -> dict[str, Any]:
    """Where stages are built. A language's own builder runs on the building machine's architecture, whatever the
    image's, and compiles for that: it `crosses` where the two differ."""
    builder = template.language.builder
    return {
        "image": template.builder,
        "runtime": template.language.runtime(template.builder),
        "packages": builder.packages if builder else (),
        "crosses": builder is not None and architecture != host_architecture(),
    }


def _image_labels(plan: Plan, template: TemplatePlan) -> dict[str, str]:
    return {
        "org.opencontainers.image.title": plan.function.name,
        "org.opencontainers.image.base.name": template.base.reference,
        **marks(plan),
    }


def marks(plan: Plan) -> dict[str, str]:
    """The labels by which lambdaimg knows its images again."""
    return {labels.PROJECT: plan.project.name, labels.FUNCTION: plan.function.name}


def _text(plan: Plan, template: str, context: Mapping[str, Any]) -> str:
    try:
        return _jinja(plan.project.root).get_template(template).render(context)
    except TemplateSyntaxError as error:
        raise ProjectError(
            f"{error.name or template}:{error.lineno}: {error.message}", remedy="mend the template"
        ) from None
    except _Refused as refused:
        raise ProjectError(f"{plan.function.name}: {refused.message}") from None
    except (TemplateError, ValueError, TypeError, AttributeError) as error:
        raise ProjectError(
            f"{plan.function.name}: can't render {template}: {error}", remedy="mend the template"
        ) from None


@cache
def _jinja(root: Path) -> Environment:
    """Templates are looked for in the project first, then among ours, which they may extend."""
    environment = Environment(  # noqa: S701 - Dockerfiles, not HTML; each value goes through the filter of its place
        loader=FileSystemLoader([root, resources.templates()]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["raise"] = _raise
    environment.filters.update(json=json_form, label=label, quoted=quoted, shell=shell_word)
    return environment


class _Refused(TemplateError):
    """What a template can't do for a function or its base; it is no fault of the template."""


def _raise(message: str) -> NoReturn:
    """For templates: `raise("…")`."""
    raise _Refused(message)
