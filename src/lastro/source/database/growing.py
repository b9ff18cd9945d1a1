"""A cursor column asked by SQL: which rows to read now, and the cursor once they are read.

One code for every database but PostgreSQL, whose open transactions can be seen. The rules are those of `incremental`:

1. Everything is asked in one snapshot, so what is decided is what is read.
2. A reading stops at a value, never at a row: all rows of one value are read together, however many they are.
3. An `upsert` never stops within the lag of the newest value: rows that come late there would be passed by.
4. `overwrite` reads everything. So does a first reading of a table without a cursor column.
5. Rows without a value are read with the first part of an `upsert`; what they held then is noted, and compared the next
   time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source import incremental
from lastro.source.database.missing import fingerprint
from lastro.source.incremental import ColumnCursor, Value
from lastro.source.options import wrong_option
from lastro.source.stream import Batches

BATCH_ROWS = 2_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """Which rows to read, in SQL, and the cursor once they are read."""

    after: ColumnCursor
    where: str = ""
    order: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True)
class Growing:
    """The cursor column of a relation. `row` gives the first row of a statement's result, `literal` a value as SQL;
    `rows` gives all rows that meet a condition; `column` is quoted. Without `batch_rows` a reading goes to the end.
    """

    row: Callable[[str], tuple[Any, ...] | None]  # Any: cells
    rows: Callable[[str], Batches]
    literal: Callable[[Value], str]
    relation: str
    column: str
    label: str
    lag: float = 0
    batch_rows: int | None = None
    nullable: bool = True

    def reading(self, identity: str, last: ColumnCursor | None, mode: Mode) -> Reading:
        """What to read after the last commit. Raises `SourceBroken`."""
        newest = self._newest()
        previous = None if last is None else last.last
        incremental.check_values(previous, newest, label=self.label)
        match mode:
            case Mode.APPEND:
                return self._append(identity, last, newest)
            case Mode.UPSERT:
                return self._upsert(identity, last, newest)
            case _:
                return Reading(ColumnCursor(identity, newest, self._tail(newest)), order=self._order)

    def _append(self, identity: str, last: ColumnCursor | None, newest: Value | None) -> Reading:
        if self.nullable and self._holds([f"{self.column} IS NULL"]):
            raise incremental.missing_values(self.label, self.column)
        previous = incremental.reached(last)
        if newest is None:
            return Reading(ColumnCursor(identity, previous), " WHERE 1 = 0")
        up_to = self._earlier(newest)
        window = self._above(previous)
        within = [*window, f"{self.column} <= {self.literal(up_to)}"]
        stop = self._stop(within)
        more = stop is not None and self._holds([f"{self.column} > {self.literal(stop)}", *within])
        if more and stop is not None:
            within, up_to = [*window, f"{self.column} <= {self.literal(stop)}"], stop
        reached = up_to if more or self._holds(within) else previous
        return Reading(ColumnCursor(identity, reached), _where(within), self._order, more)

    def _upsert(self, identity: str, last: ColumnCursor | None, newest: Value | None) -> Reading:
        previous = None if last is None else last.last
        resume = None if last is None else last.resume
        missing = resume is None
        window = self._above(resume) if resume is not None else self._since(previous)
        held = self._missing() if last is None or missing else last.missing
        after = ColumnCursor(identity, newest, self._tail(newest), missing=held)
        if newest is not None:
            stop = self._stop([*window, f"{self.column} <= {self.literal(self._earlier(newest))}"])
            if stop is not None and self._holds([f"{self.column} > {self.literal(stop)}"]):
                window = [*window, f"{self.column} <= {self.literal(stop)}"]
                after = ColumnCursor(identity, previous, 0 if last is None else last.tail, resume=stop, missing=held)
        where = _where(window)
        if where and missing:
            where = f" WHERE ({' AND '.join(window)}) OR {self.column} IS NULL"
        return Reading(after, where, self._order, after.resume is not None)

    @property
    def _order(self) -> str:
        return f" ORDER BY {self.column}"

    def _newest(self) -> Value | None:
        (value,) = self.row(f"SELECT max({self.column}) FROM {self.relation}") or (None,)
        return checked(value, self.label)

    def _above(self, value: Value | None) -> list[str]:
        return [] if value is None else [f"{self.column} > {self.literal(value)}"]

    def _since(self, value: Value | None) -> list[str]:
        return [] if value is None else [f"{self.column} >= {self.literal(self._earlier(value))}"]

    def _stop(self, conditions: list[str]) -> Value | None:
        """The value of the row at which a batch is full; None if there are fewer."""
        if self.batch_rows is None:
            return None
        found = self.row(
            f"SELECT {self.column} FROM {self.relation}{_where([f'{self.column} IS NOT NULL', *conditions])}"
            f"{self._order} LIMIT 1 OFFSET {self.batch_rows - 1}"
        )
        return None if found is None else checked(found[0], self.label)

    def _missing(self) -> str:
        """What the rows without a value hold."""
        without = f"{self.column} IS NULL"
        return fingerprint(self.rows(without)) if self.nullable and self._holds([without]) else ""

    def _tail(self, newest: Value | None) -> int:
        if newest is None:
            return 0
        (count,) = self.row(f"SELECT count(*) FROM {self.relation}{_where(self._since(newest))}") or (0,)
        return int(count)

    def _holds(self, conditions: list[str]) -> bool:
        found = self.row(
            f"SELECT CASE WHEN EXISTS (SELECT 1 FROM {self.relation}{_where(conditions)}) THEN 1 ELSE 0 END"
        )
        return bool(found and int(found[0]))

    def _earlier(self, value: Value) -> Value:
        return incremental.earlier(value, self.lag)


def checked(value: Any, label: str) -> Value | None:  # Any: a cell
    """A cell as a cursor's value. Raises `SourceBroken` for one that has no place in a cursor."""
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return value
    raise SourceBroken(
        _("the cursor column holds values that are neither numbers, dates nor texts"),
        where=label,
        do=_("choose another cursor column"),
    )


def plain_literal(value: Value, label: str) -> str:
    """A value as SQL of a dialect that is not known: numbers, and texts that mean the same in all. Raises
    `SourceBroken` for a text with a backslash or a control character.
    """
    if not isinstance(value, str):
        return repr(value)
    if "\\" in value or not value.isprintable():
        raise SourceBroken(
            _("the cursor column holds texts that not every database reads alike"),
            where=label,
            do=_("choose a column of numbers, dates or times"),
        )
    return "'" + value.replace("'", "''") + "'"


def check_choice(kind: str, *, table: str | None, query: str | None, cursor: str | None, lag: float) -> None:
    """Raises `ConfigurationError` where the options of a relation do not go together."""
    if (table is None) == (query is None):
        raise wrong_option(kind, _("either a table or a query"), do=_("add table: NAME"))
    if lag and cursor is None:
        raise wrong_option(kind, _("lag is for a cursor column"), do=_("add cursor: COLUMN, or leave lag out"))


def unfit(label: str, column: str) -> ConfigurationError:
    """The error for a column that cannot be the cursor, whatever it holds."""
    return ConfigurationError(
        _("{column} cannot be the cursor column: its values have no order that lasts").format(column=column),
        where=label,
        do=_("choose a column of numbers, dates or times"),
    )


def _where(conditions: list[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
