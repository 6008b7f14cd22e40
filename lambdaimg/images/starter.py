"""A new project, made of a language's starter: the project file, one function, one event, one test case."""

from pathlib import Path
from string import Template
from typing import Final

from lambdaimg import resources
from lambdaimg.catalog import languages
from lambdaimg.model.errors import UsageError
from lambdaimg.model.files import write_whole
from lambdaimg.model.project_file import FILE_NAME, name_from

_PROJECT_FILE: Final = Template("""\
[project]
name = "$name"

[functions.hello]
language = "$language"
base = "$base"             # `lambdaimg base list` shows the others; any image reference will do
handler = "$handler"
${settings}timeout = 3

[[functions.hello.tests]]        # run by `lambdaimg test`
name = "greets by name"
event-file = "events/hello.json"
expect = { payload = { message = "Hello, Ada" } }
""")

WORKFLOWS: Final = {"github": ".github/workflows/lambdaimg.yml"}
"""Where each CI system looks for what `templates/ci` holds for it."""


def create(folder: Path, starter: str, ci: str = "") -> list[Path]:
    """Writes a new project into a folder, which is made where it is missing; returns the files.

    `starter` is one of `languages.starters()`; `ci` is one of `WORKFLOWS`, or empty for none. Raises UsageError, and
    writes nothing, when a file is there already.
    """
    files = {**_files(folder, starter), **_workflow(folder, ci)}
    taken = [str(file) for file in files if file.exists()]
    if taken:
        exist = "exists" if len(taken) == 1 else "exist"
        raise UsageError(f"not written: {', '.join(taken)} {exist} already", remedy="choose an empty folder")
    try:
        for file, content in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, content, mode=0o755 if content.startswith(b"#!") else 0o644)
    except OSError as error:
        raise UsageError(f"can't write {error.filename or folder}: {error.strerror}") from None
    return list(files)


def _files(folder: Path, starter: str) -> dict[Path, bytes]:
    start = languages.starters()[starter]
    text = _PROJECT_FILE.substitute(
        name=name_from(folder.resolve().name),
        language=start.language,
        base=start.base,
        handler=languages.read(start.language).handler,
        settings=start.settings,
    )
    copied = {
        folder / file.relative_to(start.folder): file.read_bytes()
        for file in sorted(start.folder.rglob("*"))
        if file.is_file()
    }
    return {folder / FILE_NAME: text.encode(), **copied}


def _workflow(folder: Path, ci: str) -> dict[Path, bytes]:
    return {folder / WORKFLOWS[ci]: (resources.templates() / "ci" / f"{ci}.yml").read_bytes()} if ci else {}
