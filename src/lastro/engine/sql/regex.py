r"""Regular expressions in the subset that RE2 (DuckDB) and Java (Spark) read alike.

Rules:

1. A pattern is taken apart and written anew, once for RE2 and once for Java; what is not known here is refused.
2. Refused: back-references, look-around, possessive quantifiers, atomic groups, inline flags other than `(?i)`, octal
   escapes, Unicode classes other than general categories, counts beyond 1,000, more than 2,000 characters.
3. `.` is anything but a line feed; `\d`, `\w`, `\s`, `\b` and POSIX classes are ASCII; `$` is the end of the text.
4. RE2 runs in linear time. Java does not: on Spark a pattern such as `(a+)+` may take long on hostile text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from lastro.model.errors import SqlRefused
from lastro.model.text import _

LENGTH_MAX = 2_000
COUNT_MAX = 1_000
DEPTH_MAX = 64
_COUNT = re.compile(r"\{(\d{1,4})(?:(,)(\d{0,4}))?\}", re.ASCII)
_GROUP_NAME = re.compile(r"P?<([A-Za-z][A-Za-z0-9_]{0,63})>", re.ASCII)
_CATEGORY = re.compile(
    r"(?:([LMNPSZC])|\{(\^?)(L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cf]?)\})", re.ASCII
)
_HEX = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})", re.ASCII)
_POSIX = re.compile(r"\[:(\^?)(\w+):\]", re.ASCII)
_POSIX_SETS = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7F",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-\/:-@\[-`{-~",
    "space": r"\t\n\x0B\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_POSITIONS = frozenset({"(?i)", "^", "$", r"\b", r"\B", r"\A", r"\z"})
"""What takes no text, so that repeating it means nothing; the engines differ in whether they say so."""
_CONTROLS = {"n": r"\n", "t": r"\t", "r": r"\r", "f": r"\f", "v": r"\x{B}", "a": r"\x{7}"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern in both syntaxes. `groups` are the named groups in order, `captures` counts all capturing groups."""

    re2: str
    java: str
    groups: tuple[str, ...]
    captures: int
    indices: tuple[int, ...] = ()
    """The number of each named group."""

    @property
    def java_whole(self) -> str:
        """Java's pattern that must match the whole text."""
        return rf"\A(?:{self.java})\z"


@lru_cache(maxsize=512)
def read(text: str, *, where: str) -> Pattern:
    """The pattern in both syntaxes. Raises `SqlRefused` naming `where` and what was met."""
    if len(text) > LENGTH_MAX:
        raise _refused(where, _("a pattern of {n} characters").format(n=len(text)))
    reader = _Reader(text, where)
    re2, java = reader.alternatives(depth=0)
    if reader.at < len(text):
        raise _refused(where, _("an unmatched ')'"))
    names = tuple(reader.names)
    # `(?d)` makes a line feed Java's only line end; `(?iu)` folds case as RE2 does.
    return Pattern(re2, "(?d)" + java, names, reader.captures, tuple(reader.names.values()))


def _refused(where: str, what: str) -> SqlRefused:
    return SqlRefused(
        _("the regular expression uses {what}").format(what=what),
        where=where,
        do=_("use RE2 syntax: literals, classes, groups, alternatives and quantifiers up to {n}").format(n=COUNT_MAX),
    )


