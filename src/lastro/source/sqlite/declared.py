"""What a table of SQLite declares.

Rules:

1. The primary key is what `PRAGMA table_info` says, in the key's order; a view has none.
2. SQLite reads a declared type by parts of its name (https://www.sqlite.org/datatype3.html, 3.1) and holds values to it
   loosely. It is told here for columns without a value only. Beside SQLite's own kinds of numbers and text, the
   names that other databases have for decimals, booleans, dates and times are understood.
"""

from __future__ import annotations

import re

from lastro.model.declared import Declared
from lastro.model.schema import Decimal, Primitive, Type
from lastro.source.database.select import quoted
from lastro.source.sqlite.session import SqliteSession

_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\s*\(\s*(\d{1,2})\s*(?:,\s*(\d{1,2})\s*)?\)", re.ASCII)
_KINDS: tuple[tuple[str, Type], ...] = (
    ("BOOL", Primitive.BOOLEAN),
    ("TIMESTAMP", Primitive.TIMESTAMP_NTZ),
    ("DATETIME", Primitive.TIMESTAMP_NTZ),
    ("DATE", Primitive.DATE),
    ("INT", Primitive.LONG),
    ("CHAR", Primitive.STRING),
    ("CLOB", Primitive.STRING),
    ("TEXT", Primitive.STRING),
    ("REAL", Primitive.DOUBLE),
    ("FLOA", Primitive.DOUBLE),
    ("DOUB", Primitive.DOUBLE),
)


def declared(session: SqliteSession, table: str | None) -> Declared:
    """The primary key and the types; nothing of a query."""
    if table is None:
        return Declared()
    rows = [(row[1], row[2], row[5]) for row in session.rows(f"PRAGMA table_info({quoted(table)})")]
    key = sorted((place, name) for name, _kind, place in rows if place)
    types = {name: found for name, kind, _place in rows if (found := type_of(kind)) is not None}
    return Declared(tuple(name for _place, name in key), types)


def type_of(written: str) -> Type | None:
    """The type that a declaration means; None for one that may be anything."""
    text = written.strip().upper()
    if found := _DECIMAL.fullmatch(text):
        precision, scale = int(found[1]), int(found[2] or 0)
        return Decimal(precision, scale) if 1 <= precision <= 38 and scale <= precision else None
    return next((kind for part, kind in _KINDS if part in text), None)
