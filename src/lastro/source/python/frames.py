"""Frames – Arrow data, and those of Polars and pandas – as record batches with one schema.

Rules:

1. A column has one type in all frames. Types that differ are united where one holds both exactly; a value that a united
   type might not hold (a whole number in a double) is checked when it is met. Everything else is refused: nothing is
   rounded, cut, or read as another kind of thing.
2. Each library lays out texts, bytes, lists and categories in its own ways; they all arrive in Arrow's usual one.
3. What a library or a stream raises is told by its kind, with the column where that can be found. Its message may hold
   data, and is dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from lastro.model.errors import LastroError, SourceBroken
from lastro.model.text import _

NAME_MAX = 80
KINDS_MAX = 5
DIGITS_MAX = 76
_UNITS = ("s", "ms", "us", "ns")
_WHOLE_DIGITS = {8: 3, 16: 5, 32: 10, 64: 20}
Frame = Any  # Any: whatever exports Arrow data, or a frame of pandas
Kind = Any  # Any: pyarrow.DataType
Batch = Any  # Any: pyarrow.RecordBatch


def is_frame(item: Frame) -> bool:
    """True for Arrow data and frames."""
    return any(hasattr(item, name) for name in ("__arrow_c_stream__", "__arrow_c_array__")) or _is_of(item, "pandas")


def is_of_library(item: Frame) -> bool:
    """True for frames of Polars and pandas."""
    return _is_of(item, "pandas", "polars")


def opened(item: Frame, label: str) -> Any:  # Any: pyarrow.RecordBatchReader
    """A frame as a reader of record batches. Raises `SourceBroken` if it holds what Arrow cannot."""
    import pyarrow as pa

    try:
        if _is_of(item, "pandas"):
            item = pa.Table.from_pandas(item, preserve_index=False)
        elif not hasattr(item, "__arrow_c_stream__"):
            item = pa.Table.from_batches([pa.record_batch(item)])
        elif _is_of(item, "polars"):
            _check_objects(item, label)
        return pa.RecordBatchReader.from_stream(item)
    except LastroError:
        raise
    except Exception as error:  # noqa: BLE001 - a library may raise anything; only its message is dropped
        raise _unreadable(item, type(error).__name__, label) from None


def batches_of(item: Frame, label: str) -> Iterator[Batch]:
    """A frame's record batches, with types in their usual layouts; an empty one if it has columns but no rows."""
    import pyarrow as pa

    reader = opened(item, label)
    if not len(reader.schema):
        return
    _check_names(reader.schema.names, label)
    schema = pa.schema([pa.field(field.name, _usual(field.type), field.nullable) for field in reader.schema])
    empty = True
    for batch in _read(reader, label):
        empty = False
        yield pa.record_batch([_laid_out(batch, field, label) for field in schema], schema=schema)
    if empty:
        yield pa.RecordBatch.from_pylist([], schema=schema)


def records_of(item: Frame, label: str) -> Iterator[dict[str, Any]]:  # Any: Python values of Arrow's
    """A frame's rows as dicts. Raises `SourceBroken` for a value that Python has no like of, such as the year 20000."""
    for batch in batches_of(item, label):
        try:
            rows = batch.to_pylist()
        except Exception as error:  # noqa: BLE001 - a library may raise anything; only its message is dropped
            raise _no_python(batch, type(error).__name__, label) from None
        yield from rows


def _no_python(batch: Batch, error: str, label: str) -> SourceBroken:
    for field in batch.schema:
        try:
            batch.column(field.name).to_pylist()
        except Exception as found:  # noqa: BLE001 - as in `records_of`
            return _misfit(
                _("the column {name}, of type {type}, has a value that Python cannot hold ({kind})"),
                label,
                name=field.name,
                type=field.type,
                kind=type(found).__name__,
            )
    return _misfit(_("a frame cannot be read as Arrow data ({kind})"), label, kind=error)


def united(schemas: Sequence[Any], label: str) -> Any:  # Any: pyarrow.Schema
    """The schema with the columns of all, each with the type that holds theirs. Raises `SourceBroken` (rule 1)."""
    import pyarrow as pa

    found: dict[str, Any] = {}  # Any: pyarrow.Field
    for schema in schemas:
        for field in schema:
            before = found.get(field.name, field)
            found[field.name] = pa.field(field.name, _both(before, field, label), before.nullable or field.nullable)
    return pa.schema([field if _in_all(field, schemas) else field.with_nullable(True) for field in found.values()])


