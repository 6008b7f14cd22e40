"""The dynamic rules, on what a trial of an image shows; and all rules together."""

import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lambdaimg.check.trial import SLOW_INIT_MS, Trial, Try, figures_of
from lambdaimg.images.rules import documents
from lambdaimg.images.rules.catalog import STATIC_RULES
from lambdaimg.images.rules.rule import Finding, Needs, Rule
from lambdaimg.model import quotas
from lambdaimg.model.invocation import Invocation, error_of

DynamicRule = Rule[Trial]

_READ_ONLY = re.compile(r"(?i)read-only file system|EROFS")
_DENIED = re.compile(r"(?i)permission denied|EACCES")
_NOT_PERMITTED = re.compile(r"(?i)operation not permitted|EPERM")
_PATH = re.compile(r"(/[\w.@+-]+(?:/[\w.@+-]+)*)")
_NOT_THE_FUNCTIONS_OWN = ("Runtime.", "Sandbox.", "Function.")
"""Beginnings of error types that say that the function was not reached, or could not answer."""
_NO_WRITES = re.compile(
    r"/(?:tmp|dev|proc|sys|run)(?:/.*)?|/etc/(?:hosts|hostname|resolv\.conf|mtab)|.*/docker-init|.*/__pycache__/.*"
)
"""Where a write is allowed, or is the engine's own; bytecode that is missing is another rule's."""
_MOST_MEMORY = 0.9
_MANY_DESCRIPTORS = 800
_MORE_DESCRIPTORS = 10
_BY_SIGTERM = (0, 143, 130)
"""Codes of a process that SIGTERM ends: by its own will, or by the signal."""


def _errors(tried: Try) -> str:
    """All that an environment said and answered, in which an error's text may be."""
    payloads = [answer.payload.decode("utf-8", "replace") for answer in tried.answers if answer.function_error]
    return "\n".join((*tried.log, *payloads))


def _failed(answer: Invocation) -> str:
    """Lambda's type of an error that kept the function from answering; empty for an answer, an error of its own too."""
    kind = answer.report.error_type if answer.report else ""
    if answer.report and answer.report.status == "timeout":
        return "Sandbox.Timedout"
    return kind if kind.startswith(_NOT_THE_FUNCTIONS_OWN) else ""


def _message(answer: Invocation) -> str:
    """What an answer that is an error says, in one line."""
    error = error_of(answer.payload) or {}
    return " ".join(str(error.get("errorMessage") or error.get("errorType") or "no message").split())[:300]


def _init(trial: Trial) -> Iterator[Finding]:
    """What failed is said by the first invocation, in which Lambda begins the init phase again."""
    first = trial.bound.answers[0]
    if trial.bound.init_error:
        again = f": {_message(first)}" if first.function_error else ", but not within the first invocation"
        yield Finding("init phase", f"{trial.bound.init_error}{again}")


def _answers(trial: Trial) -> Iterator[Finding]:
    first = trial.bound.answers[0]
    if kind := _failed(first):
        yield Finding("first invocation", f"{kind}: {_message(first)}")


def _lines_with(pattern: re.Pattern[str], tried: Try) -> Iterator[Finding]:
    """The paths in lines that fit a pattern, each once."""
    seen = set()
    for line in _errors(tried).splitlines():
        if pattern.search(line):
            path = next(iter(_PATH.findall(line)), "log") if not line.startswith("{") else _path_in_error(line)
            if path not in seen:
                seen.add(path)
                yield Finding(path, " ".join(line.split())[:200])


def _path_in_error(payload: str) -> str:
    """The path in an error's message, not one of its stack trace."""
    return next(iter(_PATH.findall(str(json.loads(payload).get("errorMessage", "")))), "answer")


def _refused_writes(trial: Trial) -> Iterator[Finding]:
    return _lines_with(_READ_ONLY, trial.bound)


