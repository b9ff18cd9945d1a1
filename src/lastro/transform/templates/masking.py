"""Masking: what is plainly variable in a message becomes a typed wildcard before messages are compared.

Rules:

1. A wildcard is `<KIND>`, with a kind of `KINDS`. A message that holds such a text itself has it masked as `<text>`,
   so that every wildcard in a masked text is one. `<*>` and `<space>` come of comparing, never of masking.
2. Where several patterns fit at one place, the first wins. Quotes stay, what they enclose is masked; the
   names of JSON members stay whole.
3. Only the beginning is looked at: the first line, and of that `TEXT_MAX` characters and `TOKENS_MAX` words. The rest
   – a stack trace, a dumped document – is one value, `<rest>`.
4. The patterns take time that grows with the text: each repetition is possessive, bounded, or begins where no other
   can begin.
5. The masked text with its values filled in, in their order, is the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

KINDS = (
    *("num", "id", "hex", "uuid", "time", "ip", "mac", "email", "url", "path", "quoted", "text"),
    *("rest", "space", "*"),
)
WILDCARD = re.compile(rf"<(?:{'|'.join(map(re.escape, KINDS))})>")
ANYTHING, SPACE, REST = "<*>", "<space>", "<rest>"
TEXT_MAX = 4_096
TOKENS_MAX = 256

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?"
_GROUP = "[0-9A-Fa-f]{1,4}"
_GROUPS = rf"{_GROUP}(?::{_GROUP}){{0,6}}"
_ZONE = r"(?:Z|[ ]?[+-]\d{2}:?\d{2})"
_AT_A_START = {
    "url": r"(?<!\w)[A-Za-z][A-Za-z0-9+.-]{1,15}+://[^\s\"'<>]*[^\s\"'<>.,;:!?)\]}]",
    "email": r"(?<![\w.+-])[\w.+-]{1,64}+@(?:[\w-]{1,63}+\.){1,8}[A-Za-z]{2,24}",
    "uuid": r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])",
    "time": (
        rf"(?:\d{{4}}[-/]\d{{2}}[-/]\d{{2}}(?:[T ]\d{{2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d{{1,9}})?)?{_ZONE}?)?"
        rf"|\d{{1,2}}/{_MONTH}/\d{{4}}(?::{_CLOCK}(?:[ ][+-]\d{{4}})?)?"
        rf"|{_MONTH}[ ]{{1,2}}\d{{1,2}}[ ]{_CLOCK}(?:[ ]\d{{4}})?"
        rf"|{_CLOCK})(?![0-9A-Za-z])"
    ),
    "mac": r"(?<!:)[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![0-9A-Za-z:])",
    "ip": (
        r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)"
        rf"|(?<![\w:])(?:(?:{_GROUP}:){{7}}{_GROUP}|{_GROUPS}::(?:{_GROUPS})?|::{_GROUPS})(?![\w:])"
    ),
    "path": (
        r"(?<![\w./~<>@%+-])(?=[~.]{0,2}/[\w.@%+=~#/-]*[A-Za-z])(?:~|\.{1,2})?(?:/++[\w.@%+=~#-]++)++/*+"
        r"|(?<!\w)[A-Za-z]:\\[^\s\"'<>|:*?]++"
    ),
    "hex": r"(?:0[xX][0-9A-Fa-f]++|(?=[A-Fa-f]*+\d)(?=\d*+[A-Fa-f])[0-9A-Fa-f]{8,}+)(?![0-9A-Za-z])",
    "id": r"(?!\d++[eE]\d++(?![0-9A-Za-z]))(?=[A-Za-z]*+\d++[A-Za-z]++\d)[0-9A-Za-z]++",
}
"""What does not begin within a word."""
_ANYWHERE = {
    "text": WILDCARD.pattern,
    "key": r'"[\w.$-]++"(?=\s*+:)',
    "quoted": r'(?<!\\)"(?:[^"\\]|\\.)*+"' + r"|(?<![\w\\])'(?:[^'\\]|\\.)*+'(?!\w)",
    "num": r"(?:(?<![0-9A-Za-z)\]])-)?\d++(?:[.,]\d++)*+(?:[eE][+-]?\d++(?![0-9A-Za-z]))?+",
}


def _any_of(patterns: Mapping[str, str]) -> str:
    return "|".join(f"(?P<{name}>{pattern})" for name, pattern in patterns.items())


_VARIABLE = re.compile(
    r"(?<![0-9A-Za-z])(?=[\w~./:+-])(?![a-z][A-Za-z]*+[ ,;)\]])"  # the last is for speed: most words are plain
    rf"(?:{_any_of(_AT_A_START)})|(?=[\"'<0-9-])(?:{_any_of(_ANYWHERE)})",
    re.ASCII | re.DOTALL,
)
_SUSPECT = re.compile(r"[0-9:/\\@\"'<]")
"""Without one of these, no pattern fits."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A message as text with wildcards, and the values for these in order."""

    text: str
    values: tuple[str, ...]


def mask(message: str) -> Masked:
    """The message with what is plainly variable masked."""
    head, rest = _cut(message)
    if _SUSPECT.search(head) is None:
        return Masked(head + REST, (rest,)) if rest else Masked(head, ())
    parts: list[str] = []
    values: list[str] = []
    done = 0
    for found in _VARIABLE.finditer(head):
        kind = found.lastgroup
        if kind == "key":
            continue
        start, end = found.span()
        if kind == "quoted":
            start, end = start + 1, end - 1
        parts += (head[done:start], f"<{kind}>")
        values.append(head[start:end])
        done = end
    parts.append(head[done:])
    if rest:
        parts.append(REST)
        values.append(rest)
    return Masked("".join(parts), tuple(values))


def _cut(message: str) -> tuple[str, str]:
    """The part of a message that is looked at, and the rest (rule 3)."""
    end = message.find("\n", 0, TEXT_MAX)
    end = min(len(message), TEXT_MAX) if end < 0 else end
    head = message[:end]
    if len(head) > 2 * TOKENS_MAX:  # as many words need a character and a space each
        words = head.split(maxsplit=TOKENS_MAX)
        if len(words) > TOKENS_MAX:
            end -= len(words[-1])
            head = message[:end]
    return head, message[end:]
