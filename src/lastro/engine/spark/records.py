"""Text files taken apart into records, in Spark's Python workers; and what the driver must know before.

Rules:

1. Files are read by the same reader as DuckDB's (`engine.duck.feed`): encodings, compression, line ends, limits. Lines
   of logs are taken apart by the DuckDB engine's own statement, in the worker.
2. A batch has the source's columns as text, then `POSITION` (from 1) and `MALFORMED`: the record's own text where it
   cannot be taken apart, else NULL. Blank lines are no records.
3. A delimited record has exactly as many values as there are columns; a quote that closes is followed by a delimiter.
4. JSON objects say which members they have besides those asked for (`UNREAD`, a column of their own), and give the
   record itself for a name `REST`.
5. A JSON number is written as ECMAScript writes it; whole numbers keep all their digits.
"""

from __future__ import annotations

import csv
import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from lastro.engine.duck import feed, header, opening
from lastro.engine.duck.connection import in_order, name
from lastro.engine.duck.limits import MIB, Limits
from lastro.engine.duck.relations import LINE
from lastro.engine.duck.split import without_fields
from lastro.engine.duck.survey import Surveyor
from lastro.engine.protocol import OFFSET, REST, UNREAD
from lastro.engine.scan import Csv, JsonLines, Lines
from lastro.model.schema import Schema

POSITION, MALFORMED, PLACE = "position", "malformed", "place"
BATCH_ROWS = 10_000
FIELDS_LINES = 20_000
Record = tuple[Sequence[str | None] | None, str | None]
"""A record's values, or the text that could not be taken apart."""


def columns(path: Path, kind: Csv, limits: Limits) -> tuple[str, ...]:
    """A delimited file's columns. Raises `engine.duck.failure.Refused`."""
    return header.columns(feed.blocks(path, encoding=kind.encoding), kind, limits.columns_max, str(path))


def check(path: Path, kind: Csv | JsonLines | Lines, limits: Limits) -> None:
    """Reads a file once for what no worker should stumble over. Raises `engine.duck.failure.Refused`."""
    if isinstance(kind, Lines):
        deque(feed.raw_blocks(path), maxlen=0)
        return
    quote, delimiter = (kind.quote, kind.delimiter) if isinstance(kind, Csv) else ("", "")
    surveyor = Surveyor(str(path), limits.cell_bytes_max + MIB, quote=quote, delimiter=delimiter)
    for block in feed.blocks(path, encoding=kind.encoding if isinstance(kind, Csv) else "utf-8"):
        surveyor.look(block)


def fields(path: Path) -> tuple[str, ...]:
    """The keys of the objects in a JSON file's first lines, in the order in which they turn up."""
    names: dict[str, None] = {}
    for line in islice(_lines(path, "utf-8", feed.LineText()), FIELDS_LINES):
        found = json_object(line)
        names |= dict.fromkeys(found or ())
    return tuple(names)