def _silent_writes(trial: Trial) -> Iterable[Finding] | None:
    """The innermost of what was written: a folder is changed by what is written into it."""
    if trial.written is None:
        return None
    folders = {posixpath.dirname(path) for path in trial.written}
    innermost = (path for path in trial.written if path not in folders and not _NO_WRITES.fullmatch(path))
    return [Finding(path, "is written where the root is not read-only") for path in innermost]


def _sandbox_matters(trial: Trial) -> bool:
    """Whether the function works outside the sandbox alone."""
    within = not trial.bound.answers[0].function_error and not trial.bound.init_error
    return not within and not trial.unbound.answers[0].function_error and not trial.unbound.init_error


def _needs_root(trial: Trial) -> Iterable[Finding]:
    if not _sandbox_matters(trial):
        return ()
    denied = tuple(_lines_with(_DENIED, trial.bound))
    explained = denied or tuple(_refused_writes(trial)) or tuple(_lines_with(_NOT_PERMITTED, trial.bound))
    return denied if explained else (Finding("first invocation", _message(trial.bound.answers[0])),)


def _needs_capability(trial: Trial) -> Iterable[Finding]:
    return _lines_with(_NOT_PERMITTED, trial.bound) if _sandbox_matters(trial) else ()


def _memory(trial: Trial) -> Iterator[Finding]:
    figures = figures_of(trial)
    if figures.max_memory_used > figures.memory * _MOST_MEMORY:
        yield Finding("memory", f"{figures.max_memory_used} of {figures.memory} MB: set {figures.advised_memory}")


def _descriptors(trial: Trial) -> Iterable[Finding] | None:
    looks = [each for each in trial.inside if each is not None]
    if len(looks) < len(trial.inside):
        return None
    most, grown = looks[-1].descriptors, looks[-1].descriptors - looks[-2].descriptors
    if most > _MANY_DESCRIPTORS:
        return (Finding("descriptors", f"{most} are open; Lambda allows {quotas.FILE_DESCRIPTORS}"),)
    if grown >= _MORE_DESCRIPTORS:
        return (Finding("descriptors", f"{grown} more are open after the second invocation than after the first"),)
    return ()


def _leftovers(trial: Trial) -> Iterable[Finding] | None:
    before, after = trial.inside[:2]
    if before is None or after is None:
        return None
    names = Counter(process.name for process in after.processes)
    names.subtract(process.name for process in before.processes)
    return [Finding(name[:100], f"{count} left running by an invocation") for name, count in names.items() if count > 0]


def _warm(trial: Trial) -> Iterator[Finding]:
    first, second = trial.bound.answers
    if second.function_error and not first.function_error:
        yield Finding("second invocation", _message(second))


def _sigterm(trial: Trial) -> Iterator[Finding]:
    if trial.code is None:
        yield Finding("SIGTERM", "does not end it within 2 s")
    elif trial.code not in _BY_SIGTERM:
        yield Finding("SIGTERM", f"ends it with code {trial.code}")


def _slow_init(trial: Trial) -> Iterator[Finding]:
    took = trial.bound.init_ms
    if took is not None and took > SLOW_INIT_MS:
        loaded = "".join(f", {name} {ms:.0f} ms" for name, ms in trial.loaded)
        yield Finding("init phase", f"{took:.0f} ms{loaded}")