def fitted(batch: Batch, schema: Any, label: str) -> Batch:  # Any: pyarrow.Schema
    """The batch with exactly this schema. Raises `SourceBroken` for a column or a value that does not fit (rule 1)."""
    import pyarrow as pa

    if batch.schema.equals(schema):
        return batch
    for name in batch.schema.names:
        if name not in schema.names:
            raise _misfit(_("a frame has the column {name}, which those before it have not"), label, name=name)
    return pa.record_batch([_fitted(batch, field, label) for field in schema], schema=schema)


def _fitted(batch: Batch, field: Any, label: str) -> Any:  # Any: pyarrow.Array, pyarrow.Field
    import pyarrow as pa

    place = batch.schema.get_field_index(field.name)
    if place < 0:
        return pa.nulls(batch.num_rows, field.type)
    column = batch.column(place)
    if column.type == field.type:
        return column
    if not _keeps(column.type, field.type):
        raise _no_type_for(field, column.type, field.type, label)
    try:
        return column.cast(field.type)
    except (pa.ArrowException, ValueError):
        raise _misfit(
            _("a value of the column {name}, of type {type}, does not fit {other} exactly"),
            label,
            name=field.name,
            type=column.type,
            other=field.type,
        ) from None


def _in_all(field: Any, schemas: Sequence[Any]) -> bool:  # Any: pyarrow.Field, pyarrow.Schema
    return all(field.name in schema.names for schema in schemas)


def _both(before: Any, field: Any, label: str) -> Kind:  # Any: pyarrow.Field
    """The type that holds the values of both fields exactly."""
    import pyarrow as pa

    old, new = before.type, field.type
    if old == new:
        return old
    kind = _exact_number(old, new) or _one_clock(old, new)
    if kind is None:
        pair = [pa.schema([pa.field(field.name, each)]) for each in (old, new)]
        try:
            kind = pa.unify_schemas(pair, promote_options="permissive").field(0).type
        except pa.ArrowException:
            raise _no_type_for(field, new, old, label) from None
    if not (_keeps(old, kind) and _keeps(new, kind)):
        raise _no_type_for(field, new, old, label)
    return kind


def _exact_number(old: Kind, new: Kind) -> Kind | None:
    """The decimal that holds a decimal and another one, or a whole number; None for other types, or if none does."""
    import pyarrow as pa

    digits = [_digits(kind) for kind in (old, new)]
    if None in digits or not (pa.types.is_decimal(old) or pa.types.is_decimal(new)):
        return None
    whole, places = (max(part) for part in zip(*filter(None, digits), strict=True))
    if whole + places > DIGITS_MAX:
        return None
    return (pa.decimal128 if whole + places <= 38 else pa.decimal256)(whole + places, places)


def _one_clock(old: Kind, new: Kind) -> Kind | None:
    """The type of moments of two zones, which are moments all the same; None for other types."""
    import pyarrow as pa

    if not (pa.types.is_timestamp(old) and pa.types.is_timestamp(new) and old.tz and new.tz):
        return None
    return pa.timestamp(max(old.unit, new.unit, key=_UNITS.index), "UTC")


def _digits(kind: Kind) -> tuple[int, int] | None:
    """The digits before and after the point of an exact type."""
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        return kind.precision - kind.scale, max(kind.scale, 0)
    return (_WHOLE_DIGITS[kind.bit_width], 0) if pa.types.is_integer(kind) else None


def _keeps(old: Kind, new: Kind) -> bool:
    """True if a checked cast from the old type to the new either keeps a value as it is, or fails."""
    import pyarrow as pa

    types = pa.types
    if old == new or types.is_null(old):
        return True
    if types.is_struct(old) and types.is_struct(new):
        fields = {field.name: field.type for field in new}
        return all(field.name in fields and _keeps(field.type, fields[field.name]) for field in old)
    if types.is_map(old) and types.is_map(new):
        return _keeps(old.key_type, new.key_type) and _keeps(old.item_type, new.item_type)
    if _is_list(old) and _is_list(new):
        return _keeps(old.value_type, new.value_type)
    if types.is_floating(old):
        return bool(types.is_integer(new) or (types.is_floating(new) and new.bit_width >= old.bit_width))
    if types.is_timestamp(old):
        return bool(types.is_timestamp(new) and (old.tz is None) is (new.tz is None))
    if types.is_integer(old) and types.is_floating(new):
        return bool(new.bit_width >= 32)  # the cast to a half float is not checked
    return any(is_one(old) and is_one(new) for is_one in (_is_exact, _is_bytes, types.is_date, *_spans()))


def _is_exact(kind: Kind) -> bool:
    return _digits(kind) is not None


def _is_list(kind: Kind) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_bytes(kind: Kind) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _spans() -> tuple[Any, Any]:  # Any: predicates of pyarrow
    import pyarrow as pa

    return pa.types.is_time, pa.types.is_duration


