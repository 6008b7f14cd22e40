"""Rules on the files of the function: rights, links, and what should have stayed behind."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator

from lambdaimg.images.inspection.facts import CAPABILITIES, Entry
from lambdaimg.images.rules import documents
from lambdaimg.images.rules.rule import Finding, Needs, StaticRule, Subject

_MIB = 1024 * 1024
_FOLDERS = ("/var/task", "/var/runtime", "/opt", "/app", "/function", "/usr/src/app")
"""Where functions lie: Lambda's own folders, and those of AWS's and the language images' documentation."""
_SEARCHED = ("PYTHONPATH", "NODE_PATH", "GEM_PATH", "CLASSPATH", "LAMBDA_TASK_ROOT")
_SYSTEM = ("/", "/bin", "/sbin", "/lib", "/etc", "/usr", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/local/bin", "/var",
           "/dev", "/proc", "/sys", "/run", "/home", "/usr/local", "/usr/local/lib", "/root")  # fmt: skip
_MADE_AT_RUN = ("/proc", "/dev", "/sys", "/run", "/tmp", "/var/run")  # noqa: S108
_CACHES = ("/var/lib/apt/lists", "/var/cache/apt", "/var/cache/apk", "/etc/apk/cache", "/var/cache/dnf",
           "/var/cache/yum", "/var/cache/pacman", "/root/.cache", "/root/.npm", "/root/.m2", "/root/.gradle",
           "/root/.cargo/registry", "/root/.nuget", "/root/go/pkg/mod", "/usr/local/share/.cache")  # fmt: skip
_COMPILERS = re.compile(r"cc1|cc1plus|clang(?:-\d+)?|rustc|cmake|(?:\w+-)+g(?:cc|\+\+)-\d+|gcc|g\+\+")
_GO = re.compile(r"/usr/(?:local|lib)/go(?:-[\d.]+)?/bin/go")
_WITHOUT_BYTECODE = 0.1
"""The part of the sources that may lack bytecode: packages bring files that don't compile."""


def folders(subject: Subject) -> list[str]:
    """The folders in which the function and its dependencies lie."""
    environment = subject.configuration.environment
    searched = [folder for name in _SEARCHED for folder in environment.get(name, "").split(":")]
    named = [posixpath.dirname(word) for word in subject.process if word.startswith("/")]
    own = [folder.rstrip("/") for folder in (subject.configuration.working_directory, *searched, *named)]
    candidates = [*_FOLDERS, *(folder for folder in own if folder.startswith("/") and folder not in _SYSTEM)]
    return sorted({real for folder in candidates if (real := subject.tree.resolve(folder)) not in ("", *_SYSTEM)})


def _mode(entry: Entry) -> str:
    return f"{'folder' if entry.kind == 'd' else 'file'} with mode {entry.mode & 0o7777:04o}"


def _within(subject: Subject) -> Iterator[Entry]:
    """The function's files and folders, those in which they lie among them."""
    own = folders(subject)
    yield from (entry for folder in own if (entry := subject.tree.entries.get(folder)))
    yield from subject.tree.under(own)


def _unreadable(subject: Subject) -> Iterator[Finding]:
    for entry in _within(subject):
        wanted = {"f": 0o004, "d": 0o005}.get(entry.kind, 0)
        if entry.mode & wanted != wanted:
            yield Finding(entry.path, _mode(entry))


def _not_runnable(subject: Subject) -> Iterator[Finding]:
    for entry in _within(subject):
        may_not = entry.kind == "f" and not entry.mode & 0o001
        if may_not and (entry.mode & 0o100 or posixpath.dirname(entry.path) == "/opt/extensions"):
            yield Finding(entry.path, _mode(entry))


def _privileged(subject: Subject) -> Iterator[Finding]:
    for entry in (*_within(subject), *subject.tree.under(["/usr/local"])):
        if entry.kind == "f" and entry.mode & 0o6000:
            yield Finding(entry.path, _mode(entry))
        elif entry.mode & CAPABILITIES:
            yield Finding(entry.path, "has capabilities of its own")


def _dangling(subject: Subject) -> Iterator[Finding]:
    for entry in _within(subject):
        if entry.kind == "l" and not subject.tree.resolve(entry.path):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), entry.target))
            if not f"{target}/".startswith(tuple(f"{folder}/" for folder in _MADE_AT_RUN)):
                yield Finding(entry.path, f"leads to {entry.target}, which is not there")


