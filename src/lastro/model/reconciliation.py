"""Reconciliation: what a source says it holds against what arrived from it, counted in the same snapshot.

Rules:

1. Rows and missing values are whole numbers; sums are exact texts of decimal numbers. A sum of floating-point numbers
   depends on the order of addition: `approximate` says so, and two such sums are equal within 1e-9 of the larger one.
2. `row_hash` does not depend on the order of rows; equal rows that occur twice count twice. It is taken on request.
3. What one side did not count is not compared. A column that only one side has is a difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class ColumnTotals:
    """One column: missing values, and the sum of a numeric one as text."""

    nulls: int
    total: str | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """One side: rows, columns by the source's names, and the hash of all rows where it was asked for."""

    rows: int
    columns: Mapping[str, ColumnTotals] = field(default_factory=dict)
    row_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that both sides counted, and not alike. `column` is empty where it is about the rows."""

    measure: str
    column: str
    source: str
    arrived: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Both sides. `source` was counted by the database itself, `arrived` on the rows that came over the wire."""

    source: Totals
    arrived: Totals

    @property
    def holds(self) -> bool:
        """True if nothing differs."""
        return not self.differences()

    def differences(self) -> tuple[Difference, ...]:
        """Everything that both sides counted, and not alike: rows first, then by column."""
        found = []
        if self.source.rows != self.arrived.rows:
            found.append(Difference("rows", "", str(self.source.rows), str(self.arrived.rows)))
        for name in dict.fromkeys([*self.source.columns, *self.arrived.columns]):
            found += _of_column(name, self.source.columns.get(name), self.arrived.columns.get(name))
        hashes = (self.source.row_hash, self.arrived.row_hash)
        if None not in hashes and hashes[0] != hashes[1]:
            found.append(Difference("row_hash", "", str(hashes[0]), str(hashes[1])))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The proof as plain values, for the commit: counts and whether they agree, no value of a row."""
        return {"holds": self.holds, "source": _values(self.source), "arrived": _values(self.arrived)}


def _of_column(name: str, source: ColumnTotals | None, arrived: ColumnTotals | None) -> list[Difference]:
    if source is None or arrived is None:
        return [Difference("column", name, _presence(source), _presence(arrived))]
    found = []
    if source.nulls != arrived.nulls:
        found.append(Difference("nulls", name, str(source.nulls), str(arrived.nulls)))
    if source.total is not None and arrived.total is not None and not _same_sum(source, arrived):
        found.append(Difference("sum", name, source.total, arrived.total))
    return found


def _presence(side: ColumnTotals | None) -> str:
    return "absent" if side is None else "present"


def _same_sum(source: ColumnTotals, arrived: ColumnTotals) -> bool:
    if source.total == arrived.total:
        return True
    if not (source.approximate or arrived.approximate):
        return False
    first, second = float(source.total or "nan"), float(arrived.total or "nan")
    return math.isclose(first, second, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _values(side: Totals) -> dict[str, Any]:  # Any: JSON values
    columns = {
        name: {"nulls": column.nulls, **({} if column.total is None else {"sum": column.total})}
        for name, column in side.columns.items()
    }
    return {"rows": side.rows, "columns": columns, **({} if side.row_hash is None else {"row_hash": side.row_hash})}
