"""Masks, laid over columns of an Arrow stream.

Rules:

1. A masked column keeps its name, its place and its type; it may be missing where it could not be before.
2. `firstN` and `lastN` keep characters of a text, and put an asterisk for each of the others; of a text that is not
   longer than what stays, nothing stays.
3. `year` and `month` keep the beginning of a date or moment; `roundN` rounds a number towards zero, to a multiple
   of N.
4. What a mask cannot be laid over – another type, an older version's, a nested one – is hidden as by `null`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lastro.model.access import Hiding, Mask

if TYPE_CHECKING:
    import pyarrow as pa


def over(reader: pa.RecordBatchReader, masks: Mapping[str, Mask]) -> pa.RecordBatchReader:
    """The same rows with these columns masked, in bounded memory."""
    import pyarrow as pa

    if not any(name in masks for name in reader.schema.names):
        return reader
    schema = pa.schema([each.with_nullable(True) if each.name in masks else each for each in reader.schema])

    def masked() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            columns = [
                column if field.name not in masks else mask(column, masks[field.name])
                for field, column in zip(batch.schema, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, masked())


def mask(column: pa.Array, how: Mask) -> pa.Array:
    """The column's values, hidden."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        return pa.nulls(len(column), kind)
    if how.how in {Hiding.FIRST, Hiding.LAST} and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return _kept(column, how)
    if how.how in {Hiding.YEAR, Hiding.MONTH} and (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        return _floored(column, how)
    if how.how is Hiding.ROUND and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return _rounded(column, how.n)
    return pa.nulls(len(column), kind)


def _kept(column: pa.Array, how: Mask) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    length = pc.utf8_length(column)
    hidden = pc.subtract(length, how.n)
    stays = pc.if_else(pc.greater(hidden, 0), hidden, length)
    stars = pc.binary_repeat(pa.scalar("*", column.type), stays)
    if how.how is Hiding.FIRST:
        kept, parts = pc.utf8_slice_codeunits(column, 0, how.n), "first"
    else:
        kept, parts = pc.utf8_slice_codeunits(column, -how.n, None), "last"
    kept = pc.if_else(pc.greater(hidden, 0), kept, pa.scalar("", column.type))
    joined = (kept, stars) if parts == "first" else (stars, kept)
    return pc.binary_join_element_wise(*joined, pa.scalar("", column.type)).cast(column.type)


def _floored(column: pa.Array, how: Mask) -> pa.Array:
    import pyarrow.compute as pc

    return pc.floor_temporal(column, unit=how.how.value).cast(column.type)


def _rounded(column: pa.Array, step: int) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    missing = column.is_null()
    if pa.types.is_floating(column.type):
        numbers = column.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
        rounded: Any = np.trunc(numbers / step) * step  # Any: an array of either kind
    else:
        wide = np.uint64 if pa.types.is_unsigned_integer(column.type) else np.int64
        numbers = column.fill_null(0).to_numpy(zero_copy_only=False).astype(wide)
        rounded = numbers - np.fmod(numbers, wide(step))
    return pa.array(rounded, mask=missing.to_numpy(zero_copy_only=False)).cast(column.type)
