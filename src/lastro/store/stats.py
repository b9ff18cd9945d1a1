"""Statistics of data files for Delta's readers, taken from Parquet footers.

Rules:

1. Only bounds that hold are written: a minimum may be too low and a maximum too high, never the other way.
2. Text is cut to 32 characters; a cut maximum is followed by the highest character, so that it stays above.
3. Moments are in whole milliseconds, the maximum rounded up.
4. Floating columns get no maximum: some writers leave NaN, which sorts above all numbers, out of their bounds.
5. A column whose statistics are withheld gets no bounds, only its count of missing values. An encrypted column gets
   nothing at all.
6. Dates, moments and decimals are made from what is stored: pyarrow's own way to them loads pandas where installed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Context
from decimal import Decimal as Number
from pathlib import Path
from typing import Any

from lastro.model.schema import Decimal, Field, Primitive, Schema

TEXT_MAX = 32
COLUMNS_MAX = 32
DIGITS_MAX = 15
"""Decimals with more digits get no bounds: readers pass them through binary floating point."""
_HIGHEST = "\U0010ffff"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 – a moment without a zone has its own
_STORED = frozenset({"DATE", "DECIMAL", "TIMESTAMP"})
_UNITS = {"milliseconds": timedelta(milliseconds=1), "microseconds": timedelta(microseconds=1)}
_EXACT = Context(prec=76)
_BOUNDED = frozenset(Primitive) - {Primitive.BOOLEAN, Primitive.BINARY}


@dataclass(frozen=True, slots=True)
class Footer:
    """What a Parquet file says of itself: rows, top-level columns, and its statistics as Delta's JSON text."""

    rows: int
    columns: tuple[str, ...]
    stats: str


def read_footer(path: Path, schema: Schema, *, withheld: frozenset[str] = frozenset()) -> Footer:
    """Reads a file's footer. Raises `ValueError` if it is no Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lastro.engine.encrypted import note_of

    try:
        with pa.OSFile(str(path)) as stream:
            metadata = pq.read_metadata(stream)
            columns = tuple(metadata.schema.to_arrow_schema().names)
        hidden = frozenset(note_of(metadata).columns)
    except pa.ArrowException as error:
        raise ValueError("not a Parquet file") from error
    return Footer(metadata.num_rows, columns, _stats(metadata, schema, withheld, hidden))


def _stats(
    metadata: Any,  # Any: a pyarrow FileMetaData
    schema: Schema,
    withheld: frozenset[str],
    hidden: frozenset[str],
) -> str:
    chunks: dict[str, list[Any]] = {}  # Any: pyarrow column statistics, or None
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for index in range(row_group.num_columns):
            if metadata.schema.column(index).path in hidden:
                continue
            column = row_group.column(index)
            chunks.setdefault(column.path_in_schema, []).append(column.statistics)
    fields = [field for field in schema.fields[:COLUMNS_MAX] if field.name in chunks]
    bounds = [_bounds(field, chunks[field.name]) for field in fields if field.name not in withheld]
    nulls = [(field.name, _nulls(chunks[field.name])) for field in fields]
    return "{" + ",".join(
        (
            f'"numRecords":{metadata.num_rows}',
            f'"minValues":{_object((name, low) for name, low, _ in bounds)}',
            f'"maxValues":{_object((name, high) for name, _, high in bounds)}',
            f'"nullCount":{_object(nulls)}',
        )
    ) + "}"  # fmt: skip


def _object(members: Iterable[tuple[str, str | None]]) -> str:
    return "{" + ",".join(f"{_text(name)}:{value}" for name, value in members if value is not None) + "}"


def _nulls(statistics: list[Any]) -> str | None:  # Any: pyarrow column statistics, or None
    if any(found is None or not found.has_null_count for found in statistics):
        return None
    return str(sum(found.null_count for found in statistics))


def _bounds(field: Field, statistics: list[Any]) -> tuple[str, str | None, str | None]:  # Any: pyarrow statistics
    if not (field.type in _BOUNDED or isinstance(field.type, Decimal)):
        return field.name, None, None
    found = [one for one in statistics if not (one is not None and one.has_null_count and _is_all_null(one))]
    if not found or any(one is None or not one.has_min_max for one in found):
        return field.name, None, None
    try:
        lowest = min(_value(one, "min") for one in found)
        highest = max(_value(one, "max") for one in found)
        return field.name, _low(field, lowest), _high(field, highest)
    except (TypeError, ValueError, OverflowError):
        # A footer may hold a bound that is no value of its type: text cut inside a character, a year beyond 9999.
        return field.name, None, None


def _value(statistics: Any, bound: str) -> Any:  # Any: pyarrow column statistics; a value of the column
    logical = statistics.logical_type
    if logical.type not in _STORED:
        return getattr(statistics, bound)
    raw, told = getattr(statistics, f"{bound}_raw"), json.loads(logical.to_json())
    if logical.type == "DATE":
        return date.fromordinal(_EPOCH.toordinal() + raw)
    if logical.type == "DECIMAL":
        whole = raw if isinstance(raw, int) else int.from_bytes(raw, "big", signed=True)
        return Number(whole).scaleb(-told["scale"], _EXACT)
    if not isinstance(raw, int) or told["timeUnit"] == "nanoseconds":
        return getattr(statistics, bound)
    zone = UTC if told["isAdjustedToUTC"] else None
    return _EPOCH.replace(tzinfo=zone) + raw * _UNITS[told["timeUnit"]]


def _is_all_null(statistics: Any) -> bool:  # Any: pyarrow column statistics
    return bool(statistics.num_values == 0)


def _low(field: Field, value: Any) -> str | None:  # Any: a value of the column
    match value:
        case str():
            return _text(value[:TEXT_MAX])
        case datetime():
            return _text(_moment(value, up=False))
        case float():
            return None if math.isnan(value) or math.isinf(value) else json.dumps(value)
        case _:
            return _plain(field, value)


def _high(field: Field, value: Any) -> str | None:  # Any: a value of the column
    match value:
        case str():
            cut, rest = value[:TEXT_MAX], value[TEXT_MAX:]
            return None if rest.startswith(_HIGHEST) else _text(cut + (_HIGHEST if rest else ""))
        case datetime():
            return _text(_moment(value, up=True))
        case float():
            return None
        case _:
            return _plain(field, value)


def _plain(field: Field, value: Any) -> str | None:  # Any: a value of the column
    match value:
        case bool():
            return None
        case int():
            return str(value)
        case date():
            return _text(value.isoformat())
        case Number():
            fits = isinstance(field.type, Decimal) and field.type.precision <= DIGITS_MAX
            return format(value, "f") if fits else None
        case _:
            return None


def _moment(value: datetime, *, up: bool) -> str:
    zone = "Z" if value.tzinfo else ""
    plain = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    rest = plain.microsecond % 1000
    whole = plain + timedelta(microseconds=(1000 - rest) if up and rest else -rest)
    return whole.isoformat(timespec="milliseconds") + zone


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
