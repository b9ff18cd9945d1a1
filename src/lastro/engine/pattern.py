r"""The capturing groups of a regular expression in RE2's syntax, told without running it.

Rules:

1. `(…)`, `(?P<name>…)` and `(?<name>…)` capture, in the order of their opening parentheses; all other groups do not.
2. What stands in a class, after a backslash or between `\Q` and `\E` opens nothing.
3. Whether the expression is well formed is for the engine to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAME = re.compile(r"\?P?<([^>=!]+)>")
_POSIX = re.compile(r"\[:\^?\w+:\]")


def groups(pattern: str) -> tuple[str | None, ...]:
    """The name of each capturing group, None for one without: the first stands for group 1."""
    return tuple(name for _start, _end, name in _openings(pattern))


def unnamed(pattern: str) -> str:
    """The same pattern with groups that have numbers only: RE2 takes few names, and none of them twice."""
    pieces, at = [], 0
    for start, end, _name in _openings(pattern):
        pieces += [pattern[at:start], "("]
        at = end
    return "".join(pieces) + pattern[at:]


def _openings(pattern: str) -> Iterator[tuple[int, int, str | None]]:
    """Where each capturing group opens, where what it holds begins, and its name."""
    at = 0
    while at < len(pattern):
        match pattern[at]:
            case "\\" if pattern.startswith("Q", at + 1):
                end = pattern.find("\\E", at)
                at = len(pattern) if end < 0 else end + 2
            case "\\":
                at += 2
            case "[":
                at = _after_class(pattern, at)
            case "(":
                if named := _NAME.match(pattern, at + 1):
                    yield at, named.end(), named[1]
                elif not pattern.startswith("?", at + 1):
                    yield at, at + 1, None
                at += 1
            case _:
                at += 1


def _after_class(pattern: str, start: int) -> int:
    at = start + 1
    at += pattern.startswith("^", at)
    at += pattern.startswith("]", at)  # first in a class, it is a member
    while at < len(pattern) and pattern[at] != "]":
        posix = _POSIX.match(pattern, at)
        at = posix.end() if posix else at + 2 if pattern[at] == "\\" else at + 1
    return at + 1