def _caches(subject: Subject) -> Iterator[Finding]:
    for folder in _CACHES:
        size = sum(entry.size for entry in subject.tree.under([folder]))
        if size >= _MIB:
            yield Finding(folder, f"holds {size / _MIB:.0f} MB")


def _compilers(subject: Subject) -> Iterator[Finding]:
    for entry in subject.tree.entries.values():
        is_program = entry.kind == "f" and entry.mode & 0o001 and not entry.path.startswith("/usr/share/")
        if is_program and (_COMPILERS.fullmatch(posixpath.basename(entry.path)) or _GO.fullmatch(entry.path)):
            yield Finding(entry.path, f"{entry.size / _MIB:.1f} MB")


def _without_bytecode(subject: Subject) -> Iterator[Finding]:
    sources: Counter[str] = Counter()
    lacking: Counter[str] = Counter()
    own = folders(subject)
    for entry in subject.tree.under(own):
        if entry.kind == "f" and entry.path.endswith(".py") and entry.size:
            folder = max((each for each in own if entry.path.startswith(each + "/")), key=len)
            sources[folder] += 1
            lacking[folder] += not _has_bytecode(subject, entry.path)
    for folder, count in sources.items():
        if lacking[folder] > count * _WITHOUT_BYTECODE:
            yield Finding(folder, f"{lacking[folder]} of {count} Python files have no bytecode beside them")


def _has_bytecode(subject: Subject, path: str) -> bool:
    folder, name = posixpath.split(path)
    beginning = f"{name.removesuffix('.py')}.cpython-"
    compiled = subject.tree.names(posixpath.join(folder, "__pycache__"))
    return any(each.startswith(beginning) for each in compiled)


_RIGHTS = "Lambda runs the function as a user that you don't choose, and that is not root."

RULES: tuple[StaticRule, ...] = (
    StaticRule(
        id="LI040",
        title="Anybody may read the function's files",
        severity="fail",
        needs=Needs.FILES,
        why=f"{_RIGHTS} Files need mode 644, folders 755.",
        document=documents.IMAGES,
        remedy="RUN chmod -R a+rX on the folder, or COPY --chmod=755.",
        find=_unreadable,
    ),
    StaticRule(
        id="LI041",
        title="Anybody may run the function's programs",
        severity="warn",
        needs=Needs.FILES,
        why=f"{_RIGHTS} Programs and extensions need mode 755.",
        document=documents.IMAGES,
        remedy="RUN chmod a+rx on the program.",
        find=_not_runnable,
    ),
    StaticRule(
        id="LI042",
        title="The function has no programs with privileges of their own",
        severity="warn",
        needs=Needs.FILES,
        why="Lambda grants no privileges: the set-uid and set-gid bits and file capabilities have no effect there.",
        document=documents.IMAGES,
        remedy="Do without, and remove the bits (chmod ug-s, setcap -r).",
        find=_privileged,
    ),
    StaticRule(
        id="LI043",
        title="The function's symbolic links lead somewhere",
        severity="warn",
        needs=Needs.FILES,
        why="A link into a stage or a machine that the image is not made of leads nowhere.",
        document=documents.PRACTICES,
        remedy="Copy what the link leads to (cp -L), or remove it.",
        find=_dangling,
    ),
    StaticRule(
        id="LI044",
        title="No package manager's cache is left behind",
        severity="warn",
        needs=Needs.FILES,
        why="It makes the image larger and is never read (1 MB or more here).",
        document=documents.PRACTICES,
        remedy="Remove it in the RUN step that makes it, or mount it: RUN --mount=type=cache,target=…",
        find=_caches,
    ),
    StaticRule(
        id="LI045",
        title="No compiler is left behind",
        severity="warn",
        needs=Needs.FILES,
        why="Compilers take much room, and an intruder's work is easier with them.",
        document=documents.PRACTICES,
        remedy="Compile in one stage, and copy the result into another.",
        find=_compilers,
    ),
    StaticRule(
        id="LI046",
        title="Python's bytecode is in the image",
        severity="warn",
        needs=Needs.FILES,
        why="Lambda's root is read-only: without __pycache__ in the image every cold start compiles all modules anew.",
        document=documents.IMAGES,
        remedy="RUN python3 -m compileall -q --invalidation-mode unchecked-hash on the folder.",
        find=_without_bytecode,
    ),
)
