"""Rows over a pyarrow table, for what is about rows alone: no store, no engine."""

from __future__ import annotations

import pyarrow as pa

from lastro.model.schema import Decimal, Field, ListOf, Primitive, Schema
from lastro.workspace.training.rows import Rows

BATCH_ROWS = 7
_KINDS = {
    pa.int64(): Primitive.LONG,
    pa.int32(): Primitive.INTEGER,
    pa.float64(): Primitive.DOUBLE,
    pa.string(): Primitive.STRING,
    pa.string_view(): Primitive.STRING,
    pa.bool_(): Primitive.BOOLEAN,
    pa.date32(): Primitive.DATE,
    pa.timestamp("us", "UTC"): Primitive.TIMESTAMP,
    pa.binary(): Primitive.BINARY,
    pa.decimal128(12, 2): Decimal(12, 2),
    pa.decimal128(20, 0): Decimal(20, 0),
    pa.float32(): Primitive.FLOAT,
    pa.list_(pa.int64()): ListOf(Primitive.LONG),
    pa.timestamp("us"): Primitive.TIMESTAMP_NTZ,
}


def rows_of(table: pa.Table, *, batch_rows: int = BATCH_ROWS) -> Rows:
    schema = Schema(tuple(Field(f.name, _KINDS[f.type], f.nullable) for f in table.schema))

    def opening(columns, where):
        assert where is None
        return table.select(list(columns)).to_reader(max_chunksize=batch_rows)

    return Rows("loans@1", schema, None, opening, lambda: table.num_rows)
