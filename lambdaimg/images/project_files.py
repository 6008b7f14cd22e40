"""All files of a project, rendered: what `render` writes, to be kept and edited."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Final

from lambdaimg.images.bake import bake_file
from lambdaimg.images.compose import compose_file
from lambdaimg.images.plan import Plan
from lambdaimg.images.render import render
from lambdaimg.images.secrets import build_secrets

FORMATS: Final = ("bake", "compose")


def project_files(
    plans: Sequence[Plan],
    folder: str,
    process_of: Callable[[Plan], tuple[str, ...]],
    container_names: bool,
    formats: Collection[str] = FORMATS,
) -> dict[str, str]:
    """The text of each file, by name, for the folder (relative to the project's) in which they will stand."""
    rendered = [(plan, render(plan, folder)) for plan in plans]
    secrets = build_secrets(plans[0].project)
    files = {name: text for _, one in rendered for name, text in one.files.items()}
    if "bake" in formats:
        bake = bake_file([(plan, one.dockerfile) for plan, one in rendered], secrets)
        files["bake.json"] = json.dumps(bake, indent=2) + "\n"
    if "compose" in formats:
        files["compose.yaml"] = compose_file(
            [(plan, one.dockerfile, process_of(plan)) for plan, one in rendered],
            secrets,
            path=f"{folder}/compose.yaml",
            container_names=container_names,
        )
    return files
