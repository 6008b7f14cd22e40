"""The AWS credentials that a function sees, if it is given any: at run time, in its environment, nowhere else."""

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

from lambdaimg.model.environment import DUMMY_CREDENTIALS
from lambdaimg.model.errors import UsageError
from lambdaimg.model.suggest import did_you_mean

_KEYS = tuple(DUMMY_CREDENTIALS)
_REQUIRED = _KEYS[:2]


def credentials(choice: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables for `none` (there are none), `env` or `profile:NAME`.

    Raises UsageError when the choice is none of these, or the credentials are not there.
    """
    if choice == "none":
        return {}
    if choice == "env":
        return _from_environment(environment)
    kind, _, name = choice.partition(":")
    if kind == "profile" and name:
        return _from_profile(name, environment)
    raise UsageError(f"--credentials {choice!r} is not known", remedy="none, env or profile:NAME")


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    missing = [key for key in _REQUIRED if not environment.get(key)]
    if missing:
        raise UsageError(f"--credentials env: {' and '.join(missing)} not set", remedy="set them, or use profile:NAME")
    return {key: environment[key] for key in _KEYS if environment.get(key)}


def _from_profile(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Static keys of the shared credentials file; a profile that has to be asked of AWS is exported first."""
    named = environment.get("AWS_SHARED_CREDENTIALS_FILE")
    file = Path(named or "~/.aws/credentials").expanduser()
    profiles = configparser.RawConfigParser()
    try:
        profiles.read_string(file.read_text("utf-8"), str(file))
    except (OSError, UnicodeDecodeError, configparser.Error):  # an error's text could hold a key
        raise UsageError(f"can't read the AWS credentials in {file}") from None
    if name not in profiles:
        known = profiles.sections()
        raise UsageError(
            f"{file} has no profile {name!r}",
            remedy=did_you_mean(name, known) or f"it has {', '.join(known) or 'none'}",
        )
    found = {key: profiles[name].get(key.lower(), "") for key in _KEYS}
    if not all(found[key] for key in _REQUIRED):
        raise UsageError(
            f"the profile {name!r} holds no keys of its own",
            remedy='export them first: eval "$(aws configure export-credentials --format env)", then --credentials env',
        )
    return {key: value for key, value in found.items() if value}