class _Reader:
    """Reads a pattern from left to right; every method returns the piece as (RE2, Java)."""

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.at = 0
        self.captures = 0
        self.names: dict[str, int] = {}
        self.weight = 1
        """How often the innermost piece read last may repeat, counts multiplied: RE2 bounds the product."""

    def alternatives(self, *, depth: int) -> tuple[str, str]:
        if depth > DEPTH_MAX:
            raise _refused(self.where, _("groups more than {n} deep").format(n=DEPTH_MAX))
        re2, java = [], []
        while self.at < len(self.text) and self.text[self.at] != ")":
            if self.text[self.at] == "|":
                self.at += 1
                piece = ("|", "|")
            else:
                piece = self._quantified(depth)
            re2.append(piece[0])
            java.append(piece[1])
        return "".join(re2), "".join(java)

    def _quantified(self, depth: int) -> tuple[str, str]:
        before, self.weight = self.weight, 1
        re2, java = self._atom(depth)
        quantifier = self._quantifier()
        if quantifier and (re2 in _POSITIONS or self._quantifier()):
            raise _refused(self.where, _("one quantifier after another"))
        if self.weight > COUNT_MAX:
            raise _refused(self.where, _("counts within counts"))
        self.weight = max(before, self.weight)
        return re2 + quantifier, java + quantifier

    def _quantifier(self) -> str:
        start = self.at
        if self.text[start : start + 1] in ("*", "+", "?") and start < len(self.text):
            self.at += 1
        elif found := _COUNT.match(self.text, start):
            low, high = int(found[1]), int(found[3] or found[1])
            if max(low, high) > COUNT_MAX or high < low:
                raise _refused(self.where, _("the count {text}").format(text=found[0]))
            self.weight *= max(low, high, 1)
            self.at = found.end()
        else:
            return ""
        if self.text[self.at : self.at + 1] == "?":
            self.at += 1
        return self.text[start : self.at]

    def _atom(self, depth: int) -> tuple[str, str]:
        char = self.text[self.at]
        self.at += 1
        match char:
            case "(":
                return self._group(depth)
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise _refused(self.where, _("a quantifier without anything before it"))
            case "$":
                return "$", r"\z"
            case "^" | ".":
                return char, char
            case "{" if _COUNT.match(self.text, self.at - 1):
                raise _refused(self.where, _("a quantifier without anything before it"))
            case _:
                return _literal(char)

    def _group(self, depth: int) -> tuple[str, str]:
        opening = self._opening()
        if opening is None:
            return "(?i)", "(?iu)"
        re2, java = self.alternatives(depth=depth + 1)
        if self.text[self.at : self.at + 1] != ")":
            raise _refused(self.where, _("a group without its end"))
        self.at += 1
        return f"({opening}{re2})", f"({opening}{java})"

    def _opening(self) -> str | None:
        """What follows the parenthesis in the pattern written anew; None for the flag `(?i)`, which is whole."""
        if self.text[self.at : self.at + 1] != "?":
            self.captures += 1
            return ""
        rest = self.text[self.at + 1 : self.at + 80]
        if rest.startswith(":"):
            self.at += 2
            return "?:"
        if rest.startswith("i)"):
            self.at += 3
            return None
        if found := _GROUP_NAME.match(rest):
            if found[1] in self.names:
                raise _refused(self.where, _("two groups named {name}").format(name=found[1]))
            self.captures += 1
            self.names[found[1]] = self.captures
            self.at += 1 + found.end()
            return ""  # a plain group: names of groups differ between the two syntaxes, numbers do not
        raise _refused(
            self.where, _("look-around, flags or another group that begins with '(?{sign}'").format(sign=rest[:2])
        )

    def _escape(self) -> tuple[str, str]:
        rest = self.text[self.at : self.at + 12]
        if not rest:
            raise _refused(self.where, _("a backslash at the end"))
        char = rest[0]
        if char.lower() in _CLASSES:
            self.at += 1
            both = f"[{'^' if char.isupper() else ''}{_CLASSES[char.lower()]}]"
            return both, both
        if char in "bBAz":
            self.at += 1
            # Java's \b knows Unicode letters since Java 19; the look-around says ASCII on every release.
            java = {"b": r"(?:(?<=\w)(?!\w)|(?<!\w)(?=\w))", "B": r"(?:(?<=\w)(?=\w)|(?<!\w)(?!\w))"}.get(char)
            return "\\" + char, java or "\\" + char
        return self._escaped_character()

    def _escaped_character(self) -> tuple[str, str]:
        """An escape that means the same in and out of a class: a control, a code point, a category, punctuation."""
        rest = self.text[self.at : self.at + 12]
        char = rest[:1]
        if char in _CONTROLS:
            self.at += 1
            return _CONTROLS[char], _CONTROLS[char]
        if char in ("p", "P") and (found := _CATEGORY.match(rest, 1)):
            self.at += found.end()
            negated = (char == "P") != bool(found[2])
            both = f"\\{'P' if negated else 'p'}{{{found[1] or found[3]}}}"
            return both, both
        if found := _HEX.match(rest):
            code = int(found[1] or found[2], 16)
            if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                raise _refused(self.where, _("a code point that does not exist"))
            self.at += found.end()
            return f"\\x{{{code:X}}}", f"\\x{{{code:X}}}"
        if char.isascii() and not char.isalnum() and char:
            self.at += 1
            return _literal(char)
        raise _refused(self.where, _("the escape {text!r} (back-references among them)").format(text="\\" + char))

    def _class(self) -> tuple[str, str]:
        parts: list[str] = []
        negation = ""
        if self.text[self.at : self.at + 1] == "^":
            negation = "^"
            self.at += 1
        first = True
        while first or self.text[self.at : self.at + 1] != "]":
            if self.at >= len(self.text):
                raise _refused(self.where, _("a class without its end"))
            parts.append(self._member())
            first = False
        self.at += 1
        both = f"[{negation}{''.join(parts)}]"
        return both, both

    def _member(self) -> str:
        if found := _POSIX.match(self.text, self.at):
            if found[1] or found[2] not in _POSIX_SETS:
                raise _refused(self.where, _("the class {text}").format(text=found[0]))
            self.at = found.end()
            return _POSIX_SETS[found[2]]
        char = self.text[self.at]
        if char == "\\" and self.text[self.at + 1 : self.at + 2] in ("d", "w", "s"):
            self.at += 2
            return _CLASSES[self.text[self.at - 1]]
        low = self._class_character()
        if self.text[self.at : self.at + 1] == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
            self.at += 1
            if self.text[self.at] == "[" or self.text[self.at : self.at + 2] in ("\\d", "\\w", "\\s", "\\p", "\\P"):
                raise _refused(self.where, _("a range whose end is a class"))
            high = self._class_character()
            if low.startswith(("\\p", "\\P")) or _code(high) < _code(low):
                raise _refused(self.where, _("a range that runs backwards"))
            return f"{low}-{high}"
        return low

    def _class_character(self) -> str:
        char = self.text[self.at]
        self.at += 1
        if char == "\\":
            return self._escaped_character()[0]
        return "\\" + char if char in "[]^-&~|#\\" else char


