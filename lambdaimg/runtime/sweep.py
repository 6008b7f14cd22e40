"""Removing what was left in the engine: by processes that died, or, for `clean`, by anyone."""

from dataclasses import dataclass

from lambdaimg.engine import labels
from lambdaimg.engine.client import Engine
from lambdaimg.model.project import Project


def sweep(engine: Engine) -> int:
    """Removes what was made by processes that have died; returns how much. What is a living process's stays."""
    left = [each for each in engine.containers({labels.OWNER: ""}) if labels.owner_is_dead(each.labels)]
    for container in left:
        engine.remove(container.id)
    volumes = [each for each in engine.volumes({labels.OWNER: ""}) if labels.owner_is_dead(each.labels)]
    for volume in volumes:
        engine.remove_volume(volume.name)
    networks = [each for each in engine.networks({labels.OWNER: ""}) if labels.owner_is_dead(each.labels)]
    for network in networks:
        engine.remove_network(network.name)
    return len(left) + len(volumes) + len(networks)


def sweep_own(engine: Engine) -> None:
    """Removes this process's containers and volumes: it has failed to where the engine was away meanwhile."""
    own = {labels.OWNER: str(labels.this_process())}
    for container in engine.containers(own):
        engine.remove(container.id)
    for volume in engine.volumes(own):
        engine.remove_volume(volume.name)


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """How many of each were removed."""

    containers: int
    networks: int
    volumes: int
    images: int


def clean(engine: Engine, project: Project, *, images: bool) -> Cleaned:
    """Removes all that was made for a project, of whichever process; `images` too when asked."""
    mine = {labels.PROJECT: project.name, labels.PATH: project.path_hash}
    containers = engine.containers(mine)
    for container in containers:
        engine.remove(container.id)
    networks, volumes = engine.networks(mine), engine.volumes(mine)
    for network in networks:
        engine.remove_network(network.name)
    for volume in volumes:
        engine.remove_volume(volume.name)
    return Cleaned(
        containers=len(containers),
        networks=len(networks),
        volumes=len(volumes),
        images=_remove_images(engine, project) if images else 0,
    )


def _remove_images(engine: Engine, project: Project) -> int:
    built = [function for function in project.functions if function.is_built]
    names = [name(function) for function in built for name in (project.rie_image, project.image)]
    named = [name for name in names if engine.image(name) is not None]
    nameless = engine.images({labels.PROJECT: project.name}, dangling=True)
    return sum(engine.remove_image(image) for image in (*named, *nameless))
