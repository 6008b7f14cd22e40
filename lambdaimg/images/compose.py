"""The compose file: each function under the RIE and in the sandbox, for `docker compose up --build` alone."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from lambdaimg.engine.container import PLATFORMS
from lambdaimg.images.escape import compose_value
from lambdaimg.images.plan import Plan, secrets_for
from lambdaimg.images.render import marks
from lambdaimg.images.secrets import Secret
from lambdaimg.model import rie
from lambdaimg.model.environment import lambda_variables, rie_variables
from lambdaimg.model.sandbox import CPU_PERIOD, HOSTNAME, sandbox_of

FIRST_PORT: Final = 9_000
DEFAULT_ENV_FILE: Final = ".docker.env"

_HEADER: Final = """\
# Made by `lambdaimg render`. Start with:  docker compose -f {file} up --build
# Each function answers on its port:       {curl}
# The Runtime Interface Emulator must be in ~/.aws-lambda-rie (`lambdaimg rie install`).
"""

_LISTENS: Final = (
    "for table in /proc/net/tcp /proc/net/tcp6; do while read -r _ address _ state _; do "
    f'case "$address $state" in *:{rie.PORT:04X}" 0A") exit 0;; esac; done < "$table"; done; exit 1'
)
"""Whether the RIE listens, by the shell alone and without an invocation (0A is TCP_LISTEN)."""


def compose_file(
    plans: Sequence[tuple[Plan, str, Sequence[str]]], secrets: Sequence[Secret], *, path: str, container_names: bool
) -> str:
    """The YAML text for functions, their Dockerfiles (paths in the context) and their processes.

    `path` is where it will stand, relative to the project's folder; paths in it are relative to it.
    """
    project = plans[0][0].project
    up = "/".join([".."] * path.count("/")) or "."
    services = {
        plan.function.name: _service(plan, dockerfile, process, secrets, up) for plan, dockerfile, process in plans
    }
    if container_names:
        for name, service in services.items():
            service["container_name"] = f"{project.name}-{name}"
    data: dict[str, Any] = {"name": project.name.replace(".", "-"), "services": services}
    built = [plan for plan, _, _ in plans if plan.function.is_built]
    used = {secret.id: _secret(secret) for plan in built for secret in secrets_for(plan, secrets)}
    if used:
        data["secrets"] = dict(sorted(used.items()))
    first = next(iter(services.values()))["ports"][0].rpartition(":")[0]
    header = _HEADER.format(file=path, curl=f"curl http://{first}{rie.INVOKE_PATH} -d '{{}}'")
    return header + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)


def _service(plan: Plan, dockerfile: str, process: Sequence[str], secrets: Sequence[Secret], up: str) -> dict[str, Any]:
    port = FIRST_PORT + plan.project.functions.index(plan.function)
    settings = plan.function.settings
    return {
        **({"build": _build(plan, dockerfile, secrets, up)} if plan.function.is_built else {}),
        "image": plan.project.image(plan.function),
        "platform": PLATFORMS[plan.architecture],
        "entrypoint": [f"{rie.MOUNT_POINT}/{rie.binary_name(plan.architecture)}"],
        "command": [compose_value(word) for word in process],
        "environment": _environment(plan),
        "env_file": [{"path": f"{up}/{settings.env_file or DEFAULT_ENV_FILE}", "required": bool(settings.env_file)}],
        "ports": [f"127.0.0.1:{port}:{rie.PORT}"],
        "volumes": [
            {
                "type": "bind",
                "source": f"~/{rie.HOME_FOLDER}",
                "target": rie.MOUNT_POINT,
                "read_only": True,
                "bind": {"create_host_path": False},
            }
        ],
        **({"working_dir": compose_value(settings.working_directory)} if settings.working_directory else {}),
        **_sandbox(plan),
        "healthcheck": {
            "test": ["CMD-SHELL", compose_value(_LISTENS)],
            "interval": "1s",
            "timeout": "5s",
            "retries": 30,
        },
        "labels": {key: compose_value(value) for key, value in marks(plan).items()},
    }


def _build(plan: Plan, dockerfile: str, secrets: Sequence[Secret], up: str) -> dict[str, Any]:
    build, mounted = plan.project.build, secrets_for(plan, secrets)
    return {
        "context": up,
        "dockerfile": dockerfile,
        **({"args": {key: compose_value(value) for key, value in sorted(build.args.items())}} if build.args else {}),
        **({"network": build.network} if build.network != "default" else {}),
        **({"secrets": [secret.id for secret in mounted]} if mounted else {}),
        "labels": {key: compose_value(value) for key, value in marks(plan).items()},
    }


def _environment(plan: Plan) -> dict[str, str]:
    """The function's own variables and Lambda's. Credentials belong in the env file, which this would go before."""
    own = {
        **lambda_variables(plan.project, plan.function),
        **plan.function.settings.environment,
        **rie_variables(plan.function),
    }
    return {key: compose_value(value) for key, value in sorted(own.items())}


def _sandbox(plan: Plan) -> dict[str, Any]:
    """Lambda's sandbox. Compose can set the processor share only from the start, so it holds in the init phase too."""
    sandbox = sandbox_of(plan.function.settings)
    return {
        "hostname": HOSTNAME,
        "read_only": sandbox.read_only_root,
        "tmpfs": [f"/tmp:{sandbox.tmpfs_options}"],  # noqa: S108 - the container's
        "user": sandbox.user,
        "cap_drop": ["ALL"] if sandbox.no_capabilities else [],
        "security_opt": [f"no-new-privileges:{str(sandbox.no_new_privileges).lower()}"],
        "mem_limit": sandbox.memory,
        "memswap_limit": sandbox.memory,
        "cpu_period": CPU_PERIOD,
        "cpu_quota": sandbox.cpu_quota,
        "pids_limit": sandbox.processes,
        "ulimits": {"nofile": {"soft": sandbox.file_descriptors, "hard": sandbox.file_descriptors}},
    }


def _secret(secret: Secret) -> Mapping[str, str]:
    return {"environment": secret.source.env} if secret.source.env else {"file": compose_value(secret.source.file)}