def _literal(char: str) -> tuple[str, str]:
    both = "\\" + char if char in r"\.+*?()|[]{}^$/#&~-" else char
    return both, both


def _code(text: str) -> int:
    """The code point of one class member as `_class_character` writes it."""
    if text.startswith("\\x"):
        return int(text[3:-1], 16)
    plain = {value: ord(chr_) for value, chr_ in ((r"\n", "\n"), (r"\t", "\t"), (r"\r", "\r"), (r"\f", "\f"))}
    return plain.get(text, ord(text[-1]))


def replacement(text: str, pattern: Pattern, *, where: str, shift: int = 0) -> str:
    r"""RE2's replacement (`\1`) in Java's notation (`$1`), group numbers raised by `shift`.

    Raises `SqlRefused` for groups that do not exist, and for groups at all in a pattern with nine or more: the two
    notations then differ in what a digit after the number means.
    """
    pieces = []
    for found in re.finditer(r"\\(.?)|([^\\])", text, re.DOTALL):
        if found[2]:
            pieces.append("\\$" if found[2] == "$" else found[2])
        elif found[1].isdigit() and found[1].isascii() and int(found[1]) <= pattern.captures < 9:
            pieces.append(f"${int(found[1]) + shift}")
        elif found[1] == "\\":
            pieces.append("\\\\")
        else:
            raise _refused(where, _("a replacement of a group it does not have"))
    return "".join(pieces)
