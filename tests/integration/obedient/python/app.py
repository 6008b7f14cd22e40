"""Does what the event says, so that a test can ask for any end of an invocation; `INIT` says it of the init phase."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

invocations = 0


def handler(event, context):
    global invocations
    invocations += 1
    return globals()[event["do"]](event.get("with"), context)


def echo(what, context):
    return what


def count(what, context):
    """How often this process was invoked, and what lies in /tmp; a name makes a file there."""
    if what:
        Path("/tmp", what).touch()
    return {"invocations": invocations, "tmp": sorted(os.listdir("/tmp")), "process": os.getpid()}


def seen(what, context):
    client = context.client_context
    return {
        "request": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "name": context.function_name,
        "version": context.function_version,
        "memory": int(context.memory_limit_in_mb),
        "group": context.log_group_name,
        "stream": context.log_stream_name,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "remaining": context.get_remaining_time_in_millis(),
        "custom": client.custom if client else None,
        "identity": context.identity.cognito_identity_id,
        "tenant": context.tenant_id,
    }


def variables(what, context):
    return dict(os.environ)


def place(what, context):
    url = f"http://{os.environ['AWS_LAMBDA_METADATA_API']}/2026-01-15/metadata/execution-environment"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {os.environ['AWS_LAMBDA_METADATA_TOKEN']}"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def fail(what, context):
    raise ValueError("no such order")


def log(what, context):
    logging.getLogger().debug(what)
    logging.getLogger().warning(what)


def unspeakable(what, context):
    return object()


def leave(what, context):
    print("a last line", flush=True)
    os._exit(what)


def die(what, context):
    print("a last line", flush=True)
    os.kill(os.getpid(), what)
    time.sleep(60)


def segfault(what, context):
    os.kill(os.getpid(), signal.SIGSEGV)


def wait(what, context):
    print("it waits", flush=True)
    time.sleep(what)
    return "awake"


def hoard(what, context):
    """Takes MB of memory, after so many MB of files."""
    with open("/tmp/files", "wb") as file:
        for _ in range(what.get("files", 0)):
            file.write(bytes(1024 * 1024))
    return len(bytearray(os.urandom(1024)) * 1024 * what["memory"])


def large(what, context):
    return "x" * (what - 2)


def flood(what, context):
    """Prints so many MB."""
    line = "x" * 1023 + "\n"
    for _ in range(what * 1024):
        sys.stdout.write(line)
    sys.stdout.flush()
    return "flooded"


def abandon(what, context):
    """Leaves children, and a grandchild whose parent has gone."""
    forever = [sys.executable, "-c", "import time; time.sleep(600)"]
    subprocess.Popen(forever)
    orphans = f"import subprocess; subprocess.Popen({forever!r})"
    subprocess.run([sys.executable, "-c", orphans], check=True)
    processes = [entry for entry in os.listdir("/proc") if entry.isdigit()]
    return {"processes": len(processes), "zombies": sum(map(is_zombie, processes))}


def is_zombie(process):
    try:
        return Path("/proc", process, "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def once(name):
    """Whether it is the first time in this environment."""
    mark = Path("/tmp", name)
    first = not mark.exists()
    mark.touch()
    return first


match os.environ.get("INIT", ""):
    case "raises":
        raise ValueError("no init")
    case "raises once" if once("raised"):
        raise ValueError("no init")
    case "exits":
        print("the init phase prints", flush=True)
        os._exit(3)
    case "exits once" if once("exited"):
        os._exit(0)
    case "segfaults":
        os.kill(os.getpid(), signal.SIGSEGV)
    case "sleeps":
        time.sleep(60)
    case "sleeps once" if once("slept"):
        time.sleep(60)
