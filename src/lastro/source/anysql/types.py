"""Arrow types as drivers give them, and as they arrive (rule 3 of `adbc`)."""

from __future__ import annotations

from typing import Any

from lastro.model.errors import SourceBroken
from lastro.model.text import _

_PRECISION_MAX = 38


def arriving(schema: Any, label: str) -> Any:  # Any: pyarrow.Schema
    """The schema that the columns arrive with. Raises `SourceBroken` for a type that has no whole counterpart."""
    import pyarrow as pa

    return pa.schema([pa.field(field.name, _arriving(field, label)) for field in schema])


def converted(batch: Any, schema: Any, label: str) -> Any:  # Any: pyarrow.RecordBatch, pyarrow.Schema
    """A batch of exactly our schema. Raises `SourceBroken` where a value does not fit."""
    import pyarrow as pa

    arrays = []
    for field, array in zip(schema, batch.columns, strict=True):
        plain = array.storage if isinstance(array, pa.ExtensionArray) else array
        try:
            arrays.append(plain if plain.type == field.type else plain.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise _unfit(field.name, str(array.type), label) from None
    return pa.record_batch(arrays, schema=schema)


def _arriving(field: Any, label: str) -> Any:  # Any: pyarrow.Field; pyarrow.DataType
    import pyarrow as pa

    kind = field.type
    while isinstance(kind, pa.ExtensionType) or pa.types.is_dictionary(kind):
        kind = kind.storage_type if isinstance(kind, pa.ExtensionType) else kind.value_type
    if kind == pa.uint64():
        return pa.decimal128(20, 0)
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz=kind.tz)
    if pa.types.is_decimal(kind) and not (kind.precision <= _PRECISION_MAX and 0 <= kind.scale <= kind.precision):
        return pa.string()
    if pa.types.is_decimal(kind):
        return pa.decimal128(kind.precision, kind.scale)
    if pa.types.is_time(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_union(kind) or pa.types.is_duration(kind) or pa.types.is_interval(kind):
        raise _unfit(field.name, str(kind), label)
    return kind


def _unfit(column: str, kind: str, label: str) -> SourceBroken:
    return SourceBroken(
        _("{column} is of the type {type}, which cannot be stored whole").format(column=column, type=kind),
        where=label,
        do=_("read it as text with a query: SELECT …, CAST({column} AS VARCHAR) …").format(column=column),
    )
