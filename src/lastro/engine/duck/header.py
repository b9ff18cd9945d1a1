"""The first record of a delimited file: how many columns, and what they are called.

Rules:

1. Every column has a name, and no two names are equal, letter case aside (SQL does not tell them apart).
2. An error names positions, never names: without a header line, the "names" would be a person's data.
3. A quote is one only at a value's start (RFC 4180, section 2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lastro.engine.duck.failure import refuse
from lastro.engine.duck.limits import MIB
from lastro.engine.scan import Csv

HEADER_BYTES_MAX = 4 * MIB


def columns(blocks: Iterable[bytes], dialect: Csv, columns_max: int, file: str) -> tuple[str, ...]:
    """The columns' names. Raises `Refused` (`empty`, `encoding`, `columns`, `no_columns`, `same_name`, …)."""
    line = dialect.skip + 1
    try:
        record = first_record(_start(blocks, dialect, file).decode(), dialect)
    except UnicodeDecodeError:
        refuse("encoding", file, line=line, detail="UTF-8")
    if len(record) > columns_max:
        refuse("columns", file, line=line, first=len(record), second=columns_max)
    if dialect.columns is not None:
        return checked(dialect.columns, line, file)
    if not dialect.header:
        return tuple(f"column_{index}" for index in range(1, len(record) + 1))
    return checked(tuple(record), line, file)


def checked(names: tuple[str, ...], line: int, file: str) -> tuple[str, ...]:
    """The names, if they can be columns' (rule 1). Raises `Refused` (`no_columns`, `same_name`)."""
    seen: dict[str, int] = {}
    for index, name in enumerate(names, 1):
        if not name.strip():
            refuse("no_columns", file, line=line, first=index)
        earlier = seen.setdefault(name.casefold(), index)
        if earlier != index:
            refuse("same_name", file, line=line, first=earlier, second=index)
    return names


def _start(blocks: Iterable[bytes], dialect: Csv, file: str) -> bytes:
    """The first record's bytes without its line end; what follows it is neither decoded nor kept."""
    gathered = b""
    for block in blocks:
        gathered += block
        start = _after(gathered, dialect.skip)
        end = record_end(start, dialect) if start else None
        if end is not None:
            return _checked_start(start[:end].removesuffix(b"\r"), file, dialect.skip + 1)
        if len(gathered) > HEADER_BYTES_MAX:
            refuse("header_long", file, line=dialect.skip + 1, first=HEADER_BYTES_MAX)
    return _checked_start(_after(gathered, dialect.skip), file, dialect.skip + 1)


def _checked_start(record: bytes, file: str, line: int) -> bytes:
    if b"\0" in record:
        refuse("nul", file, line=line)
    if not record.strip():
        refuse("empty", file)
    return record


def _after(text: bytes, lines: int) -> bytes:
    start = 0
    for _line in range(lines):
        start = text.find(b"\n", start) + 1
        if start == 0:
            return b""
    return text[start:]


def record_end(text: bytes, dialect: Csv) -> int | None:
    """Where the first record's line end is; None if the text stops before it."""
    quote = dialect.quote.encode()
    inside = False
    for found in re.finditer(rb"\n|\r(?!\n)" + (b"|" + re.escape(quote) if quote else b""), text):
        if found[0] == quote:
            inside = not inside
        elif not inside:
            return found.start()
    return None


def first_record(record: str, dialect: Csv) -> list[str]:
    """The values of one record."""
    values: list[str] = []
    position = 0
    while True:
        value, position = _value(record, position, dialect)
        values.append(value)
        if not record.startswith(dialect.delimiter, position):
            return values
        position += len(dialect.delimiter)


def _value(text: str, start: int, dialect: Csv) -> tuple[str, int]:
    if not dialect.quote or not text.startswith(dialect.quote, start):
        end = text.find(dialect.delimiter, start)
        end = len(text) if end < 0 else end
        return text[start:end], end
    value: list[str] = []
    position = start + 1
    while position < len(text):
        character = text[position]
        if character == dialect.escape and text.startswith((dialect.quote, dialect.escape), position + 1):
            value.append(text[position + 1])
            position += 2
        elif character == dialect.quote:
            return "".join(value), position + 1
        else:
            value.append(character)
            position += 1
    return "".join(value), position
