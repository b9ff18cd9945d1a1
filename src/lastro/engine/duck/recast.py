"""Stored files written anew under a wider schema: batch after batch, rows in the files' order.

Rules:

1. Every value is cast exactly or not at all: what a wider type does not hold stops the writing.
2. Members of an object go by name; members that a file does not have yet are NULL.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from lastro.engine.duck.arrow import to_arrow
from lastro.engine.duck.parquet import Writer, batches, silent_in
from lastro.engine.duck.stored import told
from lastro.engine.encrypted import sealing_of
from lastro.engine.protocol import StagedFile
from lastro.model.schema import Schema


def recast(existing: Sequence[Path], schema: Schema, folder: Path) -> tuple[StagedFile, ...]:
    """Writes the rows of `existing` into `folder`. Raises `Corrupted`, `EngineError`, `WriteFailed`."""
    target = to_arrow(schema)
    with told(existing):
        silent, sealing = silent_in(existing), sealing_of(existing)
    with Writer(folder, "recast", schema=target, silent=silent, sealing=sealing) as writer:
        for path in existing:
            with told([path]):
                for batch in batches(path):
                    writer.write(_recast(batch, target))
    return tuple(writer.files)


def _recast(batch: pa.RecordBatch, target: pa.Schema) -> pa.RecordBatch:
    names = batch.schema.names
    columns = [
        _values(batch.column(field.name), field.type) if field.name in names else pa.nulls(batch.num_rows, field.type)
        for field in target
    ]
    return pa.RecordBatch.from_arrays(columns, schema=target)


def _values(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """The values under a wider type. Lists and maps keep their offsets, and with them what is NULL."""
    if values.type == kind:
        return values
    if pa.types.is_struct(kind):
        return _members(values, kind)
    if pa.types.is_map(kind):
        keys, items = _values(values.keys, kind.key_type), _values(values.items, kind.item_type)
        return pa.MapArray.from_arrays(_offsets(values), keys, items, kind)
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(_offsets(values), _values(values.values, kind.value_type), kind)
    return values.cast(kind)


def _members(values: pa.StructArray, kind: pa.StructType) -> pa.Array:
    known = {values.type.field(index).name: values.field(index) for index in range(values.type.num_fields)}
    columns = [
        _values(known[field.name], field.type) if field.name in known else pa.nulls(len(values), field.type)
        for field in kind
    ]
    return pa.StructArray.from_arrays(columns, fields=list(kind), mask=values.is_null())


def _offsets(values: pa.ListArray | pa.MapArray) -> pa.Array:
    """The offsets, NULL where the list is: what the makers of arrays take for a missing one."""
    if not values.null_count:
        return values.offsets
    missing = pa.concat_arrays([values.is_null(), pa.array([False])])
    return pa.compute.if_else(missing, pa.scalar(None, pa.int32()), values.offsets)
