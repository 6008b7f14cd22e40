"""Does the handler exist? A look at the source before the build, for a warning; only Lambda's own start is certain."""

import ast
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from lambdaimg.model.project import Function, Project

_NODEJS = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")


def handler_warning(project: Project, function: Function, handler: str) -> str:
    """What is wrong with a function's handler, as far as its source shows; empty when nothing is seen."""
    look = _LOOKS.get(function.settings.language)
    if look is None:
        return ""
    module, dot, name = handler.rpartition(".")
    if not dot or not module:
        return f"the handler {handler!r} has no dot: it is MODULE.FUNCTION"
    return look(project.root / function.source, function.source, module, name)


def _python(source: Path, shown: str, module: str, name: str) -> str:
    module = module.replace(".", "/")
    for file in (f"{module}.py", f"{module}/__init__.py"):
        if (source / file).is_file():
            return _in_python(source / file, f"{shown}/{file}", name)
    return f"the handler's module is not there: {shown}/{module}.py"


def _in_python(file: Path, shown: str, name: str) -> str:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        return f"{shown}:{getattr(error, 'lineno', None) or 1}: {getattr(error, 'msg', error)}"
    bound = {bound for node in ast.walk(tree) for bound in _names(node)}
    if name in bound or bound & {"*", "__getattr__"}:
        return ""
    return f"{shown} defines no {name!r}, which the handler names"


def _names(node: ast.AST) -> list[str]:
    """The names that a statement binds; `*` for those that only a run would tell."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [node.id]
    return []


def _nodejs(source: Path, shown: str, module: str, name: str) -> str:
    files = [f"{module}{extension}" for extension in _NODEJS]
    file = next((file for file in files if (source / file).is_file()), None)
    if file is None and (source / "tsconfig.json").is_file():
        return ""  # only its compiler knows where a module comes from
    if file is None:
        return f"the handler's module is not there: {shown}/{' or '.join(files[:3])}"
    if not re.search(rf"\b{re.escape(name)}\b|export\s*\*|__exportStar", (source / file).read_text("utf-8", "replace")):
        return f"{shown}/{file} exports no {name!r}, which the handler names"
    return ""


_LOOKS: Final[Mapping[str, Callable[[Path, str, str, str], str]]] = {"python": _python, "nodejs": _nodejs}
"""The languages whose handlers can be seen in their source, which is given with its shown name, module and name."""
