"""Arrow types that some functions of pyarrow do not take, and the plain ones in their place."""

from __future__ import annotations

import pyarrow as pa


def is_text(kind: pa.DataType) -> bool:
    """True for every type of text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def flat(table: pa.Table) -> pa.Table:
    """The same rows without views on text and bytes, however deep: they can be neither filtered nor compared."""
    wanted = pa.schema([field.with_type(_plain(field.type)) for field in table.schema], table.schema.metadata)
    return table if wanted.equals(table.schema) else table.cast(wanted)


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_struct(kind):
        return pa.struct([_field(kind.field(at)) for at in range(kind.num_fields)])
    if pa.types.is_map(kind):
        return pa.map_(_field(kind.key_field), _field(kind.item_field), kind.keys_sorted)
    if pa.types.is_large_list(kind):
        return pa.large_list(_field(kind.value_field))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_field(kind.value_field), kind.list_size)
    return pa.list_(_field(kind.value_field)) if pa.types.is_list(kind) else kind


def _field(field: pa.Field) -> pa.Field:
    return field.with_type(_plain(field.type))
