"""What may be written.

1. No module, package or class has a name that could hold anything.
2. `Any` carries a comment on its line that says what it stands for.
3. A broad `except` says in a comment what it swallows, or raises again.
4. No file names a place on somebody's machine, and none leaves work for later.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from tests.tidy.tree import ROOT, Module, everything, files, package, told

VAGUE_MODULES = re.compile(r"(utils?|common|core|helpers?|managers?|misc|stuff|base_.*)")
VAGUE_CLASSES = re.compile(r"(Base[A-Z]\w*|\w*(Helper|Manager|Utils?))")
MACHINE_PATH = re.compile(r"(?<![\w.$}<:/-])/(?:home|root|Users|work)/\w")
LEFT_FOR_LATER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|HA" r"CK)\b")
BINARY = {".mo", ".parquet", ".sqlite", ".db", ".gz", ".zst", ".png", ".arrow"}


def test_no_name_could_hold_anything() -> None:
    vague = [
        f"{module.path.relative_to(ROOT)}: {part}"
        for module in everything()
        for part in module.name.split(".")
        if VAGUE_MODULES.fullmatch(part)
    ]
    vague += [
        f"{module.at(cls.lineno)}: class {cls.name}"
        for module in package()
        for cls in module.classes()
        if VAGUE_CLASSES.fullmatch(cls.name)
    ]

    assert not vague, told(vague)


def test_any_says_what_it_stands_for() -> None:
    silent = [f"{module.at(line)}: Any without a comment" for module in package() for line in silent_any(module)]

    assert not silent, told(silent)


def test_broad_excepts_name_what_they_swallow() -> None:
    silent = [f"{module.at(line)}: what is swallowed?" for module in everything() for line in silent_excepts(module)]

    assert not silent, told(silent)


@pytest.mark.parametrize("pattern", [MACHINE_PATH, LEFT_FOR_LATER], ids=["a machine's path", "left for later"])
def test_nothing_is_written_that_must_not_be(pattern: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in files()
        if path.suffix not in BINARY
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if (match := pattern.search(line))
    ]

    assert not found, told(found)


def test_the_patterns_see_what_they_must() -> None:
    assert MACHINE_PATH.search("open('/" + "home/ana/x')")
    assert not MACHINE_PATH.search("https://example.org/" + "home/x")
    assert LEFT_FOR_LATER.search("# TO" + "DO later")
    assert VAGUE_MODULES.fullmatch("base_engine")
    assert not VAGUE_MODULES.fullmatch("database")


def silent_any(module: Module) -> list[int]:
    """Lines that use `Any` and carry no comment."""
    used = {node.lineno for node in ast.walk(module.tree) if isinstance(node, ast.Name) and node.id == "Any"}
    return sorted(used - module.commented)


def silent_excepts(module: Module) -> list[int]:
    """Lines of broad handlers that neither raise again nor carry a comment on their line or the one below."""
    return [
        node.lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        and is_broad(node.type)
        and not isinstance(node.body[-1], ast.Raise)
        and not {node.lineno, node.lineno + 1} & module.commented
    ]


def is_broad(kind: ast.expr | None) -> bool:
    match kind:
        case None:
            return True
        case ast.Tuple(elts=kinds):
            return any(is_broad(each) for each in kinds)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in {"Exception", "BaseException"}
        case _:
            return False


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
