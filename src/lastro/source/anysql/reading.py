"""Any database through a general driver: what ADBC and SQLAlchemy sources have in common.

Rules:

1. Lastro does not know the dialect: it writes names in quotes, comparisons, `max`, `count` and `EXISTS`, and no more.
   There is no early stop, for no two dialects spell it alike: a reading goes to its end.
2. The strictest isolation that the driver names is asked for. Where it names none, `snapshot` is False and a note says
   that what is written meanwhile may be half read.
3. With a cursor column the rules of `lastro.source.incremental` hold. Nothing is known of open transactions: without a
   `lag`, `append` loses the rows that commit behind newer ones. The first reading says so.
4. `reconcile: true` lets the database count rows and missing values before they are read, in the same transaction. It
   is not the default, since it may fail where there is no snapshot.
5. A query is one SELECT. Nothing is committed, but only the account's rights keep a function from writing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from lastro.model.reconciliation import ColumnTotals, Totals
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source import incremental
from lastro.source.database.absent import check_named, no_such_column
from lastro.source.database.growing import Growing, Reading
from lastro.source.database.select import check_select
from lastro.source.database.survey import Counted, survey
from lastro.source.database.table_name import parts_of
from lastro.source.database.taking import Taking, nothing_new
from lastro.source.incremental import ColumnCursor, Value
from lastro.source.protocol import Cursor, Opened, Unchanged
from lastro.source.stream import Batches, telling


class Session(Protocol):
    """A connection in one transaction. `quote` is what stands around a name."""

    @property
    def label(self) -> str:
        """How a person names what is read."""
        ...

    @property
    def quote(self) -> str:
        """The character around names."""
        ...

    @property
    def snapshot(self) -> bool:
        """True if every statement sees one state of the database."""
        ...

    def names(self, relation: str) -> tuple[str, ...]:
        """The columns of a relation."""
        ...

    def row(self, statement: str) -> tuple[Any, ...] | None:  # Any: cells
        """The first row of a result, its values as a cursor holds them."""
        ...

    def literal(self, value: Value, column: str, relation: str) -> str:
        """A cursor's value as SQL, to be compared with a column."""
        ...

    def stream(self, statement: str, tally: Arrived | None) -> Batches:
        """The rows of a SELECT, fetched as they are asked for."""
        ...


class Arrived:
    """Counts rows and missing values as they pass."""

    def __init__(self) -> None:
        self._rows = 0
        self._nulls: dict[str, int] = {}

    def add(self, batch: Any) -> None:  # Any: pyarrow.RecordBatch
        """Counts a batch in."""
        self._rows += batch.num_rows
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            self._nulls[name] = self._nulls.get(name, 0) + array.null_count

    def totals(self, names: Sequence[str]) -> Totals:
        """What was counted so far."""
        return Totals(self._rows, {name: ColumnTotals(self._nulls.get(name, 0)) for name in names})


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a database is to be read: the options that both kinds of source share, and what identifies them."""

    identity: str
    table: str | None
    query: str | None
    cursor: str | None
    lag: float
    reconcile: bool


@contextmanager
def opened(session: Session, asked: Asked, last: ColumnCursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
    """The rows to read, after `last`. Raises `SourceBroken`, `ConfigurationError`, and what the session raises."""
    relation = _relation(session, asked)
    names = session.names(relation)
    check_named(names, session.label)
    reading = _reading(session, asked, relation, names, last, mode)
    if last is not None and incremental.nothing_new(mode, last, reading.after):
        yield nothing_new(session.label, names, _keys(session, relation))
        return
    taking = _taking(session, asked, relation, names, reading)
    with telling(taking.stream):
        yield taking.opened(notes=tuple(_notes(session, asked, last, mode)))


def label_of(table: str | None, query: str | None, identity: Callable[..., str]) -> str:
    """The table as it was given, or the query's identity."""
    return table or f"query {identity(query)[:8]}"


def continued(cursor: Cursor | None, asked: Asked, mode: Mode, label: str) -> ColumnCursor | None:
    """The last commit's cursor, if it can be continued."""
    return incremental.last_of(cursor, asked.identity, mode, label=label, column=asked.cursor)


def _relation(session: Session, asked: Asked) -> str:
    if asked.query is not None:
        return f"({check_select(asked.query, session.label)}\n) _rows"
    parts = parts_of(asked.table or "", quote='"', most=3)
    return ".".join(_quoted(part, session.quote) for part in parts)


def _quoted(name: str, quote: str) -> str:
    return quote + name.replace(quote, quote * 2) + quote


def _reading(
    session: Session,
    asked: Asked,
    relation: str,
    names: tuple[str, ...],
    last: ColumnCursor | None,
    mode: Mode,
) -> Reading:
    column = asked.cursor
    if column is None:
        return Reading(ColumnCursor(asked.identity))
    if column not in names:
        raise no_such_column(column, names, session.label)
    return Growing(
        row=session.row,
        rows=lambda where: session.stream(_select(session, names, f"{relation} WHERE {where}"), None),
        literal=lambda value: session.literal(value, column, relation),
        relation=relation,
        column=_quoted(column, session.quote),
        label=session.label,
        lag=asked.lag,
    ).reading(asked.identity, last, mode)


def _taking(session: Session, asked: Asked, relation: str, names: tuple[str, ...], reading: Reading) -> Taking:
    statement = _select(session, names, f"{relation}{reading.where}{reading.order}")
    keys = _keys(session, relation)
    if not asked.reconcile:
        return Taking(session.label, names, reading, session.stream(statement, None), keys)
    counted = [Counted(name, f"count({_quoted(name, session.quote)})") for name in names]
    source = survey(session.row, f"{relation}{reading.where}", counted)
    arrived = Arrived()
    stream = session.stream(statement, arrived)
    return Taking(session.label, names, reading, stream, keys, source, lambda: arrived.totals(names))


def _keys(session: Session, relation: str) -> Callable[[Sequence[str]], Batches]:
    return lambda wanted: session.stream(_select(session, wanted, relation), None)


def _select(session: Session, names: Sequence[str], rows: str) -> str:
    return f"SELECT {', '.join(_quoted(name, session.quote) for name in names)} FROM {rows}"


def _notes(session: Session, asked: Asked, last: ColumnCursor | None, mode: Mode) -> Iterator[str]:
    if mode is Mode.APPEND and last is None and asked.cursor is not None and not asked.lag:
        yield _("without a lag, rows that commit behind newer ones are lost")
    if not session.snapshot:
        yield _("the driver gives no snapshot: what is written meanwhile may be half read")
