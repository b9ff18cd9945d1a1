"""How dates and times are written: from JDK's DateTimeFormatter letters, which ODCS prescribes, to strptime and back.

Rules:

1. A format with `%` is strptime's already; only directives that every engine knows are allowed.
2. Else letters are JDK's: `dd/MM/yyyy HH:mm:ss`. `YYYY` and `DD`, which the standard's own examples use for year and
   day, are read so. Text in single quotes stands for itself, and so does a bare `T`.
3. An unknown letter is an error. A date needs year, month and day.
4. ISO 8601 is the default and becomes None.
5. `epoch`, `epoch_ms`, `epoch_us` and `epoch_ns` stand for numbers since 1970 in UTC, `iso8601_ns` for ISO 8601 with up
   to nine digits of fraction, of which six are kept.
"""

from __future__ import annotations

import re

from lastro.contract.document import Node, shown
from lastro.model.text import _

_JDK = {
    "yyyy": "%Y",
    "uuuu": "%Y",
    "YYYY": "%Y",
    "y": "%Y",
    "u": "%Y",
    "yy": "%y",
    "uu": "%y",
    "MM": "%m",
    "M": "%m",
    "MMM": "%b",
    "MMMM": "%B",
    "dd": "%d",
    "d": "%d",
    "DD": "%d",
    "DDD": "%j",
    "HH": "%H",
    "H": "%H",
    "hh": "%I",
    "h": "%I",
    "mm": "%M",
    "m": "%M",
    "ss": "%S",
    "s": "%S",
    "a": "%p",
    "EEE": "%a",
    "EEEE": "%A",
    "Z": "%z",
    "X": "%z",
    "XX": "%z",
    "XXX": "%z",
    "xx": "%z",
    "xxx": "%z",
    "T": "T",
}
_STRPTIME = frozenset("YymbBdjHIMSpaAfz%")
_BACK = {
    "%Y": "yyyy",
    "%y": "yy",
    "%m": "MM",
    "%b": "MMM",
    "%B": "MMMM",
    "%d": "dd",
    "%j": "DDD",
    "%H": "HH",
    "%I": "hh",
    "%M": "mm",
    "%S": "ss",
    "%f": "SSSSSS",
    "%p": "a",
    "%a": "EEE",
    "%A": "EEEE",
    "%z": "XXX",
}
WORDS = frozenset({"epoch", "epoch_ms", "epoch_us", "epoch_ns", "iso8601_ns"})
_ISO = {
    "date": ("%Y-%m-%d",),
    "time": ("%H:%M:%S", "%H:%M:%S.%f"),
    "timestamp": ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"),
}
_PIECE = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']|'")


def strptime_format(node: Node) -> str | None:
    """The column's date format in strptime notation, or None for ISO 8601; a wrong one is noted."""
    kind = node.data["logicalType"]
    written = node.child("logicalTypeOptions").child("format")
    if kind not in _ISO or written.data is None:
        return None
    if kind == "timestamp" and written.data in WORDS:
        return str(written.data)
    try:
        form = _check_strptime(written.data) if "%" in written.data else _from_jdk(written.data)
    except ValueError as error:
        what = _("the date format has an unknown part: {part}").format(part=shown(error))
        written.refuse(what, _("write it as `dd/MM/yyyy HH:mm:ss`, or in strptime notation as `%d/%m/%Y`"))
        return None
    if kind != "time" and not _has_day(form):
        written.refuse(_("the format holds no full date"), _("it needs year, month and day, as in `dd/MM/yyyy`"))
        return None
    return None if form in _ISO[kind] else form


def jdk_format(form: str) -> str:
    """A strptime format in JDK letters, as the standard wants it; itself if it has no such form."""
    if form in WORDS:
        return form
    written = "".join(_BACK.get(piece) or _quoted(piece) for piece in re.findall(r"%.|[^%]+", form))
    try:
        return written if _from_jdk(written) == form else form
    except ValueError:
        return form


def _quoted(text: str) -> str:
    """Text between the letters of a format, in quotes where it holds letters itself."""
    if not any(letter.isalpha() or letter == "'" for letter in text):
        return text
    return "'" + text.replace("'", "''") + "'"


def _check_strptime(form: str) -> str:
    for found in re.finditer(r"%(.?)", form):
        if found[1] not in _STRPTIME or not found[1]:
            raise ValueError(found[0])
    return form


def _from_jdk(form: str) -> str:
    return "".join(_piece(found[0]) for found in _PIECE.finditer(form))


def _piece(piece: str) -> str:
    if piece == "''":
        return "'"
    if piece.startswith("'"):
        if len(piece) == 1:
            raise ValueError(piece)
        return piece[1:-1].replace("''", "'")
    if set(piece) == {"S"} and len(piece) <= 9:
        return "%f"
    if piece.isascii() and piece.isalpha():
        if piece not in _JDK:
            raise ValueError(piece)
        return _JDK[piece]
    return piece


def _has_day(form: str) -> bool:
    year = "%Y" in form or "%y" in form
    month = any(part in form for part in ("%m", "%b", "%B"))
    return year and ("%j" in form or (month and "%d" in form))
