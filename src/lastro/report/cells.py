r"""Terminal cells: what may be shown, and how wide it is.

Rules:

1. Nothing that came from data reaches a terminal as a control. Control, format and bidirectional characters, line
   separators, lone surrogates and unassigned code points are written as escapes (`\x1b`, `\u202e`).
2. Width counts the cells a terminal uses: East Asian wide characters two, combining marks none.
3. What does not fit ends with `…`; a text is never cut within a character.
"""

from __future__ import annotations

import unicodedata

_SPELLED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
_MARKS_PER_CELL = 4
_STEPS = "▁▂▃▄▅▆▇█"
ELLIPSIS = "…"


def clean(text: str) -> str:
    """The text with everything a terminal could obey, or an eye could not see, written as an escape."""
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    if character in _SPELLED:
        return _SPELLED[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def width(text: str) -> int:
    """The number of terminal cells a cleaned text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.category(character) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, cells: int) -> str:
    """The cleaned text in at most `cells` cells (1 or more), ended with `…` if something was left out."""
    if len(text) <= _MARKS_PER_CELL * cells and width(text) <= cells:
        return text
    kept: list[str] = []
    used = 0
    for character in text[: _MARKS_PER_CELL * cells]:
        used += _cells(character)
        if used > cells - 1:
            break
        kept.append(character)
    return "".join(kept) + ELLIPSIS


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """The cleaned text filled with spaces to `cells` cells, moved to the right end if `right`."""
    space = " " * max(0, cells - width(text))
    return space + text if right else text + space


def sparkline(counts: tuple[int, ...]) -> str:
    """Counts as a line of blocks, the largest the highest; a step with nothing in it is a blank."""
    most = max(counts, default=0)
    return "".join(" " if not each else _STEPS[min(7, 8 * each // (most + 1))] for each in counts).rstrip()
