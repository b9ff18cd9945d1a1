"""The survey: one aggregate over exactly the rows that will be read, in the same snapshot, before they are read.

Rules:

1. It counts rows and the values present in each column, and sums what `lastro.source.database.tally` sums. On
   request it adds the row hash; columns whose Arrow type has a text there take part, which is all that
   PostgreSQL's can have.
2. It tells which columns must arrive as text because Arrow has no such value (`postgres_columns`, rule 2).
3. All of it is one array of texts: a result of its own for each count would exceed the columns a result may have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lastro.model.reconciliation import ColumnTotals, Totals
from lastro.source.database.select import quoted
from lastro.source.database.tally import FLOAT_LIMIT, exact, summing
from lastro.source.postgres.columns import BEYOND, FIRST, Column
from lastro.source.postgres.session import Session

Reconcile = bool | Literal["rows"]


@dataclass(frozen=True, slots=True)
class Surveyed:
    """The columns as they can arrive, and what the database counted."""

    columns: tuple[Column, ...]
    totals: Totals


def survey(session: Session, rows: str, columns: tuple[Column, ...], *, row_hash: bool = False) -> Surveyed:
    """Counts `rows`, which is what follows SELECT … FROM. Raises our errors for the driver's."""
    measures = [measure for column in columns for measure in _measures(column)]
    total, found = session.row(f"SELECT count(*), ARRAY[{', '.join(measures)}]::text[] FROM {rows}")
    values = iter(found)
    counted, arriving = {}, []
    for column in columns:
        present, summed, fits = (next(values) for _measure in _measures(column))
        stays = fits == "true" and summed != "NaN" if column.decimal else fits == "true"
        arriving.append(column if stays or not column.narrow else column.as_text())
        counted[column.name] = _totals(arriving[-1], int(total) - int(present), summed)
    settled = tuple(arriving)
    hashed = session.row(f"SELECT {_row_hash(settled, session)} FROM {rows}")[0] if row_hash else None
    return Surveyed(settled, Totals(int(total), counted, hashed))


def fitting(session: Session, rows: str, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns as they can arrive; only those that might not fit are looked at."""
    if not any(column.narrow for column in columns):
        return columns
    looked = {column.name: column for column in survey(session, rows, tuple(c for c in columns if c.narrow)).columns}
    return tuple(looked.get(column.name, column) for column in columns)


def _measures(column: Column) -> tuple[str, str, str]:
    """How many values there are, their sum, and whether all fit into the column's Arrow type."""
    name = quoted(column.name)
    fits = "'true'"
    if column.temporal:
        bounds = f"min({name}) >= {_moment(FIRST, column)} AND max({name}) < {_moment(BEYOND, column)}"
        fits = f"coalesce({bounds}, true)::text"
    return f"count({name})::text", _sum(column, name), fits


def _sum(column: Column, name: str) -> str:
    match summing(column.arrow):
        case "exact":
            return f"sum({name})::text"
        case "approximate":
            return f"(sum({name}::float8) FILTER (WHERE abs({name}) < '{FLOAT_LIMIT:g}'::float8))::text"
        case _:
            return "NULL"


def _moment(text: str, column: Column) -> str:
    return f"'{text}'::{column.type}"


def _totals(column: Column, nulls: int, summed: str | None) -> ColumnTotals:
    match summing(column.arrow):
        case "exact":
            return ColumnTotals(nulls, exact(summed))
        case "approximate":
            return ColumnTotals(nulls, repr(float(summed or 0)), approximate=True)
        case _:
            return ColumnTotals(nulls)


def _row_hash(columns: tuple[Column, ...], session: Session) -> str:
    """The row hash of `tally`, rules 3 and 4, in SQL."""
    (encoding,) = session.row("SELECT current_setting('server_encoding')")
    as_bytes = "{}" if encoding == "UTF8" else "convert_to({}, 'UTF8')"
    texts = [_text(column) for column in columns]
    parts = [f"coalesce(octet_length({as_bytes.format(text)}) || ':' || {text}, '-')" for text in texts]
    digest = f"md5({as_bytes.format('(' + ' || '.join(parts) + ')')})"
    return f"coalesce(sum(('x' || substr({digest}, 1, 15))::bit(60)::bigint), 0)::text"


def _text(column: Column) -> str:
    """A value's text in the row hash."""
    import pyarrow as pa

    name, kind = quoted(column.name), column.arrow
    if pa.types.is_boolean(kind):
        return f"{name}::int::text"
    if pa.types.is_decimal128(kind):
        return f"trunc({name} * 1e{kind.scale})::text"
    if pa.types.is_floating(kind):
        return f"encode({column.type}send({name}), 'hex')"
    if pa.types.is_binary(kind):
        return f"encode({name}, 'hex')"
    if pa.types.is_date32(kind):
        return f"({name} - '1970-01-01'::date)::text"
    if pa.types.is_timestamp(kind):
        return f"round(extract(epoch FROM {name}) * 1000000)::bigint::text"
    return f"({column.value})::text"
