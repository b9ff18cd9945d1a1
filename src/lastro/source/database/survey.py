"""The survey: what a database counts itself of the rows that are about to be read, in the snapshot they are read from.

One statement counts rows, values and sums (see `lastro.model.reconciliation`); what arrives is counted by `tally`.
A column that cannot be missing is not counted. A dialect says how a column is summed and written for the row hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lastro.model.reconciliation import ColumnTotals, Totals
from lastro.source.database.tally import exact

_AT_ONCE = 500
"""How many columns one statement counts: a result has a limited number of them."""
Reconcile = bool | Literal["rows"]
"""Whether the database counts; `rows` asks for the hash of all rows as well."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How one column is counted, in SQL: `values` counts those that are there, `total` sums; either may be absent."""

    name: str
    values: str | None = None
    total: str | None = None
    approximate: bool = False


def survey(
    row: Callable[[str], tuple[Any, ...] | None],  # Any: cells
    relation: str,
    columns: Sequence[Counted],
    *,
    row_hash: str | None = None,
) -> Totals:
    """The database's own totals of a relation (with its conditions)."""
    counted: dict[str, ColumnTotals] = {}
    for begin in range(0, len(columns), _AT_ONCE):
        some = columns[begin : begin + _AT_ONCE]
        asked = ["count(*)", *(text for column in some for text in (column.values, column.total) if text)]
        answers = iter(row(f"SELECT {', '.join(asked)} FROM {relation}") or (0,))
        rows = int(next(answers))
        counted |= {column.name: _totals(column, rows, answers) for column in some}
    if row_hash is None:
        return Totals(rows, counted)
    (found,) = row(f"SELECT {row_hash} FROM {relation}") or (None,)
    return Totals(rows, counted, exact(found))


def _totals(column: Counted, rows: int, answers: Iterator[Any]) -> ColumnTotals:  # Any: cells
    nulls = rows - int(next(answers)) if column.values else 0
    if column.total is None:
        return ColumnTotals(nulls)
    found = next(answers)
    if column.approximate:
        return ColumnTotals(nulls, repr(float(found or 0)), approximate=True)
    return ColumnTotals(nulls, exact(found))