def _read(reader: Any, label: str) -> Iterator[Batch]:  # Any: pyarrow.RecordBatchReader
    try:
        yield from reader
    except LastroError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever makes the stream may raise anything; only its message is dropped
        raise SourceBroken(
            _("the source failed while it was read ({detail})").format(detail=type(error).__name__),
            where=label,
            do=_("check the source, then try again"),
        ) from None


def _laid_out(batch: Batch, field: Any, label: str) -> Any:  # Any: pyarrow.Array, pyarrow.Field
    import pyarrow as pa

    column = batch.column(field.name)
    try:
        if pa.types.is_dictionary(column.type):
            values = column.dictionary.cast(field.type)  # of views, which a category's own cast does not take
            column = pa.DictionaryArray.from_arrays(column.indices, values)
        return column.cast(field.type)
    except (pa.ArrowException, ValueError) as error:
        raise _no_arrow(field.name, str(batch.schema.field(field.name).type), type(error).__name__, label) from None


def _usual(kind: Kind) -> Kind:
    """A type without the ways to lay out texts, bytes and lists, in which libraries differ."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return _usual(kind.value_type)
    if types.is_large_string(kind) or types.is_string_view(kind):
        return pa.string()
    if types.is_large_binary(kind) or types.is_binary_view(kind):
        return pa.binary()
    if types.is_large_list(kind) or types.is_list(kind):
        return pa.list_(_usual(kind.value_type))
    if types.is_struct(kind):
        return pa.struct([pa.field(field.name, _usual(field.type), field.nullable) for field in kind])
    return kind


def _check_names(names: Sequence[str], label: str) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise SourceBroken(
                _("a frame has the column {name} twice").format(name=name[:NAME_MAX]),
                where=label,
                do=_("give one of them another name"),
            )


def _check_objects(frame: Frame, label: str) -> None:
    """Raises `SourceBroken` for a column of Python objects, of which Polars would hand over addresses in memory."""
    for name, kind in getattr(frame, "schema", {}).items():
        if str(kind) == "Object":
            raise _no_arrow(name, str(kind), "", label)


def _unreadable(frame: Frame, error: str, label: str) -> SourceBroken:
    """The error for a frame that Arrow cannot take, with the first column that it cannot take alone."""
    import pyarrow as pa

    names = [str(name) for name in getattr(frame, "columns", ())] if is_of_library(frame) else []
    _check_names(names, label)
    for place, name in enumerate(names):
        column = frame.iloc[:, place] if _is_of(frame, "pandas") else frame[name]
        try:
            pa.chunked_array(column) if hasattr(column, "__arrow_c_stream__") else pa.array(column, from_pandas=True)
        except Exception as found:  # noqa: BLE001 - as in `opened`
            return _no_arrow(name, _held(column), type(found).__name__, label)
    return SourceBroken(
        _("a frame cannot be read as Arrow data ({kind})").format(kind=error),
        where=label,
        do=_("yield dicts, lists of dicts, Arrow data, or frames of Polars or pandas"),
    )


def _held(column: Any) -> str:  # Any: a Series
    """A column's type; for one of Python objects the kinds of these."""
    kind = str(column.dtype)
    if kind != "object":
        return kind
    kinds = sorted({type(value).__name__ for value in column})
    return f"{kind}: {', '.join(kinds[:KINDS_MAX])}"


def _no_arrow(name: str, kind: str, error: str, label: str) -> SourceBroken:
    told = f"{kind}; {error}" if error else kind
    return SourceBroken(
        _("the column {name} of a frame cannot be read as Arrow data ({type})").format(name=name[:NAME_MAX], type=told),
        where=label,
        do=_(
            "give the column one type that Arrow has, and whole numbers of more than 64 bits as decimals or text; or "
            "yield dicts, which may hold anything"
        ),
    )


def _no_type_for(field: Any, kind: Kind, other: Kind, label: str) -> SourceBroken:  # Any: pyarrow.Field
    what = _("the column {name} is {type} in a frame and {other} in one before it, and no type holds both as they are")
    return _misfit(what, label, name=field.name, type=kind, other=other)


def _misfit(what: str, label: str, **told: Kind) -> SourceBroken:
    return SourceBroken(
        what.format(**{key: str(value)[:NAME_MAX] for key, value in told.items()}),
        where=label,
        do=_("give all frames the same columns and types; or yield dicts, which may differ"),
    )


def _is_of(item: Frame, *libraries: str) -> bool:
    return type(item).__module__.partition(".")[0] in libraries and type(item).__name__ == "DataFrame"
