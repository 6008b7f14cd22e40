"""Pairs of images for the rules of check: in each, the rule must hold against the first alone.

All are built in one go. Most are a few kilobytes: their files are made on a Debian base and copied onto nothing.
"""

import json
from pathlib import Path
from typing import NamedTuple

from lambdaimg.images.escape import bake_value
from lambdaimg.model.rie import binary_name
from lambdaimg.model.settings import host_architecture
from tests.integration.conftest import docker

_HOST = host_architecture()
_OTHER = "arm64" if _HOST == "x86_64" else "x86_64"
_PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
_MACHINE = {"x86_64": r"\076\000", "arm64": r"\267\000"}
"""An ELF header's e_machine, which names the architecture (bytes 18 and 19)."""

_LIBRARIES = 'cp --parents -L $(ldd /usr/bin/true | grep -o "/lib[^ ]*") .'
"""What /usr/bin/true is linked with, the dynamic linker among it."""
_FOLDERS = "var/task bin opt etc"
_SPEAKS = "printf '#!/bin/sh\\ncurl $AWS_LAMBDA_RUNTIME_API\\n' > bootstrap && chmod 755 bootstrap"


class Image(NamedTuple):
    """The root's files, made by a shell in an empty folder, and the Dockerfile's lines; or a whole Dockerfile."""

    run: str = "true"
    lines: str = ""
    dockerfile: str = ""
    architecture: str = _HOST

    def text(self, key: str) -> str:
        return self.dockerfile or f"{_TOOLS}FROM scratch\nCOPY --from=tools /made/{key} /\n{self.lines}\n"


_TOOLS = "FROM debian:trixie-slim AS tools\nCOPY make.sh /\nRUN sh -eu /make.sh\n"
"""The stage that makes the files of all images, in one step: dozens at once are too much for a small machine."""


def _other_machine(file: str) -> str:
    """A copy of a program that says it is for the other architecture."""
    return (
        f"cp /usr/bin/true {file} && printf '{_MACHINE[_OTHER]}' | dd of={file} bs=1 seek=18 conv=notrunc status=none"
    )


def _copies(count: int) -> str:
    lines = "\n".join(f"COPY --from=debian:trixie-slim /etc/hostname /{number}" for number in range(count))
    return f"FROM scratch\n{lines}\n"


_BIG = "head -c 11000000 /dev/urandom > big && touch empty"


def _hiding(key: str, file: str) -> str:
    """A Dockerfile whose second layer replaces the first one's file by an empty one."""
    copies = "".join(f"COPY --from=tools /made/{key}/{each} /file\n" for each in (file, "empty"))
    return f"{_TOOLS}FROM scratch\n{copies}"


_KEY = "key: -----BEGIN RSA PRIVATE KEY-----\\n%s\\n-----END RSA PRIVATE KEY-----" % ("MIIEpAIBAAKCAQEA" * 4)
_ENTRYPOINT = 'ENTRYPOINT ["/var/task/bootstrap"]'

