"""Rules on what Lambda starts: entrypoint and command, the first program, what the kernel and the linker need."""

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatch

from lambdaimg.images.rules import documents
from lambdaimg.images.rules.linking import missing_libraries
from lambdaimg.images.rules.rule import Finding, Needs, StaticRule, Subject

_SHELL = ("/bin/sh", "-c")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where the container runtime looks without PATH."""
_OF_ARCHITECTURES = ("*arm64*", "*aarch64*", "*x86_64*", "*x86-64*", "*amd64*", "*x64*", "*armv*", "*i386*", "*ia32*")
"""Folders and files that are named for an architecture, as packages that bring several have them."""


def program_of(subject: Subject) -> str:
    """The path of the first program, as it is looked for; empty where nothing is found."""
    if not subject.process:
        return ""
    name = subject.process[0]
    if "/" in name:
        return posixpath.join(subject.configuration.working_directory, name)
    for folder in subject.configuration.environment.get("PATH", _PATH).split(":"):
        if subject.tree.find(path := posixpath.join(folder, name)):
            return path
    return ""


def _entrypoint(subject: Subject) -> Iterator[Finding]:
    if not subject.process:
        yield Finding("ENTRYPOINT", "neither ENTRYPOINT nor CMD is set")


def _exec_form(subject: Subject) -> Iterator[Finding]:
    entrypoint, command = subject.configuration.entrypoint, subject.configuration.command
    if entrypoint and command[:2] == _SHELL:
        yield Finding("CMD", f"is in shell form: the entrypoint gets {command[0]!r} as the handler")
    if entrypoint[:2] == _SHELL and command:
        yield Finding("ENTRYPOINT", "is in shell form: CMD does not reach the program")


def _absolute(subject: Subject) -> Iterator[Finding]:
    if subject.process and not subject.process[0].startswith("/"):
        yield Finding("ENTRYPOINT", f"begins with {subject.process[0]!r}")


def _there(subject: Subject) -> Iterator[Finding]:
    if not subject.process:
        return
    path = program_of(subject)
    entry = subject.tree.find(path) if path else None
    if entry is None:
        yield Finding(subject.process[0], "is not in the image, or is a link that leads nowhere")
    elif entry.kind != "f":
        yield Finding(subject.process[0], "is not a file")


def _may_run(subject: Subject) -> Iterator[Finding]:
    real = subject.tree.resolve(program_of(subject))
    entry = subject.tree.entries.get(real)
    if entry is None:
        return
    program = subject.tree.program(real)
    is_script = program is not None and not program.machine
    if not entry.mode & 0o001 or (is_script and not entry.mode & 0o004):
        yield Finding(real, f"has mode {entry.mode & 0o7777:04o}")
    yield from closed_folders(subject, real)


def closed_folders(subject: Subject, path: str) -> Iterator[Finding]:
    """The folders above a path that not everybody may pass."""
    while (path := posixpath.dirname(path)) != "/":
        folder = subject.tree.entries.get(path)
        if folder is not None and not folder.mode & 0o001:
            yield Finding(path, f"is a folder with mode {folder.mode & 0o7777:04o}")


def _interpreter(subject: Subject) -> Iterator[Finding]:
    path = program_of(subject)
    program = subject.tree.program(subject.tree.resolve(path)) if path else None
    if program is None or not program.interpreter:
        return
    interpreter, *arguments = program.interpreter.split() if not program.machine else [program.interpreter]
    if interpreter.endswith("\r") or "\r" in program.interpreter:
        yield Finding(
            path, "its first line ends with a carriage return, which counts as part of the interpreter's name"
        )
    elif subject.tree.find(interpreter) is None:
        yield Finding(path, f"needs {interpreter}, which is not in the image{_why(interpreter)}")
    elif posixpath.basename(interpreter) == "env" and arguments and not _on_path(subject, arguments[-1]):
        yield Finding(path, f"needs {arguments[-1]}, which is not on PATH")


def _why(interpreter: str) -> str:
    if "ld-linux" in interpreter:
        return ": it is built for glibc"
    return ": it is built for musl" if "ld-musl" in interpreter else ""


def _on_path(subject: Subject, name: str) -> bool:
    folders = subject.configuration.environment.get("PATH", _PATH).split(":")
    return any(subject.tree.find(posixpath.join(folder, name)) for folder in folders)


def _libraries(subject: Subject) -> Iterator[Finding]:
    path = program_of(subject)
    if path:
        search = subject.configuration.environment.get("LD_LIBRARY_PATH", "")
        for library, user in missing_libraries(subject.tree, subject.tree.resolve(path), search.split(":")):
            yield Finding(library, f"is not in the image, and {user} needs it")


def _program_architecture(subject: Subject) -> Iterator[Finding]:
    path = program_of(subject)
    real = subject.tree.resolve(path) if path else ""
    program = subject.tree.program(real)
    if program and program.machine and program.machine != subject.architecture:
        yield Finding(real, f"is for {program.machine}; the image says {subject.architecture}")


def _other_architectures(subject: Subject) -> Iterator[Finding]:
    first = subject.tree.resolve(program_of(subject))
    for path, program in subject.tree.programs():
        named = any(fnmatch(path.lower(), pattern) for pattern in _OF_ARCHITECTURES)
        if program.machine and program.machine != subject.architecture and path != first and not named:
            yield Finding(path, f"is for {program.machine}; the image says {subject.architecture}")


def _working_directory(subject: Subject) -> Iterator[Finding]:
    folder = subject.configuration.working_directory
    if folder == "/":
        return
    entry = subject.tree.find(folder)
    if entry is None or entry.kind != "d":
        yield Finding(folder, "is not a folder of the image")
    elif not entry.mode & 0o001:
        yield Finding(folder, f"has mode {entry.mode & 0o7777:04o}")
    else:
        yield from closed_folders(subject, entry.path)


_EXEC_FORM = 'Write it in exec form, as a JSON list: CMD ["app.handler"].'

RULES: tuple[StaticRule, ...] = (
    StaticRule(
        id="LI010",
        title="ENTRYPOINT or CMD is set",
        severity="fail",
        needs=Needs.CONFIGURATION,
        why="Lambda starts what they name, and nothing else.",
        document=documents.IMAGES,
        remedy="Set ENTRYPOINT to the runtime interface client, and CMD to the handler.",
        find=_entrypoint,
    ),
    StaticRule(
        id="LI011",
        title="ENTRYPOINT and CMD together are in exec form",
        severity="fail",
        needs=Needs.CONFIGURATION,
        why="The shell form is a call of /bin/sh -c: as CMD it takes the handler's place, as ENTRYPOINT it drops CMD.",
        document=documents.DOCKERFILE,
        remedy=_EXEC_FORM,
        find=_exec_form,
    ),
    StaticRule(
        id="LI012",
        title="The entrypoint's program is in the image",
        severity="fail",
        needs=Needs.FILES,
        why="Otherwise the function ends with Runtime.InvalidEntrypoint.",
        document=documents.TROUBLESHOOTING,
        remedy="Correct ENTRYPOINT (or CMD, where it is alone), or copy the program into the image.",
        find=_there,
    ),
    StaticRule(
        id="LI013",
        title="Anybody may run the entrypoint's program",
        severity="fail",
        needs=Needs.FILES,
        why="Lambda runs it as a user that you don't choose: without the rights for all it ends with "
        "Runtime.InvalidEntrypoint.",
        document=documents.TROUBLESHOOTING,
        remedy="chmod a+rx on the program and on the folders above it.",
        find=_may_run,
    ),
    StaticRule(
        id="LI014",
        title="The interpreter of the entrypoint's program is in the image",
        severity="fail",
        needs=Needs.FILES,
        why="A script needs what its first line names, a dynamic program its linker; without them the kernel says that "
        "the program itself is not there. glibc's programs don't run on musl (Alpine), nor musl's on glibc.",
        document="Linux manual, execve(2)",
        remedy="Install the interpreter, build the program for the image's C library, or link it statically.",
        find=_interpreter,
    ),
    StaticRule(
        id="LI015",
        title="The shared libraries of the entrypoint's program are in the image",
        severity="fail",
        needs=Needs.FILES,
        why="The dynamic linker ends the program at once when one is missing.",
        document="Linux manual, ld.so(8)",
        remedy="Install the packages that bring them, or copy them with the program; ldd lists them.",
        find=_libraries,
    ),
    StaticRule(
        id="LI016",
        title="The entrypoint's program is for the image's architecture",
        severity="fail",
        needs=Needs.FILES,
        why="Lambda emulates no other: the program fails with an exec format error.",
        document=documents.IMAGES,
        remedy="Build the program for the image's platform, or the image for the program's.",
        find=_program_architecture,
    ),
    StaticRule(
        id="LI017",
        title="All programs and libraries are for the image's architecture",
        severity="warn",
        needs=Needs.FILES,
        why="One that is not can't be run or loaded. Files that are named for an architecture are left out: packages "
        "bring several and choose.",
        document=documents.IMAGES,
        remedy="Install dependencies inside the build, for its platform, instead of copying them from another machine.",
        find=_other_architectures,
    ),
    StaticRule(
        id="LI018",
        title="The working directory is there, and anybody may enter it",
        severity="fail",
        needs=Needs.FILES,
        why="Lambda can't make it: its root is read-only. The function ends with Runtime.InvalidWorkingDirectory.",
        document=documents.TROUBLESHOOTING,
        remedy="Set WORKDIR after the folder is made, and chmod a+rx on it and on the folders above it.",
        find=_working_directory,
    ),
    StaticRule(
        id="LI019",
        title="The entrypoint's program is an absolute path",
        severity="warn",
        needs=Needs.CONFIGURATION,
        why="AWS advises it; a relative path depends on the working directory, a bare name on PATH.",
        document=documents.TROUBLESHOOTING,
        remedy='Write the whole path: ENTRYPOINT ["/usr/bin/python3", …].',
        find=_absolute,
    ),
)
