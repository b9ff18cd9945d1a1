"""What is counted over the rows of a table, column by column, as SQL that gives one row.

Rules:

1. Counts and extremes are exact and the same in both engines. A mean is a double, and the sum behind it depends on the
   order of the rows in its last digits: it is for people, not for digests.
2. A table rule that gives NULL (a mean of no rows) measures NaN, which satisfies no threshold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal as Number
from functools import lru_cache

from sqlglot import exp

from lastro.engine.protocol import ColumnMeasures
from lastro.engine.sql.dialect import Dialect, build, column, data_type, render, try_cast
from lastro.model.schema import Decimal, Primitive, Schema, Type

_NUMBERS = frozenset(
    {Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG, Primitive.FLOAT, Primitive.DOUBLE}
)
_MOMENTS = frozenset({Primitive.DATE, Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ})


def measured(value: object) -> float:
    """A table rule's number as the engine gave it."""
    return math.nan if value is None else float(str(value))


def columns(schema: Schema, relation: str, *, dialect: Dialect) -> str:
    """A SELECT of one row: the number of rows, then for each column its nulls, minimum, maximum and mean."""
    return f"SELECT {_items(schema, dialect)} FROM {relation}"


@lru_cache(maxsize=64)
def _items(schema: Schema, dialect: Dialect) -> str:
    items: list[exp.Expr] = [build("COUNT(*)")]
    for field in schema.fields:
        items += _column(column(field.name), field.type)
    return ", ".join(f"{render(item, dialect)} AS m{index}" for index, item in enumerate(items))


def _column(name: exp.Expr, kind: Type) -> list[exp.Expr]:
    nulls = build("COUNT(*) - COUNT(:c)", c=name)
    nothing: exp.Expr = exp.null()
    number = kind in _NUMBERS or isinstance(kind, Decimal)
    if not is_measured(kind):
        return [nulls, nothing, nothing, nothing]
    # A moment is handed over without its zone, which is UTC, so that no zone database is asked.
    value = try_cast(name, Primitive.TIMESTAMP_NTZ) if kind == Primitive.TIMESTAMP else name
    mean = build("AVG(:c)", c=exp.Cast(this=name.copy(), to=data_type(Primitive.DOUBLE))) if number else nothing
    return [nulls, build("MIN(:c)", c=value), build("MAX(:c)", c=value), mean]


def is_measured(kind: Type) -> bool:
    """True for columns whose values are looked at: numbers and moments; of others only the missing are counted."""
    return kind in _NUMBERS or isinstance(kind, Decimal) or kind in _MOMENTS


def read_columns(row: Sequence[object], schema: Schema) -> tuple[int, Mapping[str, ColumnMeasures]]:
    """What the row of `columns` says: the number of rows, and each column's measures."""
    found = {}
    for index, field in enumerate(schema.fields):
        nulls, low, high, mean = row[1 + 4 * index : 5 + 4 * index]
        found[field.name] = ColumnMeasures(
            nulls=int(str(nulls)),
            minimum=_written(low, field.type),
            maximum=_written(high, field.type),
            mean=_mean(mean),
        )
    return int(str(row[0])), found


def _mean(value: object) -> float | None:
    """A mean as a finite number; None if there is none, or it has no end."""
    mean = math.nan if value is None else float(str(value))
    return mean if math.isfinite(mean) else None


def _written(value: object, kind: Type) -> str | None:
    """A smallest or largest value as text, the same whichever engine gave it."""
    match value:
        case None:
            return None
        case Number():
            return f"{value:f}"
        case datetime():
            zone = "Z" if kind == Primitive.TIMESTAMP else ""
            return value.replace(tzinfo=None).isoformat(timespec="microseconds") + zone
        case date():
            return value.isoformat()
        case float():
            return repr(value)
        case _:
            return str(value)
