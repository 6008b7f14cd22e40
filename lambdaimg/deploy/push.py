"""Pushing functions' images: the engine pushes what the registry lacks, under a tag made from the content."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lambdaimg.deploy import ecr
from lambdaimg.deploy.aws import Aws
from lambdaimg.engine.client import Engine
from lambdaimg.engine.records import Image, Login
from lambdaimg.model import quotas
from lambdaimg.model.errors import ImageUnfit, RegistryRefused, UsageError
from lambdaimg.model.project import Function, Project

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Where images go. `login` is None where the docker program's own logins hold; `aws` is there for ECR."""

    host: str
    login: Login | None = None
    aws: Aws | None = None


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """An image in a registry."""

    function: str
    repository: str
    tag: str
    digest: str

    @property
    def image(self) -> str:
        """The reference that never means another image."""
        return f"{self.repository}@{self.digest}"


def elastic_registry(aws: Aws, project: Project, say: Say, *, make: bool = True) -> Registry:
    """The account's ECR, with the project's repository in it, which is made (`make`) if it is missing."""
    if make and ecr.ensure_repository(aws, project.name):
        say(f"made the repository {project.name} in {aws.region}")
    host, login = ecr.login(aws)
    return Registry(host=host, login=login, aws=aws)


def tag_of(function: Function, image: Image, *, with_rie: bool) -> str:
    """`hello-0123456789ab`: the function's name, and the beginning of the image's configuration's digest."""
    return f"{function.name}-{'rie-' if with_rie else ''}{image.id.removeprefix('sha256:')[:12]}"


@dataclass(frozen=True, kw_only=True)
class Pusher:
    """Pushes a project's images to one registry; `with_rie`: those with the emulator in them."""

    engine: Engine
    project: Project
    registry: Registry
    say: Say
    with_rie: bool = False

    def push(self, functions: Sequence[Function]) -> Iterator[Pushed]:
        """Pushes the functions' built images, one after the other; all are looked at before the first goes out.

        Raises UsageError for an image that is not built, ImageUnfit for one that Lambda would refuse for its size,
        and RegistryRefused.
        """
        images = [(function, self._image(function)) for function in functions]
        for function, image in images:
            yield self._push(function, image)

    def references(self, functions: Sequence[Function]) -> dict[str, str]:
        """What `push` would name the images of: by digest where they are there already, else by tag."""
        return {function.name: self._reference(function, self._image(function)) for function in functions}

    def _reference(self, function: Function, image: Image) -> str:
        tag = tag_of(function, image, with_rie=self.with_rie)
        digest = self._digest(tag)
        return f"{self._repository}@{digest}" if digest else f"{self._repository}:{tag}"

    @property
    def _repository(self) -> str:
        return f"{self.registry.host}/{self.project.name}"

    def _digest(self, tag: str) -> str:
        return ecr.digest_of(self.registry.aws, self.project.name, tag) if self.registry.aws else ""

    def _image(self, function: Function) -> Image:
        name = self.project.rie_image(function) if self.with_rie else self.project.image(function)
        image = self.engine.image(name)
        if image is None:
            flag = " --with-rie" if self.with_rie else ""
            raise UsageError(f"{name} is not built", remedy=f"lambdaimg build {function.name}{flag}, and test it")
        if image.architecture != function.architecture:
            raise ImageUnfit(
                f"{name} is {image.architecture}, and {function.name} is {function.architecture}",
                remedy="set architecture, or build the image for it",
            )
        if image.size > quotas.IMAGE_BYTES:
            raise ImageUnfit(
                f"{name} has {image.size / 1e9:.1f} GB uncompressed; Lambda takes {quotas.IMAGE_BYTES / 1e9:.1f} GB",
                remedy="leave out what the function does not need: `docker history` shows which step is large",
            )
        return image

    def _push(self, function: Function, image: Image) -> Pushed:
        tag = tag_of(function, image, with_rie=self.with_rie)
        there = self._digest(tag)
        if not there:
            self.say(f"{function.name}: pushing {self._repository}:{tag}")
        digest = there or self._send(image, f"{self._repository}:{tag}")
        return Pushed(function=function.name, repository=self._repository, tag=tag, digest=digest)

    def _send(self, image: Image, reference: str) -> str:
        with _named(self.engine, image.id, reference):
            try:
                return self.engine.push(reference, self.registry.login)
            except RegistryRefused as refused:
                what = f"{self.registry.host} did not take {reference}: {refused.what}"
                raise RegistryRefused(what, remedy=remedy_of(refused.what, self.registry)) from None


@contextmanager
def _named(engine: Engine, image: str, reference: str) -> Iterator[None]:
    """The registry's name for an image, which it has only while it is pushed."""
    engine.tag(image, reference)
    try:
        yield
    finally:
        engine.remove_image(reference)


def remedy_of(said: str, registry: Registry) -> str:
    """What to do about a registry's refusal, by the words of the engine and the distribution protocol."""
    words = said.lower()
    if "expired" in words:
        return "the login has expired: run it again"
    if any(word in words for word in ("unauthorized", "denied", "no basic auth", "authentication required")):
        own = f"docker login {registry.host}"
        return "`lambdaimg policy --push` prints what is needed" if registry.aws else own
    if "immutable" in words or "cannot be overwritten" in words:
        return "the tag is taken by another image: delete that one, or push to another repository"
    if "x509" in words or "certificate" in words:
        return f"give the engine the registry's CA: /etc/docker/certs.d/{registry.host}/ca.crt"
    return "check the registry's name, and that the engine reaches it"
