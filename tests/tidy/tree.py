"""The tree as the tidy tests see it: every file read once, every Python file parsed once."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "lastro"
FOLDERS = ("src", "tests", "bench", "docs", "requirements", ".ci")
PROSE = (".md", ".toml", ".txt", ".cfg")
GENERATED = {"__pycache__", "data", ".pytest_cache"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed Python file: its dotted name, its text and the numbers of the lines that carry a comment."""

    path: Path
    name: str
    text: str
    tree: ast.Module
    commented: frozenset[int]

    def at(self, line: int) -> str:
        """Where a finding is: `src/lastro/model/plan.py:12`."""
        return f"{self.path.relative_to(ROOT)}:{line}"

    @property
    def lines(self) -> int:
        return self.text.count("\n") + 1

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones included."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def classes(self) -> Iterator[ast.ClassDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                yield node


def parse(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    commented = frozenset(token.start[0] for token in tokens if token.type == tokenize.COMMENT)
    return Module(path, _dotted(path), text, ast.parse(text, filename=str(path)), commented)


def _dotted(path: Path) -> str:
    base = ROOT / "src" if path.is_relative_to(ROOT / "src") else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache(maxsize=1)
def everything() -> tuple[Module, ...]:
    """Every Python file of the product, its tests and its benchmarks."""
    return tuple(parse(path) for path in files() if path.suffix == ".py")


def package() -> tuple[Module, ...]:
    """Every Python file of the product."""
    return tuple(module for module in everything() if module.path.is_relative_to(PACKAGE))


@lru_cache(maxsize=1)
def files() -> tuple[Path, ...]:
    """Every file that belongs to the project, whatever its kind."""
    top = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    return tuple(sorted(path for path in [*top, *below] if not GENERATED & set(path.relative_to(ROOT).parts)))


def pages() -> tuple[Path, ...]:
    """Every Markdown page of the project."""
    return tuple(path for path in files() if path.suffix == ".md")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page: its language, its text, its line and the HTML comment on the line before it, if any."""

    page: Path
    line: int
    language: str
    text: str
    remark: str

    @property
    def at(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


_REMARK = re.compile(r"<!--\s*(.*?)\s*-->")


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    opened: int | None = None
    for number, line in enumerate(lines):
        if not line.lstrip().startswith("```"):
            continue
        if opened is None:
            opened = number
            continue
        before = _REMARK.fullmatch(lines[opened - 1].strip()) if opened else None
        language = lines[opened].strip().removeprefix("```").strip()
        text = "\n".join(lines[opened + 1 : number]) + "\n"
        yield Block(page, opened + 1, language, text, before[1] if before else "")
        opened = None


def told(findings: list[str]) -> str:
    """Findings as the message of a failed assertion, one a line."""
    return "\n" + "\n".join(findings)
