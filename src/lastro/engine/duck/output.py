"""Writing a stream to one file for people and other programs, whole or not at all.

Rules:

1. The file is written beside its target under a temporary name, synced, and renamed; what fails leaves nothing.
2. CSV: a header, quotes where needed, a missing value is nothing and an empty text is `""`. Nested values are JSON,
   bytes are hexadecimal.
3. JSON lines: one object a row, every column in every row. A decimal that a double may not hold exactly is a text.
4. Times are RFC 3339 wherever they stand, within nested values too: `2026-01-31T10:00:00Z` for a moment, the same
   without a zone for one that has none; a fraction only where there is one.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from lastro.engine.duck.connection import name, session
from lastro.engine.duck.failure import write_failed
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.parquet import COMPRESSION, GROUP_ROWS, LEVEL
from lastro.engine.scan import ArrowStream
from lastro.model.errors import UsageError
from lastro.model.text import _

BATCH_ROWS = 30_720
DOUBLE_DIGITS = 15
Form = Callable[[pa.RecordBatchReader, BinaryIO, Limits, Path | None], int]


def write(stream: ArrowStream, target: Path, form: str, limits: Limits, temp: Path | None) -> int:
    """Writes the stream's rows; returns how many. Raises `UsageError` for an unknown form, `WriteFailed`."""
    if form not in FORMS:
        raise UsageError(
            _("{form!r} is not a form of file").format(form=form[:20]),
            where=str(target),
            do=_("choose one of: {forms}").format(forms=", ".join(FORMS)),
        )
    with _whole(target) as sink:
        return FORMS[form](pa.RecordBatchReader.from_stream(stream), sink, limits, temp)


@contextmanager
def _whole(target: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name only once it is complete and on the disk."""
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with beside.open("xb") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        beside.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise write_failed(error, str(target)) from error
    finally:
        beside.unlink(missing_ok=True)


def _parquet(reader: pa.RecordBatchReader, sink: BinaryIO, _limits: Limits, _temp: Path | None) -> int:
    rows = 0
    options = {"compression": COMPRESSION, "compression_level": LEVEL, "store_schema": False}
    with pq.ParquetWriter(sink, reader.schema, **options) as writer:
        for batch in reader:
            writer.write_batch(batch, row_group_size=GROUP_ROWS)
            rows += batch.num_rows
    return rows


def _arrow(reader: pa.RecordBatchReader, sink: BinaryIO, _limits: Limits, _temp: Path | None) -> int:
    rows = 0
    with pa.ipc.new_file(sink, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _csv(reader: pa.RecordBatchReader, sink: BinaryIO, limits: Limits, temp: Path | None) -> int:
    items = [_flat(field) for field in reader.schema]
    rows = 0
    with _selected(reader, ", ".join(items), limits, temp) as flat, csv.CSVWriter(sink, flat.schema) as writer:
        for batch in flat:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _flat(field: pa.Field) -> str:
    column = name(field.name)
    if pa.types.is_nested(field.type):
        return f"to_json({_timed(column, field.type)})::VARCHAR AS {column}"
    if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
        return f"lower(hex({column})) AS {column}"
    return f"{_timed(column, field.type)} AS {column}"


def _jsonl(reader: pa.RecordBatchReader, sink: BinaryIO, limits: Limits, temp: Path | None) -> int:
    members = ", ".join(f"'{field.name.replace(chr(39), chr(39) * 2)}', {_member(field)}" for field in reader.schema)
    rows = 0
    with _selected(reader, f"json_object({members})::VARCHAR AS line", limits, temp) as lines:
        for batch in lines:
            for line in batch.column(0).to_pylist():
                sink.write(line.encode() + b"\n")
            rows += batch.num_rows
    return rows


def _member(field: pa.Field) -> str:
    column = name(field.name)
    if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
        return f"lower(hex({column}))"
    if pa.types.is_decimal(field.type) and field.type.precision > DOUBLE_DIGITS:
        return f"{column}::VARCHAR"
    return _timed(column, field.type)


def _timed(value: str, kind: pa.DataType, *, depth: int = 0) -> str:
    """The SQL value with every time in it as text."""
    if not _has_time(kind):
        return value
    if pa.types.is_timestamp(kind):
        return f"replace(CAST(({value})::TIMESTAMP AS VARCHAR), ' ', 'T')" + (" || 'Z'" if kind.tz else "")
    item = f"item_{depth}"
    if pa.types.is_struct(kind):
        members = (
            f"{name(one.name)} := {_timed(f'({value}).{name(one.name)}', one.type, depth=depth)}" for one in kind
        )
        return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({', '.join(members)}) END"
    if pa.types.is_map(kind):
        key, held = (_timed(f"{item}.{part}", of, depth=depth + 1) for part, of in _of_map(kind))
        pairs = f"list_transform(map_entries({value}), lambda {item}: struct_pack(k := {key}, v := {held}))"
        return f"CASE WHEN {value} IS NOT NULL THEN map_from_entries({pairs}) END"
    return f"list_transform({value}, lambda {item}: {_timed(item, kind.value_type, depth=depth + 1)})"


def _of_map(kind: pa.MapType) -> tuple[tuple[str, pa.DataType], tuple[str, pa.DataType]]:
    return ("key", kind.key_type), ("value", kind.item_type)


def _has_time(kind: pa.DataType) -> bool:
    if pa.types.is_map(kind):
        return _has_time(kind.key_type) or _has_time(kind.item_type)
    if pa.types.is_nested(kind):
        return any(_has_time(kind.field(index).type) for index in range(kind.num_fields))
    return bool(pa.types.is_timestamp(kind))


@contextmanager
def _selected(
    reader: pa.RecordBatchReader, items: str, limits: Limits, temp: Path | None
) -> Iterator[pa.RecordBatchReader]:
    with session(limits, temp=temp) as connection:
        connection.register("rows_in", reader)
        yield connection.sql(f"SELECT {items} FROM rows_in").to_arrow_reader(BATCH_ROWS)


FORMS: dict[str, Form] = {"parquet": _parquet, "csv": _csv, "jsonl": _jsonl, "arrow": _arrow}