DYNAMIC_RULES: Sequence[DynamicRule] = (
    DynamicRule(
        id="LI101",
        title="It is initialised within 10 s",
        severity="fail",
        needs=Needs.RUN,
        find=_init,
        why="Until then the runtime must have asked for the first event. Otherwise Lambda ends it and begins again "
        "within the first invocation, at the caller's cost.",
        document=documents.LIFECYCLE,
        remedy="See the log for what failed; load less, or later, where it is too slow.",
    ),
    DynamicRule(
        id="LI102",
        title="It answers an event",
        severity="fail",
        needs=Needs.RUN,
        find=_answers,
        why="A function that is not reached, ends or hangs gives its caller one of Lambda's own errors.",
        document=documents.TROUBLESHOOTING,
        remedy="See the log: lambdaimg invoke. Give an event that the function knows with --event.",
    ),
    DynamicRule(
        id="LI103",
        title="Nothing fails for want of a writable root",
        severity="fail",
        needs=Needs.RUN,
        find=_refused_writes,
        why="Lambda's root is read-only, but for /tmp.",
        document=documents.IMAGES,
        remedy="Write to /tmp: set HOME, and the variables that name caches, to folders there.",
    ),
    DynamicRule(
        id="LI104",
        title="It writes to /tmp alone",
        severity="warn",
        needs=Needs.RUN,
        find=_silent_writes,
        why="Without the sandbox the function wrote elsewhere. In Lambda that fails, or is silently left undone.",
        document=documents.IMAGES,
        remedy="Write to /tmp, or make the file when the image is built.",
    ),
    DynamicRule(
        id="LI105",
        title="It does not need root",
        severity="fail",
        needs=Needs.RUN,
        find=_needs_root,
        why="It works as root, and not in the sandbox: Lambda runs it as a user with few rights.",
        document=documents.IMAGES,
        remedy="Let anybody read what it needs (chmod -R a+rX), and write to /tmp.",
    ),
    DynamicRule(
        id="LI106",
        title="It does not need a capability",
        severity="fail",
        needs=Needs.RUN,
        find=_needs_capability,
        why="It works with root's capabilities, and not in the sandbox: Lambda grants none.",
        document=documents.IMAGES,
        remedy="Do without mount, chown, raw sockets, ports below 1024 and the like.",
    ),
    DynamicRule(
        id="LI107",
        title="A tenth of the memory stays free",
        severity="warn",
        needs=Needs.RUN,
        find=_memory,
        why="Memory over the setting ends the runtime. More memory also brings more of a processor.",
        document=documents.QUOTAS,
        remedy="Set memory to what is advised.",
    ),
    DynamicRule(
        id="LI108",
        title="Descriptors are closed",
        severity="warn",
        needs=Needs.RUN,
        find=_descriptors,
        why="An environment has 1,024 of them, and is invoked again and again.",
        document=documents.QUOTAS,
        remedy="Close files and connections, or keep one outside the handler.",
    ),
    DynamicRule(
        id="LI109",
        title="No process is left behind",
        severity="warn",
        needs=Needs.RUN,
        find=_leftovers,
        why="What an invocation leaves running is frozen with the environment, goes on in the next invocation, and "
        "counts towards its 1,024 processes.",
        document=documents.LIFECYCLE,
        remedy="Wait for child processes, or end them, before the handler returns.",
    ),
    DynamicRule(
        id="LI110",
        title="A second invocation works as the first",
        severity="fail",
        needs=Needs.RUN,
        find=_warm,
        why="Lambda invokes the same environment again: what the first invocation leaves is still there.",
        document=documents.PRACTICES,
        remedy="Don't close or use up in the handler what is made outside it.",
    ),
    DynamicRule(
        id="LI111",
        title="SIGTERM ends it without an error",
        severity="warn",
        needs=Needs.RUN,
        find=_sigterm,
        why="Lambda sends it before it ends an environment with extensions, and kills what stays for 2 s.",
        document=documents.LIFECYCLE,
        remedy="End with code 0 on SIGTERM, or leave it to its default.",
    ),
    DynamicRule(
        id="LI112",
        title="It is initialised within 2 s",
        severity="warn",
        needs=Needs.RUN,
        find=_slow_init,
        why="Every cold start waits for it.",
        document=documents.PRACTICES,
        remedy="Import what is slow where it is first used; leave out what is not needed; set more memory.",
    ),
)

ALL_RULES: tuple[Rule[Any], ...] = (*STATIC_RULES, *DYNAMIC_RULES)
