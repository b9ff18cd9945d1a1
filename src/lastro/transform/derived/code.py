"""What a step's Python file says of itself, read without running it.

Rules:

1. A step is the function that is named as its file (`-` and `.` as `_`), else the only public function of the file.
2. Parameters without a default are upstream datasets; those with one are build parameters, and their defaults are
   literals.
3. A step's code is the bytes of its file, and of every module of `transforms/` that it imports, one after another.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from lastro.model import digest
from lastro.model.errors import ConfigurationError
from lastro.model.text import _


@dataclass(frozen=True, slots=True)
class Signature:
    """A step's function: its name, the parameters that are datasets, and the build parameters with their defaults."""

    function: str
    takes: tuple[str, ...]
    parameters: Mapping[str, Any]  # Any: JSON values


def signature(content: bytes, name: str, *, where: str) -> Signature:
    """What the file's function takes. Raises `ConfigurationError`."""
    tree = parsed(content, where=where)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    plain = name.replace("-", "_").replace(".", "_")
    public = [node for node in functions if not node.name.startswith("_")]
    chosen = [node for node in functions if node.name == plain] or public
    if len(chosen) != 1 or isinstance(chosen[0], ast.AsyncFunctionDef):
        raise ConfigurationError(
            _("{file} has no function {name}, nor a single public one").format(file=where, name=plain),
            where=where,
            do=_("name its function {name}").format(name=plain),
        )
    return _signature(chosen[0], where)


def digest_of(path: Path, folder: Path) -> str:
    """The digest of a step's code (rule 3)."""
    found: dict[str, bytes] = {}
    waiting = [path]
    while waiting:
        file = waiting.pop()
        at = file.relative_to(folder).as_posix()
        if at in found:
            continue
        found[at] = file.read_bytes()
        if file.suffix == ".py":
            waiting += [other for other in _imported(found[at], file, folder) if other.is_file()]
    return digest.of_parts(part for at in sorted(found) for part in (at, digest.of_bytes(found[at])))


def parsed(content: bytes, *, where: str) -> ast.Module:
    """The file's tree. Raises `ConfigurationError`, telling the line."""
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise ConfigurationError(
            _("the Python code cannot be read"),
            where=_("{file}, line {line}").format(file=where, line=line) if line else where,
            do=_("correct the code, then build again"),
        ) from None


def _signature(node: ast.FunctionDef, where: str) -> Signature:
    given = node.args
    if given.vararg or given.kwarg or given.posonlyargs:
        _refuse(node, where, _("the function takes parameters without a name"))
    plain = [parameter.arg for parameter in given.args]
    first = len(plain) - len(given.defaults)
    values: dict[str, ast.expr | None] = dict.fromkeys(plain[:first])
    values |= zip(plain[first:], given.defaults, strict=True)
    values |= {parameter.arg: value for parameter, value in zip(given.kwonlyargs, given.kw_defaults, strict=True)}
    defaults = {name: _literal(value, node, where) for name, value in values.items() if value is not None}
    return Signature(node.name, tuple(name for name, value in values.items() if value is None), defaults)


def _literal(value: ast.expr, node: ast.FunctionDef, where: str) -> Any:  # Any: JSON values
    try:
        found = ast.literal_eval(value)
        digest.canonical(found)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        _refuse(node, where, _("the default of a build parameter is no text, number, list or mapping"))
    return list(found) if isinstance(found, tuple) else found


def _refuse(node: ast.FunctionDef, where: str, what: str) -> NoReturn:
    raise ConfigurationError(
        what,
        where=_("{file}, line {line}").format(file=where, line=node.lineno),
        do=_("name each upstream dataset as a parameter, and give build parameters a plain default"),
    )


def _imported(content: bytes, file: Path, folder: Path) -> list[Path]:
    """The files of `transforms/` that an import could mean."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found: list[Path] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                found += _places(folder, name.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = folder if not node.level else file.parents[node.level - 1]
            module = node.module.split(".") if node.module else []
            if base.is_relative_to(folder):
                found += _places(base, module)
                for name in node.names:
                    found += _places(base, [*module, name.name])
    return found


def _places(base: Path, parts: list[str]) -> list[Path]:
    """A module's file, and those of the packages that it lies in."""
    found = []
    for count in range(1, len(parts) + 1):
        place = base.joinpath(*parts[:count])
        found += [place.with_name(place.name + ".py"), place / "__init__.py"]
    return found
