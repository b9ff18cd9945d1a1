"""Cursor columns: which rows of a table are new.

Rules, the same for every database:

1. `append` reads rows whose cursor value is greater than the last one (`>`), up to the newest value less `lag`: each
   row exactly once, if no row ever appears later at or below a value that was read. Rows are never read again, so
   changes to them are not seen. A missing cursor value would be read never or always: it is refused.
2. `upsert` reads rows from the last value less `lag` on (`>=`), and those without a value: each at least once.
3. `overwrite` reads all rows.
4. `lag` is a number in the column's unit, or seconds where the column holds dates or times; it is how late a row may
   appear behind a newer one.
5. Equal last value and equally many rows from it on (less `lag`) mean that nothing changed. No value tells whether a
   row without one is new: an `upsert` also compares what all of those hold (`lastro.source.database.missing`).
6. A cursor of another table, query or column is never continued: `append` refuses, the others read everything.
7. A long reading may stop early, between two different values of the cursor column. For `append` the value reached is
   simply the last one. An `upsert` that stopped early notes it as `resume` and keeps `last`, from which its pass began:
   the next reading goes on above `resume`, and only the pass's end moves `last` and forgets `resume`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from lastro.model.errors import ConfigurationError, SourceBroken, SourceChanged
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source.moved import newest as newest_of
from lastro.source.options import read_cursor
from lastro.source.protocol import Cursor, Handed

Value = int | float | str
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:(?P<gap>[T ])(?P<time>\d\d:\d\d)(?P<second>:\d\d)?(?P<part>\.\d{1,6})?"
    r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


class ColumnCursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was read of a table: `of` identifies table or query and column, `last` is the greatest cursor value read,
    `tail` the number of rows from `last` less `lag` on, `mark` whatever proves cheaply that nothing changed, `resume`
    how far an unfinished `upsert` came (rule 7), `missing` what the rows without a value held when they were read.
    """

    of: str
    last: Value | None = None
    tail: int = 0
    mark: str = ""
    resume: Value | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """Which cursor values to read; no bound at all means every row. `missing` asks for rows without a value too."""

    above: Value | None = None
    above_inclusive: bool = False
    up_to: Value | None = None
    missing: bool = True


def last_of(cursor: Cursor | None, of: str, mode: Mode, *, label: str, column: str | None) -> ColumnCursor | None:
    """The last commit's cursor, if it can be continued. Raises `SourceChanged`, `ConfigurationError` (rule 6)."""
    if cursor is None:
        return None
    last = read_cursor(cursor, ColumnCursor, label)
    if mode is Mode.APPEND and column is None:
        raise ConfigurationError(
            _("appending again would double every row, since nothing says which rows are new"),
            where=label,
            do=_("name a cursor column (cursor: id), or use the mode overwrite or upsert"),
        )
    if last.of == of:
        return last
    if mode is Mode.APPEND:
        raise SourceChanged(
            _("table, query or cursor column are others than those of the last commit"),
            where=label,
            do=_(
                "restore them; or, if the rows and the cursor column are the same, ingest once with --source-is same; "
                "or with --mode overwrite"
            ),
        )
    return None


def handed(earlier: Mapping[str, Cursor], of: str) -> Handed | None:
    """The newest cursor of another label, to go on from: the same table elsewhere. No mark of another place holds."""
    return newest_of(earlier, ColumnCursor, lambda last: msgspec.structs.replace(last, of=of, mark=""))


def reached(last: ColumnCursor | None) -> Value | None:
    """How far the rows of the last commit go: where `append` goes on, also after an unfinished `upsert` (rule 7)."""
    if last is None:
        return None
    return last.last if last.resume is None else last.resume


def window(mode: Mode, last: Value | None, newest: Value | None, lag: float) -> Window:
    """Which values to read after `last`, given the newest one there is (rules 1 to 3)."""
    if mode is Mode.APPEND:
        up_to = None if newest is None else earlier(newest, lag)
        return Window(above=last, up_to=up_to, missing=False)
    if mode is Mode.UPSERT and last is not None:
        return Window(above=earlier(last, lag), above_inclusive=True)
    return Window()


def earlier(value: Value, lag: float) -> Value:
    """The value that lies `lag` before another: of a number, or in seconds of an ISO date or time in its own spelling.

    >>> earlier("2026-01-01 00:00:10", 20)
    '2025-12-31 23:59:50'
    """
    if lag == 0:
        return value
    if isinstance(value, str):
        return _earlier_moment(value, lag)
    if isinstance(value, int):
        return value - math.ceil(lag)
    return value - lag


def nothing_new(mode: Mode, last: ColumnCursor, after: ColumnCursor) -> bool:
    """True if reading on from `last` to `after` would bring no row that was not read (rule 5)."""
    match mode:
        case Mode.APPEND:
            return reached(last) == after.last
        case Mode.UPSERT:
            finished = last.resume is None and after.resume is None
            same = (last.last, last.tail, last.missing) == (after.last, after.tail, after.missing)
            return finished and same and after.last is not None
        case _:
            return False


def check_values(last: Value | None, newest: Value | None, *, label: str) -> None:
    """Raises `SourceBroken` if a cursor column turned from numbers to texts or back."""
    if last is not None and newest is not None and isinstance(last, str) != isinstance(newest, str):
        raise SourceBroken(
            _("the cursor column holds numbers and texts, which have no common order"),
            where=label,
            do=_("choose another cursor column, or ingest with --mode overwrite"),
        )


def missing_values(label: str, column: str) -> SourceBroken:
    """The error for rows that `append` would read never or always."""
    return SourceBroken(
        _("rows without a value in the cursor column {column} cannot be appended once").format(column=column),
        where=label,
        do=_("choose a column that is never missing, or ingest with --mode upsert"),
    )


def _earlier_moment(text: str, lag: float) -> str:
    found = _MOMENT.fullmatch(text)
    if not found:
        raise SourceBroken(
            _("a lag needs numbers or ISO dates in the cursor column"),
            do=_("leave lag out, or choose another cursor column"),
        )
    try:
        moment = datetime.fromisoformat(text)
        moment -= timedelta(seconds=lag) if found["gap"] else timedelta(days=math.ceil(lag / 86_400))
    except (ValueError, OverflowError):  # 30 February, or before the first year that there is
        raise SourceBroken(
            _("{moment} is no moment, or the lag reaches back before the year 1").format(moment=text),
            do=_("leave lag out, or choose another cursor column"),
        ) from None
    spelled = moment.date().isoformat()
    if found["gap"] is None:
        return spelled
    spelled += f"{found['gap']}{moment:%H:%M}"
    if found["second"]:
        spelled += f"{moment:%S}".join((":", ""))
    if found["part"]:
        spelled += f".{moment.microsecond:06d}"[: len(found["part"])]
    return spelled + (found["zone"] or "")
