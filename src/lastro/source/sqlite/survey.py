"""What SQLite counts itself, and the same counted of the cells that arrive.

1. SQLite types values, not columns. A column of which every value is a number has a sum; one text or blob, and it has
   none: a text of digits may well become a number here, and would then be missed in the sum. A sum of integers is
   exact, in two halves of 32 bits; one real makes the column's sum approximate.
2. The row hash is that of `tally`, of the texts that arrive. SQLite has no MD5, so our function hashes inside it: it
   proves the way from SQLite to here, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lastro.model.errors import ConfigurationError
from lastro.model.reconciliation import ColumnTotals, Totals
from lastro.model.text import _
from lastro.source.database.select import quoted
from lastro.source.database.tally import CANCELLED, FLOAT_LIMIT, row_hash
from lastro.source.sqlite.session import SqliteSession, text_of

_ASKED = 7
"""How many answers there are for a column."""
_NUMBERS = frozenset({int, float, type(None)})
_AT_ONCE = 200
"""How many columns one statement counts: a result has at most 2,000."""
_HASHED_MAX = 100
"""How many arguments a function of SQLite's may have."""


class CellTally:
    """Counts the cells that pass."""

    def __init__(self, names: Sequence[str], *, hashed: bool) -> None:
        self._sums = {name: _Column() for name in names}
        self._hash = 0 if hashed else None
        self._rows = 0

    def add(self, columns: list[tuple[Any, ...]]) -> None:  # Any: cells
        """Counts a block of rows in, given by columns."""
        self._rows += len(columns[0])
        for counted, cells in zip(self._sums.values(), columns, strict=True):
            counted.add(cells)
        if self._hash is not None:
            self._hash += _hash_of(columns)

    def totals(self) -> Totals:
        """What was counted so far."""
        columns = {name: counted.totals() for name, counted in self._sums.items()}
        return Totals(self._rows, columns, None if self._hash is None else str(self._hash))


class _Column:
    def __init__(self) -> None:
        self.nulls = self.whole = self.reals = self.others = 0
        self.real = self.size = 0.0

    def add(self, cells: tuple[Any, ...]) -> None:  # Any: cells
        kinds = set(map(type, cells))
        if kinds - _NUMBERS:
            self.others += sum(cell.__class__ not in _NUMBERS for cell in cells)
        if type(None) in kinds:
            self.nulls += cells.count(None)
        if int in kinds:
            self.whole += sum(cells) if len(kinds) == 1 else sum(cell for cell in cells if cell.__class__ is int)
        if float in kinds:
            numbers = [cell for cell in cells if cell.__class__ is float]
            self.reals += len(numbers)
            inside = [number for number in numbers if abs(number) < FLOAT_LIMIT]
            self.real += sum(inside)
            self.size += sum(map(abs, inside))

    def totals(self) -> ColumnTotals:
        if self.others:
            return ColumnTotals(self.nulls)
        return _totals(self.nulls, self.whole, self.reals, self.real, self.size)


class _RowHash:
    """An aggregate for SQLite; one that collects rows, since hashing many at once is cheaper."""

    def __init__(self) -> None:
        self._total = 0
        self._rows: list[tuple[Any, ...]] = []  # Any: cells

    def step(self, *cells: Any) -> None:  # Any: cells
        self._rows.append(cells)
        if len(self._rows) == 1_000:
            self._flush()

    def finalize(self) -> str:
        self._flush()
        return str(self._total)

    def _flush(self) -> None:
        if self._rows:
            self._total += _hash_of(list(zip(*self._rows, strict=True)))
        self._rows = []


def survey(session: SqliteSession, rows: str, names: Sequence[str], *, hashed: bool) -> Totals:
    """SQLite's own totals of these rows, in the session's transaction."""
    columns: dict[str, ColumnTotals] = {}
    for begin in range(0, len(names), _AT_ONCE):
        some = names[begin : begin + _AT_ONCE]
        asked = ["count(*)", *(text for name in some for text in _asked(quoted(name)))]
        found = session.row(f"SELECT {', '.join(asked)} FROM {rows}") or (0,)
        count, answers = int(found[0]), found[1:]
        for index, name in enumerate(some):
            values, numbers, high, low, reals, real, size = answers[index * _ASKED : (index + 1) * _ASKED]
            whole = ((high or 0) << 32) + (low or 0)
            nulls = count - values
            is_summed = numbers == values
            columns[name] = _totals(nulls, whole, reals, real, size) if is_summed else ColumnTotals(nulls)
    return Totals(count, columns, _hash(session, rows, names) if hashed else None)


def _asked(name: str) -> tuple[str, ...]:
    whole = f"CASE WHEN typeof({name}) = 'integer' THEN {name}"
    real = f"CASE WHEN typeof({name}) = 'real' AND abs({name}) < {FLOAT_LIMIT!r} THEN"
    return (
        f"count({name})",
        f"count(CASE WHEN typeof({name}) IN ('integer', 'real') THEN 1 END)",
        f"sum({whole} >> 32 END)",
        f"sum({whole} & 4294967295 END)",
        f"count(CASE WHEN typeof({name}) = 'real' THEN 1 END)",
        f"total({real} {name} END)",
        f"total({real} abs({name}) END)",
    )


def _hash(session: SqliteSession, rows: str, names: Sequence[str]) -> str:
    if len(names) > _HASHED_MAX:
        raise ConfigurationError(
            _("SQLite hashes rows of at most {max} columns").format(max=_HASHED_MAX),
            where=session.label,
            do=_("write reconcile: true, or select fewer columns"),
        )
    session.connection.create_aggregate("lastro_row_hash", len(names), _RowHash)  # type: ignore[arg-type]
    (found,) = session.row(f"SELECT lastro_row_hash({', '.join(map(quoted, names))}) FROM {rows}") or ("0",)
    return str(found)


def _totals(nulls: int, whole: int, reals: int, real: float, size: float) -> ColumnTotals:
    if not reals:
        return ColumnTotals(nulls, str(whole))
    total = whole + real
    known = abs(total) >= CANCELLED * (size + abs(whole))
    return ColumnTotals(nulls, repr(total) if known else None, approximate=True)


def _hash_of(columns: list[tuple[Any, ...]]) -> int:  # Any: cells
    import pyarrow as pa

    return row_hash([pa.array(map(text_of, cells), pa.string()) for cells in columns], len(columns[0]))
