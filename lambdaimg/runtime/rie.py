"""The Runtime Interface Emulator's binary: where it is, and how it gets there, pinned and checked."""

import hashlib
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from lambdaimg.engine import programs
from lambdaimg.model import rie
from lambdaimg.model.errors import ProgramMissing, RemoteError, UsageError
from lambdaimg.model.files import write_whole

VARIABLE: Final = "LAMBDAIMG_RIE"
"""Names a binary to use instead of the one in the user's home."""

PACKAGE: Final = "aws-sam-cli"
PACKAGE_VERSION: Final = "1.170.0"
"""AWS's SAM CLI ships both binaries in its wheel, so that the user's own package mirror is enough to get them."""

_IN_PACKAGE: Final = {
    "x86_64": "samcli/local/rapid/aws-lambda-rie-x86_64",
    "arm64": "samcli/local/rapid/aws-lambda-rie-arm64",
}
_SHA256: Final = {
    "x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    "arm64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
}
_RELEASE: Final = "https://github.com/aws/aws-lambda-runtime-interface-emulator/releases/download/v{version}/{name}"
_PATIENCE: Final = 600.0
"""Seconds for a download of 8 MB, over whatever mirror the user has."""

Say = Callable[[str], None]


def path(architecture: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the binary for an architecture is, or would be."""
    if named := environment.get(VARIABLE):
        return Path(named).expanduser().resolve()
    return Path(environment.get("HOME", "~")).expanduser() / rie.HOME_FOLDER / rie.binary_name(architecture)


def ensure(architecture: str, say: Say) -> Path:
    """The binary, fetched if it is not there yet.

    Raises UsageError when LAMBDAIMG_RIE names no file, RemoteError when it can't be fetched.
    """
    binary = path(architecture)
    if binary.is_file():
        return binary
    if os.environ.get(VARIABLE):
        raise UsageError(f"{VARIABLE} names {binary}, which is not there", remedy=f"correct or unset {VARIABLE}")
    say(f"fetching the Runtime Interface Emulator for {architecture}")
    return install(architecture)


def install(architecture: str) -> Path:
    """Fetches the pinned binary out of AWS's SAM CLI package, through pip, and so from the user's own mirror."""
    with tempfile.TemporaryDirectory(prefix="lambdaimg-") as folder:
        wheel = _download(Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            return place(archive.read(_IN_PACKAGE[architecture]), architecture, _SHA256[architecture])


def _download(folder: Path) -> Path:
    command = ["download", "--quiet", "--no-deps", "--only-binary=:all:", f"--dest={folder}"]
    said = ""
    for pip in ([sys.executable, "-m", "pip"], ["pip"], ["pip3"]):
        try:
            done = programs.run([*pip, *command, f"{PACKAGE}=={PACKAGE_VERSION}"], timeout=_PATIENCE)
        except ProgramMissing:
            continue
        if done.code == 0:
            return next(folder.glob("*.whl"))
        said = said or " ".join(done.last_lines[-1:])
    raise RemoteError(
        f"pip can't download {PACKAGE} {PACKAGE_VERSION}, which holds the emulator: {said or 'there is no pip'}",
        remedy="`lambdaimg rie install --from FILE`, or --version with --sha256 for AWS's release",
    )


def install_release(architecture: str, version: str, sha256: str) -> Path:
    """Fetches a release of AWS's. Raises RemoteError when it can't be had or is not what `sha256` says."""
    return install_from(_RELEASE.format(version=version, name=rie.binary_name(architecture)), architecture, sha256)


def install_from(source: str, architecture: str, sha256: str) -> Path:
    """Takes the binary from a file or a URL; what comes over the network needs its hash.

    Raises UsageError for a file that can't be read or a missing hash, RemoteError for a failed download.
    """
    if not source.startswith(("https://", "http://")):
        try:
            return place(Path(source).expanduser().read_bytes(), architecture, sha256)
        except OSError as error:
            raise UsageError(f"can't read {source}: {error.strerror}", remedy="name a file or a URL") from None
    if not sha256:
        raise UsageError("a download needs the hash it must have", remedy="add --sha256 with the release's SHA-256")
    import requests

    try:
        answer = requests.get(source, timeout=60)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise RemoteError(f"can't download {source}: {error}", remedy="check the address and the network") from None
    return place(answer.content, architecture, sha256)


def place(content: bytes, architecture: str, sha256: str) -> Path:
    """Puts the binary where it belongs, in one step. Raises RemoteError when it doesn't have its hash."""
    found = hashlib.sha256(content).hexdigest()
    if sha256 and found != sha256.lower():
        raise RemoteError(f"the emulator has SHA-256 {found}, not {sha256}", remedy="it was not installed")
    if not content.startswith(b"\x7fELF"):
        raise UsageError("that is not a Linux program", remedy="the emulator's binary is needed, not an archive of it")
    target = path(architecture, {key: value for key, value in os.environ.items() if key != VARIABLE})
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, content, 0o755)
    return target
