"""Between the model's types and Arrow's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from lastro.model.schema import Decimal, Field, ListOf, MapOf, Primitive, Schema, StructOf, Type

_PRIMITIVES: dict[Primitive, pa.DataType] = {
    Primitive.STRING: pa.string(),
    Primitive.LONG: pa.int64(),
    Primitive.INTEGER: pa.int32(),
    Primitive.SHORT: pa.int16(),
    Primitive.BYTE: pa.int8(),
    Primitive.DOUBLE: pa.float64(),
    Primitive.FLOAT: pa.float32(),
    Primitive.BOOLEAN: pa.bool_(),
    Primitive.BINARY: pa.binary(),
    Primitive.DATE: pa.date32(),
    Primitive.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Primitive.TIMESTAMP_NTZ: pa.timestamp("us"),
}


def to_arrow(schema: Schema) -> pa.Schema:
    """The schema as Arrow has it. Every column may be NULL there: whether one is, is for the contract to say."""
    return pa.schema([_field(field) for field in schema.fields])


def _field(field: Field) -> pa.Field:
    return pa.field(field.name, arrow_type(field.type))


def arrow_type(kind: Type) -> pa.DataType:
    """The Arrow type of values of this type."""
    match kind:
        case Primitive():
            return _PRIMITIVES[kind]
        case Decimal(precision, scale):
            return pa.decimal128(precision, scale)
        case ListOf(item):
            return pa.list_(pa.field("element", arrow_type(item)))
        case MapOf(key, value):
            return pa.map_(arrow_type(key), arrow_type(value))
        case StructOf(fields):
            return pa.struct([_field(field) for field in fields])


def from_arrow(schema: pa.Schema) -> Schema:
    """The model's schema of an Arrow stream. Types the model does not have arrive as text."""
    return Schema(tuple(Field(field.name, model_type(field.type), field.nullable) for field in schema))


def model_type(kind: pa.DataType) -> Type:
    """The narrowest of the model's types that holds every value of an Arrow type; text where there is none."""
    if pa.types.is_timestamp(kind):
        return Primitive.TIMESTAMP if kind.tz else Primitive.TIMESTAMP_NTZ
    if pa.types.is_decimal(kind):
        return Decimal(kind.precision, kind.scale) if kind.precision <= 38 and kind.scale >= 0 else Primitive.STRING
    if pa.types.is_map(kind):
        return MapOf(model_type(kind.key_type), model_type(kind.item_type))
    if pa.types.is_struct(kind):
        return StructOf(tuple(Field(field.name, model_type(field.type)) for field in kind))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return ListOf(model_type(kind.value_type))
    if pa.types.is_dictionary(kind):
        return model_type(kind.value_type)
    return _SIMPLE.get(kind.id, Primitive.STRING)


_SIMPLE: dict[int, Primitive] = {
    pa.int64().id: Primitive.LONG,
    pa.uint32().id: Primitive.LONG,
    pa.int32().id: Primitive.INTEGER,
    pa.uint16().id: Primitive.INTEGER,
    pa.int16().id: Primitive.SHORT,
    pa.uint8().id: Primitive.SHORT,
    pa.int8().id: Primitive.BYTE,
    pa.float64().id: Primitive.DOUBLE,
    pa.float32().id: Primitive.FLOAT,
    pa.float16().id: Primitive.FLOAT,
    pa.bool_().id: Primitive.BOOLEAN,
    pa.binary().id: Primitive.BINARY,
    pa.large_binary().id: Primitive.BINARY,
    pa.date32().id: Primitive.DATE,
    pa.date64().id: Primitive.DATE,
}


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with exactly this schema's columns, order and types: text views become text, columns it does not have
    are NULL. Raises `ArrowInvalid` where a value does not fit.
    """
    if batch.schema.equals(schema):
        return batch
    return pa.RecordBatch.from_arrays([_column(batch, field) for field in schema], schema=schema)


def _column(batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    if field.name not in batch.schema.names:
        return pa.nulls(batch.num_rows, field.type)
    column = batch.column(field.name)
    return column if column.type == field.type else column.cast(field.type)


def integers(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A column of whole numbers without missing values, not copied. `to_numpy` would load pandas where installed."""
    values: Any = np.from_dlpack(column)  # Any: numpy does not say of which type they are
    return values  # type: ignore[no-any-return]
