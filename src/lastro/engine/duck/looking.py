"""Looking at a source before there is a contract: its columns, and a sample of them.

Rules:

1. Files are looked at in the guarded child, streams in this process.
2. Describing does not consume a stream; sampling does.
3. A column that a database declares as text stays text, whatever its values look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from lastro.engine.duck import frames, guard
from lastro.engine.duck.connection import name, session
from lastro.engine.duck.failure import Refused, to_error
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.opening import field_names
from lastro.engine.duck.relations import LINE, objects
from lastro.engine.duck.sampling import Seen, gather, seen
from lastro.engine.duck.stream import RECORD, Inflow, schema
from lastro.engine.scan import FileScan, Scan, StreamScan
from lastro.model.sample import Sample
from lastro.model.schema import Field, Schema


def describe(scan: Scan, limits: Limits, temp: Path | None) -> Schema:
    """The columns, in the order in which they turn up. Raises `SourceBroken`, `LimitExceeded`."""
    match scan:
        case StreamScan():
            return schema(scan)
        case FileScan():
            with guard.guarded("describe", scan, limits, temp=temp) as child:
                described = child.answer(frames.Described)
            return _united([Schema.from_delta(text) for text in described.schemas])


def _united(schemas: Sequence[Schema]) -> Schema:
    fields: dict[str, Field] = {}
    for each in schemas:
        for field in each.fields:
            fields.setdefault(field.name, field)
    return Schema(tuple(fields.values()))


def sample(scan: Scan, limits: Limits, temp: Path | None) -> tuple[Sample, ...]:
    """What was seen of each column. Raises `SourceBroken`, `LimitExceeded`."""
    match scan:
        case StreamScan():
            return _of_stream(scan, limits, temp)
        case FileScan():
            with guard.guarded("sample", scan, limits, temp=temp) as child:
                answer = child.answer(frames.Answer)
            return tuple(each.sample() for each in msgspec.convert(answer.value, tuple[Seen, ...]))


def _of_stream(scan: StreamScan, limits: Limits, temp: Path | None) -> tuple[Sample, ...]:
    inflow = Inflow(scan)
    try:
        table, whole = gather(inflow.reader(), limits.sample_rows, limits.sample_bytes)
    except Exception:  # the driver's own, told by its kind alone
        if inflow.failure is not None:
            raise inflow.failure from None
        raise
    if scan.records:
        table = _fields(table, scan, limits, temp)
    texts = [column for column in table.column_names if column in inflow.texts]
    found = {
        each.column.name: each
        for part, narrow in ((table.drop_columns(texts), True), (table.select(texts), False))
        if part.column_names
        for each in (made.sample() for made in seen(part, limits, temp, narrow=narrow, all_read=whole))
    }
    return tuple(found[column] for column in table.column_names)


def _fields(table: pa.Table, scan: StreamScan, limits: Limits, temp: Path | None) -> pa.Table:
    """The fields of a sampled stream of records, as columns."""
    lines = f"SELECT {name(RECORD)} AS {name(LINE)} FROM sampled"
    with session(limits, temp=temp) as connection:
        connection.register("sampled", table)
        try:
            found = field_names(connection, lines, limits, scan.label)
        except Refused as refused:
            raise to_error(refused.failure) from None
        items = ", ".join(name(column) for column in found)
        query = f"SELECT {items} FROM ({objects(lines, found)}) WHERE {name(LINE)} IS NULL"
        return connection.sql(query).to_arrow_table()
