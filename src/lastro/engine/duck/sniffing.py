"""Sniffing: how a delimited file is written, told from its first bytes; for `lastro add`, never while staging.

Rules:

1. The encoding is UTF-16 or UTF-8 by its mark, UTF-8 if it decodes, else cp1252, else latin-1.
2. The delimiter is the one that cuts most records into the same number of values, more than one if any does.
3. The first record is a header if its values are distinct, none is empty or a number, and none turns up again below.
4. A text that often stands for 'missing' is one here only if it is some column's whole value.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from itertools import islice
from pathlib import Path

import msgspec

from lastro.engine.duck import feed, frames, guard
from lastro.engine.duck.failure import refuse
from lastro.engine.duck.limits import Limits
from lastro.engine.scan import Csv, FileScan

START_BYTES = 1 << 20
RECORDS = 500
DELIMITERS = (",", ";", "\t", "|")
QUOTES = ('"', "'")
NULL_TEXTS = ("NA", "N/A", "#N/A", "NULL", "null", "NaN", "nan", "None", "\\N")
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,/: -]*")
Records = list[list[str]]


def sniff(path: Path, *, limits: Limits | None = None) -> Csv:
    """How the file is written. Raises `SourceUnreachable`, `SourceBroken`, `LimitExceeded`."""
    with guard.guarded("sniff", FileScan((path,), Csv()), limits or Limits()) as child:
        return msgspec.convert(child.answer(frames.Answer).value, Csv)


def first_lines(path: Path, *, limits: Limits | None = None) -> tuple[str, tuple[str, ...]]:
    r"""The encoding and the first lines of a text file; what it does not have is shown as `\xff`.

    Raises what `sniff` does.
    """
    with guard.guarded("lines", FileScan((path,), Csv()), limits or Limits()) as child:
        return msgspec.convert(child.answer(frames.Answer).value, tuple[str, tuple[str, ...]])


def start_lines(path: Path) -> tuple[str, tuple[str, ...]]:
    """The encoding and the first lines; in the child. It is cp1252 if more lines are broken in UTF-8 than prove it.

    Raises `Refused`.
    """
    start, whole = _start(path)
    if not start.strip():
        refuse("empty", str(path))
    found = start.removeprefix(feed.BOM).split(b"\n")
    lines = [line.removesuffix(b"\r") for line in (found if whole or len(found) == 1 else found[:-1])]
    sound = [_is_utf8(line) for line in lines if not line.isascii()]
    encoding = "cp1252" if sum(sound) < len(sound) / 2 else "utf-8"
    return encoding, tuple(line.decode(encoding, errors="backslashreplace") for line in lines[:RECORDS])


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def look(path: Path) -> Csv:
    """How the file is written; in the child. Raises `Refused`."""
    start, whole = _start(path)
    encoding = _encoding(start, str(path))
    text = codecs.getincrementaldecoder(encoding)(errors="ignore").decode(start)
    if not text.strip():
        refuse("empty", str(path))
    if not whole:
        text = text[: text.rfind("\n") + 1] or text
    delimiter, quote, records = _dialect(text)
    header = _has_header(records)
    return Csv(
        delimiter=delimiter,
        quote=quote,
        escape="\\" if quote and f"\\{quote}" in text and quote * 2 not in text else quote,
        header=header,
        encoding=encoding,
        null_texts=("", *_null_texts(records[1:] if header else records)),
    )


def _start(path: Path) -> tuple[bytes, bool]:
    """The file's first bytes, decompressed, and whether they are all."""
    start = b""
    for block in feed.raw_blocks(path):
        start += block
        if len(start) >= START_BYTES:
            return start[:START_BYTES], False
    return start, True


def _encoding(start: bytes, file: str) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:
        half = len(start) // 2
        if start[1::2].count(0) > half * 0.4:
            return "utf-16-le"
        if start[::2].count(0) > half * 0.4:
            return "utf-16-be"
        refuse("nul", file, line=start.count(b"\n", 0, start.index(b"\0")) + 1)
    for encoding in ("utf-8", "cp1252"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(start)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _dialect(text: str) -> tuple[str, str, Records]:
    tried = [
        (delimiter, quote, _records(text, delimiter, quote))
        for quote in QUOTES
        if quote == '"' or quote in text
        for delimiter in DELIMITERS
    ]
    return max(tried, key=lambda one: _score(one[2], one[1]))


def _records(text: str, delimiter: str, quote: str) -> Records:
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, quotechar=quote)
    return [record for record in islice(reader, RECORDS) if record]


def _score(records: Records, quote: str) -> tuple[float, int, bool]:
    """How well records agree: the share that has the commonest number of values, that number, the usual quote."""
    if not records:
        return 0.0, 0, False
    width, times = Counter(len(record) for record in records).most_common(1)[0]
    return (times / len(records) if width > 1 else 0.0), width, quote == '"'


def _has_header(records: Records) -> bool:
    first, rest = records[0], records[1:]
    names = [value.strip() for value in first]
    if len(set(names)) < len(names) or not all(names) or any(_NUMBER.fullmatch(value) for value in names):
        return False
    return not any(value in {row[index] for row in rest if index < len(row)} for index, value in enumerate(first))


def _null_texts(records: Records) -> tuple[str, ...]:
    cells = {value for record in records for value in record}
    return tuple(text for text in NULL_TEXTS if text in cells)