def read(path: Path, kind: Csv | JsonLines, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The file's records in batches."""
    match kind:
        case Csv():
            found = _delimited(path, kind, len(names))
        case JsonLines():
            found = (take_object(line, names) for line in _present(path))
    return batches(found, names)


def line_schema(path: Path, kind: Lines, limits: Limits, wanted: Sequence[str]) -> Schema:
    """The columns of a file of lines. Raises `engine.duck.failure.Refused`."""
    with TemporaryDirectory(prefix="lines-") as folder:
        return opening.schema(path, kind, limits, Path(folder), [name for name in wanted if name != UNREAD])


def read_lines(path: Path, kind: Lines, names: Sequence[str], limits: Limits) -> Iterator[pa.RecordBatch]:
    """The records of a file of lines, with `PLACE` (in bytes) as the last column."""
    fields = [name for name in names if name != UNREAD]
    before = 0
    with (
        TemporaryDirectory(prefix="lines-") as folder,
        opening.opened(path, kind, fields, limits, Path(folder)) as file,
    ):
        query = f"SELECT {', '.join(map(name, (*names, LINE, OFFSET)))} FROM {opening.RAW}"
        for batch in in_order(file.connection, query).to_arrow_reader(BATCH_ROWS):
            lines = batch.column(LINE)
            blank, _malformed = without_fields(lines, batch.num_rows)
            present = batch.filter(pa.array(~blank))
            positions = pa.array(range(before + 1, before + 1 + present.num_rows), pa.int64())
            before += present.num_rows
            values = [present.column(index).cast(pa.string()) for index in range(len(names))]
            columns = [*values, positions, present.column(LINE).cast(pa.string()), present.column(OFFSET)]
            yield pa.RecordBatch.from_arrays(columns, names=[*names, POSITION, MALFORMED, PLACE])
        file.finish()


def batches(found: Iterable[Record], names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Records as batches; at least one batch, which may be empty."""
    schema = pa.schema([*((name, pa.string()) for name in names), (POSITION, pa.int64()), (MALFORMED, pa.string())])
    empty: tuple[None, ...] = (None,) * len(names)
    numbered = enumerate(found, 1)
    while chunk := list(islice(numbered, BATCH_ROWS)):
        rows = [values if values is not None else empty for _position, (values, _text) in chunk]
        arrays = [pa.array([row[index] for row in rows], pa.string()) for index in range(len(names))]
        positions = pa.array([position for position, _record in chunk], pa.int64())
        malformed = pa.array([text for _position, (_values, text) in chunk], pa.string())
        yield pa.RecordBatch.from_arrays([*arrays, positions, malformed], schema=schema)


def _present(path: Path) -> Iterator[str]:
    return (line for line in _lines(path, "utf-8", feed.LineText()) if line.strip())


def _lines(path: Path, encoding: str, normalise: Callable[[bytes], bytes]) -> Iterator[str]:
    """The file's lines without their ends; a byte that is not UTF-8 becomes a lone surrogate."""
    rest = b""
    for block in feed.blocks(path, encoding=encoding, normalise=normalise):
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield line.decode(errors="surrogateescape")
    if rest:
        yield rest.decode(errors="surrogateescape")


def _delimited(path: Path, kind: Csv, width: int) -> Iterator[Record]:
    source = _Remembered(_lines(path, kind.encoding, feed.QuotedText(kind.quote, kind.escape)))
    for _line in range(kind.skip):
        next(source, None)
    reader = csv.reader(source, strict=True, **_csv_options(kind))
    nulls = frozenset(kind.null_texts)
    awaiting_header = kind.header
    while True:
        source.seen.clear()
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            values = []
        text = "\n".join(source.seen)
        if not text.strip("\n") and width > 1:
            continue
        if awaiting_header:
            awaiting_header = False
        elif len(values) != width or not _is_unicode(text):
            yield None, _shown(text)
        else:
            yield [None if value in nulls else value for value in values], None


def _csv_options(kind: Csv) -> dict[str, Any]:  # Any: csv's own options
    options: dict[str, Any] = {"delimiter": kind.delimiter, "skipinitialspace": False}  # Any: csv's own options
    if not kind.quote:
        return options | {"quoting": csv.QUOTE_NONE}
    if kind.escape != kind.quote:
        options |= {"doublequote": False, "escapechar": kind.escape}
    return options | {"quotechar": kind.quote}


class _Remembered:
    """An iterator of lines that remembers those handed out since `seen` was cleared."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.seen: list[str] = []

    def __iter__(self) -> _Remembered:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.seen.append(line)
        return line + "\n"


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\udc80" <= char <= "\udcff" for char in text)


def _shown(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


def take_object(line: str | None, names: Sequence[str]) -> Record:
    """The named members of a JSON object as texts; under the name `UNREAD`, a list of the other members' names."""
    found = json_object(line) if line is not None else None
    if found is None:
        return None, _shown(line or "")
    others = [name for name in found if name not in names]
    special: dict[str, str | None] = {UNREAD: json.dumps(others)} if others else {}
    special |= {REST: line} if any(found[name] is not None for name in others) else {}
    known = (name for name in names if name not in (REST, UNREAD))
    values = {name: _member(found.get(name)) for name in known} | special
    return [values.get(name) for name in names], None


def json_object(line: str) -> dict[str, Any] | None:  # Any: JSON values
    """The object a line holds. None if the line is anything else, or a key occurs twice in it."""
    if not line.lstrip(" \t\r").startswith("{") or not _is_unicode(line):
        return None
    try:
        found = json.loads(
            line, parse_float=_Number, parse_int=_Whole, parse_constant=_Whole, object_pairs_hook=_object
        )
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and not isinstance(found, _Repeating) else None


class _Number(str):
    """A number that has a point or an exponent, as JSON will write it."""

    __slots__ = ()

    def __new__(cls, written: str) -> _Number:
        """The number in ECMAScript's notation; as written, if it is beyond a double."""
        value = float(written)
        return super().__new__(cls, written if math.isinf(value) else _ecma(value))


class _Whole(str):
    """A whole number with all its digits, or one of the words that stand where a number should."""

    __slots__ = ()


def _ecma(value: float) -> str:
    text = repr(value)
    mantissa, marker, exponent = text.partition("e")
    if not marker:
        return text
    power = int(exponent)
    if 0 <= power < 21:
        return f"{value:.1f}"
    if -7 < power < 0:
        return f"{value:.{len(mantissa.replace('.', '').lstrip('-')) - 1 - power}f}"
    return f"{mantissa}e{power}"


class _Repeating(dict[str, Any]):  # Any: JSON values
    """An object in which a key occurs twice; written, it holds all that it held."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:  # Any: JSON values
        super().__init__(pairs)
        self.pairs = pairs


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # Any: JSON values
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Repeating(pairs)


def _member(value: Any) -> str | None:  # Any: a JSON value
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return str(value)
        case _:
            return _written(value)


def _written(value: Any) -> str:  # Any: a JSON value
    match value:
        case _Number() | _Whole():
            return str(value)
        case dict():
            pairs = value.pairs if isinstance(value, _Repeating) else value.items()
            return (
                "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_written(item)}" for key, item in pairs) + "}"
            )
        case list():
            return "[" + ",".join(_written(item) for item in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
