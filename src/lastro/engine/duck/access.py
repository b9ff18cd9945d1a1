r"""Lines of access logs, cut at their quotes and blanks: what their pattern would find, for half of its price.

Rules:

1. A line of the usual kind has no backslash, a request of three words, a time of two, and no blank or bracket in
   another value outside of quotes. It is cut; every other line goes to the pattern, which decides.
2. What is found by cutting is what the pattern finds: a property test compares the two.
"""

from __future__ import annotations

from lastro.engine.duck.connection import name, text
from lastro.engine.duck.lines import BROKEN
from lastro.engine.duck.relations import LINE
from lastro.engine.protocol import OFFSET

CUT = "cut"
"""True where a line was cut."""
PARTS = f"{CUT}, part, head, request, answer"
VALUES = {
    "host": "head[1]",
    "ident": "nullif(head[2], '-')",
    "user": "nullif(head[3], '-')",
    "time": "split_part(split_part(part[1], '[', 2), ']', 1)",
    "method": "request[1]",
    "target": "request[2]",
    "protocol": "request[3]",
    "status": "nullif(answer[2], '-')",
    "size": "nullif(answer[3], '-')",
    "referer": "nullif(nullif(part[4], '-'), '')",
    "agent": "nullif(nullif(part[6], '-'), '')",
}
"""What a line that was cut holds, by the columns of `combined`."""
_WORD = r'[^ "\\\[\]]+'
_COMMON = (
    rf"{_WORD} {_WORD} {_WORD} \[{_WORD} {_WORD}\] "
    r'"[A-Z][A-Z-]* [^ "\\]+ HTTP/[0-9](?:\.[0-9])?" (?:-|[0-9]{3}) (?:-|[0-9]+)'
)
_USUAL = {"common": _COMMON, "combined": rf'{_COMMON}(?: "[^"\\]*" "[^"\\]*")?'}


def cut(source: str, kind: str) -> str:
    """The records of `source` (of `lines.SCHEMA`) with their parts, and `CUT`."""
    kept = ", ".join(map(name, (LINE, OFFSET, BROKEN)))
    usual = f"NOT {name(BROKEN)} AND regexp_full_match({name(LINE)}, {text(_USUAL[kind])})"
    parts = f"CASE WHEN {CUT} THEN string_split({name(LINE)}, '\"') END AS part"
    words = (("head", 1), ("request", 2), ("answer", 3))
    split = ", ".join(f"string_split(part[{number}], ' ') AS {column}" for column, number in words)
    return (
        f"SELECT *, {split} FROM (SELECT *, {parts} FROM (SELECT {kept}, ({usual}) IS TRUE AS {CUT} FROM ({source})))"
    )
