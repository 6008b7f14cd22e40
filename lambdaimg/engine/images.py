"""The engine's images."""

from collections.abc import Mapping, Sequence
from typing import IO, Any, Final

from docker.errors import APIError, ImageNotFound, NotFound

from lambdaimg.engine.container import PLATFORMS
from lambdaimg.engine.records import Image, Login
from lambdaimg.engine.sdk import PIECE, Connected, as_file, labelled, translated
from lambdaimg.model.errors import EngineError, RegistryRefused

ARCHITECTURES: Final = {"amd64": "x86_64", "arm64": "arm64"}
"""Lambda's names for the engine's."""


class Images(Connected):
    """What an engine does with images."""

    def image(self, reference: str) -> Image | None:
        """The image of that name or id, if the engine has it."""
        with translated():
            try:
                found = self._client.inspect_image(reference)  # type: ignore[no-untyped-call]
            except (ImageNotFound, NotFound):
                return None
        config = found.get("Config") or {}
        return Image(
            id=found["Id"],
            size=found["Size"],
            architecture=ARCHITECTURES.get(found["Architecture"], found["Architecture"]),
            entrypoint=tuple(config.get("Entrypoint") or ()),
            command=tuple(config.get("Cmd") or ()),
            environment=dict(entry.partition("=")[::2] for entry in config.get("Env") or ()),
            labels=config.get("Labels") or {},
        )

    def configuration(self, image: str) -> dict[str, Any]:
        """An image's configuration as an object of the OCI image spec. Raises EngineError without such an image."""
        with translated():
            found = self._client.inspect_image(image)  # type: ignore[no-untyped-call]
            steps = self._client.history(image)  # type: ignore[no-untyped-call]
        return {
            "architecture": found["Architecture"],
            "os": found["Os"],
            "config": found.get("Config") or {},
            "rootfs": {"diff_ids": (found.get("RootFS") or {}).get("Layers") or []},
            "history": [{"created_by": step.get("CreatedBy") or ""} for step in reversed(steps)],
        }

    def save(self, image: str) -> IO[bytes]:
        """What `docker save` writes, as a stream to be closed. Read errors are EngineError and EngineUnavailable."""
        return as_file(self._client.get_image(image, chunk_size=PIECE))

    def pull(self, reference: str, architecture: str) -> None:
        """Pulls an image. Raises EngineError with the registry's answer when it can't be had."""
        name, tag = _name_and_tag(reference)
        with translated():
            for event in self._client.pull(name, tag, stream=True, decode=True, platform=PLATFORMS[architecture]):
                if "error" in event:
                    raise EngineError(event["error"])

    def digest(self, reference: str) -> str:
        """What a registry has under a reference now, without pulling it. Raises EngineError when it can't be asked."""
        with translated():
            found: dict[str, Any] = self._client.inspect_distribution(reference)  # type: ignore[no-untyped-call]
        return str(found["Descriptor"]["digest"])

    def tag(self, image: str, reference: str) -> None:
        name, tag = _name_and_tag(reference)
        with translated():
            self._client.tag(image, name, tag)

    def push(self, reference: str, login: Login | None = None) -> str:
        """Pushes an image to the registry that its name begins with; returns the manifest's digest.

        A `login` travels in the request's header, so that it is in no file and no process list; without one the
        docker program's own logins are used. Raises RegistryRefused with the registry's words.
        """
        name, tag = _name_and_tag(reference)
        credentials = {"username": login.username, "password": login.password} if login else None
        digest = ""
        with translated():
            for event in self._client.push(name, tag, auth_config=credentials, stream=True, decode=True):
                if "error" in event:
                    raise RegistryRefused(str(event["error"]))
                digest = event.get("aux", {}).get("Digest", digest)
        if not digest:
            raise RegistryRefused("the engine named no digest")
        return digest

    def import_root(self, root: IO[bytes], reference: str, changes: Sequence[str]) -> None:
        """Makes an image of one layer out of a tar stream of a root file system."""
        name, tag = _name_and_tag(reference)
        with translated():
            self._client.import_image_from_data(root, name, tag, list(changes))

    def remove_image(self, image: str) -> bool:
        """Removes an image unless something uses it; says whether it is gone."""
        with translated():
            try:
                self._client.remove_image(image)
            except (ImageNotFound, NotFound):
                return True
            except APIError as error:
                if error.status_code != 409:  # a container uses it, or it has another name
                    raise
                return False
        return True

    def images(self, wanted: Mapping[str, str], *, dangling: bool | None = None) -> list[str]:
        """The ids of the images with these labels; `dangling` ones are those that no name points to any more."""
        filters: dict[str, Any] = labelled(wanted)
        if dangling is not None:
            filters["dangling"] = dangling
        with translated():
            return [found["Id"] for found in self._client.images(filters=filters)]

    def any_image(self, architecture: str) -> str | None:
        """The id of some image of an architecture, the smallest; None when there is none."""
        with translated():
            found = sorted(self._client.images(), key=lambda entry: int(entry["Size"]))
        ids = (str(entry["Id"]) for entry in found)
        return next((id for id in ids if (image := self.image(id)) and image.architecture == architecture), None)


def _name_and_tag(reference: str) -> tuple[str, str | None]:
    """`host:5000/a/b:tag` → (`host:5000/a/b`, `tag`); a digest counts as the tag, as the API wants it."""
    name, at, digest = reference.partition("@")
    if at:
        return name, digest
    head, colon, tag = name.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (name, "latest")