PAIRS: dict[str, tuple[Image, Image]] = {
    "LI002": (Image(_BIG, dockerfile=_hiding("LI002-0", "big")), Image(_BIG)),
    "LI007": (Image(dockerfile=_copies(101)), Image(dockerfile=_copies(3))),
    "LI009": (
        Image(dockerfile="FROM scratch\nCOPY rie /rie\n", architecture=_OTHER),
        Image(dockerfile="FROM scratch\nCOPY rie /rie\n"),
    ),
    "LI010": (Image(), Image(lines=_ENTRYPOINT)),
    "LI011": (
        Image(lines=f"{_ENTRYPOINT}\nCMD app.handler"),
        Image(lines=f'{_ENTRYPOINT}\nCMD ["app.handler"]'),
    ),
    "LI012": (Image(lines='ENTRYPOINT ["/entry.sh"]'), Image(_SPEAKS, 'ENTRYPOINT ["/bootstrap"]')),
    "LI013": (
        Image(f"{_SPEAKS} && chmod 744 bootstrap", 'ENTRYPOINT ["/bootstrap"]'),
        Image(_SPEAKS, 'ENTRYPOINT ["/bootstrap"]'),
    ),
    "LI014": (
        Image("cp /usr/bin/true program && mkdir lib && touch lib/ld-musl-x86_64.so.1", 'CMD ["/program"]'),
        Image(f"cp /usr/bin/true program && {_LIBRARIES}", 'CMD ["/program"]'),
    ),
    "LI015": (
        Image("cp /usr/bin/true program", 'CMD ["/program"]'),
        Image(f"cp /usr/bin/true program && {_LIBRARIES}", 'CMD ["/program"]'),
    ),
    "LI016": (
        Image(_other_machine("program"), 'CMD ["/program"]'),
        Image("cp /usr/bin/true program", 'CMD ["/program"]'),
    ),
    "LI017": (
        Image(f"mkdir -p opt && {_other_machine('opt/native.so')}"),
        Image(f"mkdir -p opt/linux-{_OTHER} && {_other_machine(f'opt/linux-{_OTHER}/native.so')}"),
    ),
    "LI018": (Image("mkdir work && chmod 700 work", "WORKDIR /work"), Image("mkdir work", "WORKDIR /work")),
    "LI019": (Image(lines='ENTRYPOINT ["bootstrap"]'), Image(lines=_ENTRYPOINT)),
    "LI020": (Image("echo 1 > var/task/app"), Image(f"cd var/task && {_SPEAKS}")),
    "LI021": (
        Image("mkdir -p opt/awslambdaric-2.0.0.dist-info"),
        Image("mkdir -p opt/awslambdaric-4.2.2.dist-info"),
    ),
    "LI022": (Image(lines="COPY rie /usr/bin/aws-lambda-rie"), Image()),
    "LI023": (
        Image(lines='COPY rie /usr/bin/emulator\nENTRYPOINT ["/usr/bin/emulator", "/var/task/bootstrap"]'),
        Image(_SPEAKS, 'COPY rie /usr/bin/emulator\nENTRYPOINT ["/bootstrap"]'),
    ),
    "LI030": (Image(lines="USER 1000"), Image()),
    "LI031": (Image(lines="VOLUME /data"), Image()),
    "LI032": (Image(lines="EXPOSE 8080"), Image()),
    "LI033": (Image(lines="HEALTHCHECK CMD true"), Image(lines="HEALTHCHECK NONE")),
    "LI034": (Image(lines="ENV AWS_REGION=eu-central-1"), Image(lines="ENV LAMBDA_TASK_ROOT=/var/task")),
    "LI035": (Image(lines=f"ENV LONG={'x' * 4096}"), Image(lines=f"ENV LONG={'x' * 4000}")),
    "LI040": (
        Image("cd var/task && touch app.py && chmod 600 app.py"),
        Image("cd var/task && touch app.py && chmod 600 app.py && chmod -R a+rX ."),
    ),
    "LI041": (
        Image("mkdir opt/extensions && cd opt/extensions && touch watch && chmod 644 watch"),
        Image("mkdir opt/extensions && cd opt/extensions && touch watch && chmod 755 watch"),
    ),
    "LI042": (Image("cp /usr/bin/true opt/ && chmod u+s opt/true"), Image("cp /usr/bin/true opt/")),
    "LI043": (Image("ln -s ../lib/nowhere opt/link"), Image("ln -s /proc/self opt/link && ln -s ../var/task opt/task")),
    "LI044": (
        Image("mkdir -p root/.cache/pip && head -c 1100000 /dev/zero > root/.cache/pip/wheel"),
        Image("mkdir -p root/.cache/pip && head -c 9000 /dev/zero > root/.cache/pip/wheel"),
    ),
    "LI045": (
        Image("mkdir -p usr/bin && cp /usr/bin/true usr/bin/x86_64-linux-gnu-gcc-14"),
        Image("mkdir -p usr/bin && cp /usr/bin/true usr/bin/gcc-reader"),
    ),
    "LI046": (
        Image("echo 1 > var/task/app.py"),
        Image("cd var/task && echo 1 > app.py && mkdir __pycache__ && touch __pycache__/app.cpython-313.pyc"),
    ),
    "LI050": (
        Image(f"printf '{_KEY}' > key && touch empty", dockerfile=_hiding("LI050-0", "key")),
        Image("echo '-----BEGIN RSA PRIVATE KEY----- is how a key begins' > about"),
    ),
    "LI051": (Image("echo A=1 > var/task/.env"), Image("echo A=1 > var/task/.env.example")),
    "LI052": (Image(lines="ENV DATABASE_PASSWORD=correct-horse"), Image(lines="ENV PASSWORD_FILE=/run/secrets/x")),
    "LI053": (
        Image(dockerfile="FROM debian:trixie-slim\nARG API_TOKEN=correct-horse\nRUN true\n"),
        Image(dockerfile="FROM debian:trixie-slim\nARG VERSION=1\nRUN true\n"),
    ),
    "LI060": (
        Image("mkdir -p usr/bin && touch usr/bin/python3.8"),
        Image("mkdir -p usr/bin && touch usr/bin/python3.14"),
    ),
    "LI061": (
        Image("printf 'ID=debian\\nVERSION_ID=\"10\"\\n' > etc/os-release"),
        Image("printf 'ID=debian\\nVERSION_ID=\"13\"\\n' > etc/os-release"),
    ),
}  # fmt: skip


def name(prefix: str, key: str) -> str:
    """The name of an image; `key` is the rule's id, then -0 for the failing and -1 for the mended image."""
    return f"{prefix}/{key.lower()}:latest"


def build_all(prefix: str, folder: Path) -> None:
    """Builds all pairs as one graph."""
    images = {f"{rule}-{which}": image for rule, pair in PAIRS.items() for which, image in enumerate(pair)}
    emulator = Path.home() / ".aws-lambda-rie" / binary_name(_HOST)
    (folder / "rie").write_bytes(emulator.read_bytes())
    steps = (
        f"(mkdir -p /made/{key} && cd /made/{key} && mkdir -p {_FOLDERS} && {image.run})"
        for key, image in images.items()
    )
    (folder / "make.sh").write_text("\n".join(steps))
    targets = {
        key: {
            "context": str(folder),
            "dockerfile-inline": bake_value(image.text(key)),
            "tags": [name(prefix, key)],
            "platforms": [_PLATFORMS[image.architecture]],
            "output": ["type=docker"],
        }
        for key, image in images.items()
    }
    file = folder / "bake.json"
    file.write_text(json.dumps({"target": targets}))
    docker("buildx", "bake", f"--file={file}", *targets)
