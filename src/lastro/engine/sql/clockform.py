"""How dates and times are written: a strptime format in the subset that both engines read alike.

Rules:

1. Directives: `%Y %m %d %H %M %S %f %b %B %a %A %z` and `%%`. A two-digit year is not among them: its century is a
   guess. A weekday is a name that stands there; it is not compared with the date.
2. Numbers may lack their leading zero (`5/3/2024` under `%d/%m/%Y`) unless another number follows without a separator.
3. `%f` is one to six digits, `%z` is `+HHMM` or `+HH:MM`, names are English.
4. The regular expression decides what is well formed; the engine's parser decides whether the date exists.
5. `epoch`, `epoch_ms`, `epoch_us` and `epoch_ns` are no formats but words: numbers of that unit since 1970 in UTC. So
   is `iso8601_ns`: ISO 8601 with up to nine digits of fraction. What is finer than a microsecond is cut off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from lastro.model.errors import SqlRefused
from lastro.model.text import _

_SHORT_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_LONG_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
# Directive: (RE2, RE2 with fixed width, Java letters, Java letters with fixed width).
_DIRECTIVES = {
    "Y": ("[0-9]{4}", "[0-9]{4}", "yyyy", "yyyy"),
    "m": ("[0-9]{1,2}", "[0-9]{2}", "M", "MM"),
    "d": ("[0-9]{1,2}", "[0-9]{2}", "d", "dd"),
    "H": ("[0-9]{1,2}", "[0-9]{2}", "H", "HH"),
    "M": ("[0-9]{1,2}", "[0-9]{2}", "m", "mm"),
    "S": ("[0-9]{1,2}", "[0-9]{2}", "s", "ss"),
    "f": ("[0-9]{1,6}", "[0-9]{6}", "[SSSSSS][SSSSS][SSSS][SSS][SS][S]", "SSSSSS"),
    "b": (f"(?:{_SHORT_MONTHS})", f"(?:{_SHORT_MONTHS})", "MMM", "MMM"),
    "B": (f"(?:{_LONG_MONTHS})", f"(?:{_LONG_MONTHS})", "MMMM", "MMMM"),
    "z": ("[+-][0-9]{2}:?[0-9]{2}", "[+-][0-9]{2}:?[0-9]{2}", "[XXX][XX]", "[XXX][XX]"),
}
_SHORT_DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_LONG_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_WEEKDAYS = {"a": f"(?:{_SHORT_DAYS})", "A": f"(?:{_LONG_DAYS})"}
_NUMBERS = frozenset("YmdHMSf")
EPOCHS = {"epoch": (11, "1000000"), "epoch_ms": (14, "1000"), "epoch_us": (17, "1"), "epoch_ns": (19, "0.001")}
"""Words for moments written as numbers: their whole digits at most, and how many microseconds one is."""
ISO_NS = "iso8601_ns"
WORDS = frozenset((*EPOCHS, ISO_NS))
_PIECE = re.compile(r"%-?([A-Za-z%])|%|([^%])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ClockForm:
    """A format: for strptime, for Java's DateTimeFormatter (read and written), and as a well-formed text's pattern."""

    strptime: str
    bare: str
    """For strptime, once the weekday is taken out, as the two for Java are."""
    java: str
    java_written: str
    pattern: str
    dropped: str
    """The pattern of the weekday that is taken out before the text is read; empty if there is none."""
    has_date: bool
    has_time: bool
    has_zone: bool


@lru_cache(maxsize=256)
def read(text: str, *, where: str) -> ClockForm:
    """The format in each engine's notation. Raises `SqlRefused` naming `where`."""
    pieces = list(_PIECE.finditer(text))
    used = [found[1] for found in pieces if found[1] and found[1] != "%"]
    known = (*_DIRECTIVES, *_WEEKDAYS, "%")
    unknown = [found[0] for found in pieces if found[1] not in known and not found[2]]
    if unknown or len(set(used)) != len(used) or not used or len(text) > 100:
        raise SqlRefused(
            _("the format {text!r} cannot be used").format(text=text[:100]),
            where=where,
            do=_("use each of {names} at most once, and plain text between them").format(
                names=" ".join(f"%{name}" for name in (*_DIRECTIVES, *_WEEKDAYS))
            ),
        )
    read_pieces = [_piece(found, fixed=_touches(pieces, index)) for index, found in enumerate(pieces)]
    seen = set(used)
    return ClockForm(
        text.replace("%-", "%"),
        "".join(found[0] for found in pieces if found[1] not in _WEEKDAYS).replace("%-", "%"),
        "".join(java for _pattern, java in read_pieces),
        "".join(_piece(found, fixed=True)[1] for found in pieces),
        "".join(pattern for pattern, _java in read_pieces),
        next((_WEEKDAYS[name] for name in used if name in _WEEKDAYS), ""),
        has_date="Y" in seen and bool(seen & {"m", "b", "B"}) and "d" in seen,
        has_time=bool(seen & {"H", "M", "S", "f"}),
        has_zone="z" in seen,
    )


def _piece(found: re.Match[str], *, fixed: bool) -> tuple[str, str]:
    """One directive or character as (RE2 pattern, Java letters)."""
    if found[1] in _WEEKDAYS:
        return _WEEKDAYS[found[1]], ""
    if found[1] and found[1] != "%":
        loose, tight, java, java_fixed = _DIRECTIVES[found[1]]
        return (tight, java_fixed) if fixed else (loose, java)
    char = "%" if found[1] else found[2]
    pattern = "\\" + char if char.isascii() and not char.isalnum() and char != " " else char
    return pattern, "''" if char == "'" else f"'{char}'" if char.isalpha() or char in "[]{}#" else char


def _touches(pieces: list[re.Match[str]], index: int) -> bool:
    """True if a number stands directly before or after this one."""
    return any(
        0 <= near < len(pieces) and pieces[near][1] in _NUMBERS and pieces[index][1] in _NUMBERS
        for near in (index - 1, index + 1)
    )
