"""The secrets of a build: certificates, package managers' configuration, tokens. Mounted, never kept in an image."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdaimg.model.errors import UsageError
from lambdaimg.model.project import Project
from lambdaimg.model.settings import SecretSource

_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")


@dataclass(frozen=True, kw_only=True)
class Secret:
    """One secret of a build: an id, and the file or environment variable it comes from."""

    id: str
    source: SecretSource

    @property
    def option(self) -> str:
        """As buildx takes it; a value never stands in it."""
        return f"id={self.id},env={self.source.env}" if self.source.env else f"id={self.id},src={self.source.file}"


def build_secrets(project: Project, environment: Mapping[str, str] = os.environ) -> tuple[Secret, ...]:
    """All secrets of a project's builds, sorted by id.

    Raises UsageError, for all of them at once, where the file or variable that the project names is not there.
    """
    build = project.build
    sources = {
        "ca": _file(project, build.ca_bundle) or ca_bundle(environment),
        "pip-config": _file(project, build.pip_config) or _users_own(environment, "PIP_CONFIG_FILE", _PIP_CONFIGS),
        "npm-config": _file(project, build.npm_config) or _users_own(environment, "NPM_CONFIG_USERCONFIG", (".npmrc",)),
        **{name: _resolved(project, source) for name, source in build.secrets.items()},
    }
    found = [Secret(id=name, source=source) for name, source in sorted(sources.items()) if source is not None]
    _check(found, environment)
    return tuple(found)


def ca_bundle(environment: Mapping[str, str] = os.environ) -> SecretSource | None:
    """The extra CA certificates that this machine's own tools are told to trust, if any."""
    return _first_file(environment, _CA_VARIABLES)


_PIP_CONFIGS = (".config/pip/pip.conf", ".pip/pip.conf")


def _file(project: Project, path: str) -> SecretSource | None:
    return SecretSource(file=str(project.root / Path(path).expanduser())) if path else None


def _resolved(project: Project, source: SecretSource) -> SecretSource:
    return source if source.env else SecretSource(file=str(project.root / Path(source.file).expanduser()))


def _first_file(environment: Mapping[str, str], names: tuple[str, ...]) -> SecretSource | None:
    """The file that the first of the set variables names."""
    named = next((environment[name] for name in names if environment.get(name)), "")
    return SecretSource(file=named) if named and Path(named).is_file() else None


def _users_own(environment: Mapping[str, str], variable: str, files: tuple[str, ...]) -> SecretSource | None:
    """The user's own configuration of a package manager, if there is one."""
    home = Path(environment.get("HOME", "~")).expanduser()
    for candidate in (environment.get(variable, ""), *(str(home / file) for file in files)):
        if candidate and Path(candidate).is_file():
            return SecretSource(file=candidate)
    return None


def _check(secrets: list[Secret], environment: Mapping[str, str]) -> None:
    missing = [
        f"{secret.id}: the variable {secret.source.env} is not set"
        if secret.source.env
        else f"{secret.id}: there is no file {secret.source.file}"
        for secret in secrets
        if (secret.source.env not in environment if secret.source.env else not Path(secret.source.file).is_file())
    ]
    if missing:
        raise UsageError(
            "the build's secrets are not all there: " + "; ".join(missing), remedy="see [build] in the project file"
        )
