"""PostgreSQL through ADBC: a table, view or query, in one read-only snapshot, streamed.

Rules:

1. One REPEATABLE READ, READ ONLY transaction: one state of the database, whoever writes meanwhile. A table is locked
   against being rewritten before the snapshot is taken, for a rewritten table looks empty to an older snapshot.
2. Nothing is lost on the way: see `postgres_columns` for how each type arrives.
3. Before the rows are read, the database counts them in the same snapshot (`postgres_survey`); what arrives is counted
   too (`tally`). `reconcile: rows` adds a hash of all rows, `reconcile: false` leaves the survey out.
4. With a cursor column the rules of `lastro.source.incremental` hold, and what commits late is not lost: see `fence`.
   `append` reads up to the fence and refuses to pass it; `upsert` and `overwrite` read beyond it and go on from it next
   time. With a `lag` the lag alone decides, as it must on a standby server, where open transactions cannot be seen.
5. With a cursor column, `append` and `upsert` stop after about `batch_rows` rows, between two values of it, never above
   the fence (less the lag): nothing can appear later at or below a value where a reading stopped. An `upsert` behind
   which transactions stay open does not stop early, for it has no fence.
6. A large table that is read whole is read by `parallel` connections that share the snapshot, in ranges that arrive in
   the table's own order (`postgres_ranges`).
7. A query is one SELECT. The transaction is read-only, but a function it calls can do what the account may do.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from lastro.model.declared import Declared
from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.schema import Primitive
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source import incremental
from lastro.source.database.absent import no_such_column
from lastro.source.database.select import check_select
from lastro.source.database.taking import Taking, nothing_new
from lastro.source.database.tally import Tally
from lastro.source.incremental import ColumnCursor
from lastro.source.options import SourceOptions, identity, read_options, wrong_option
from lastro.source.postgres.columns import Column, Conversion, columns_of
from lastro.source.postgres.errors import held_back
from lastro.source.postgres.fence import Fence
from lastro.source.postgres.growing import Growing
from lastro.source.postgres.ranges import WORTHWHILE_BYTES, Readers, block_ranges, opened_ahead
from lastro.source.postgres.session import Session, check_url, connected
from lastro.source.postgres.survey import Reconcile, fitting, survey
from lastro.source.postgres.tables import Relation, key_of, relation_of, table_name
from lastro.source.protocol import Cursor, Handed, Opened, Source, Unchanged
from lastro.source.secret import Secret
from lastro.source.stream import Batches, telling

PARALLEL_MAX = 4
"""The number of connections is that of this machine's processors, at most this, unless it is given."""


class PostgresOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `postgres`: `url` with the password as `${NAME}`, and a `table` (`schema.table`) or `query`.

    `cursor` names the column that says which rows are new; `lag` how late they may come, in the column's unit or in
    seconds; `wait_s` how long to wait for transactions that are open; `batch_rows` after how many rows a reading with a
    cursor stops; `parallel` how many connections read; `reconcile` what the database counts.
    """

    url: str
    table: Annotated[str, Meta(min_length=1)] | None = None
    query: str | None = None
    cursor: Annotated[str, Meta(min_length=1)] | None = None
    lag: Annotated[float, Meta(ge=0)] = 0
    wait_s: Annotated[float, Meta(ge=0, le=3600)] = 10
    batch_rows: Annotated[int, Meta(ge=1)] = 2_000_000
    parallel: Annotated[int, Meta(ge=1, le=16)] | None = None
    reconcile: Reconcile = True


@dataclass(frozen=True, slots=True)
class PostgresSource:
    """A table or query of a PostgreSQL server."""

    url: Secret
    options: PostgresOptions
    sleep: Callable[[float], None] = time.sleep
    kind: str = "postgres"
    shared: str | None = None
    """The snapshot of another connection to read in."""

    @property
    def label(self) -> str:
        """The table as it was given, or the query's identity."""
        return self.options.table or f"query {identity(self.options.query)[:8]}"

    @property
    def identity(self) -> str:
        """What is read, for the cursor. Host and account may change: a database can move."""
        return identity(self.options.table, self.options.query, self.options.cursor)

    def moved(self, earlier: Mapping[str, Cursor], *, same: bool) -> Handed | None:
        """The cursor of the same rows under another label."""
        return incremental.handed(earlier, self.identity) if same else None

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A stream of the rows to read. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`, `MissingExtra`."""
        last = incremental.last_of(cursor, self.identity, mode, label=self.label, column=self.options.cursor)
        with ExitStack() as stack:
            session = stack.enter_context(self._connected())
            relation = self._relation(session)
            columns = columns_of(session.schema(f"SELECT * FROM {relation.sql}"), self.label)
            reading = self._reading(session, relation, columns, last, mode)
            if last is not None and incremental.nothing_new(mode, last, reading.after):
                names = [column.name for column in columns]
                yield nothing_new(self.label, names, partial(_keys, session, relation, columns))
                return
            taking = self._taking(stack, session, relation, columns, reading)
            with telling(taking.stream):
                yield taking.opened(notes=reading.notes)

    def declared(self) -> Declared:
        """The table's primary key, and which of the columns that arrive as text are text."""
        if self.options.table is None:
            return Declared()
        with self._connected() as session:
            relation = self._relation(session)
            columns = columns_of(session.schema(f"SELECT * FROM {relation.sql}"), self.label)
            texts = {column.name: Primitive.STRING for column in columns if column.literal}
            return Declared(key_of(session, relation), texts)

    @contextmanager
    def sharing(self, others: Sequence[Source]) -> Iterator[str | None]:
        """One snapshot for this table and others of the database. Nobody can rewrite them while the context lasts."""
        with self._connected() as session:
            (standby,) = session.row("SELECT pg_is_in_recovery()")
            if standby:
                yield None
                return
            tables = [each for each in (self, *others) if isinstance(each, PostgresSource)]
            session.begin_snapshot(locked=", ".join(_lockable(tables, session)) or None)
            yield session.share_snapshot()

    def within(self, shared: str) -> PostgresSource:
        """The same table, to be read in that snapshot."""
        return replace(self, shared=shared)

    def _connected(self) -> Any:  # Any: a context manager of a Session
        return connected(self.url, self.label, query=self.options.query is not None)

    def _relation(self, session: Session) -> Relation:
        if self.options.query is not None:
            return Relation(f"({check_select(self.options.query, self.label)}\n) AS _rows")
        return relation_of(session, self.options.table or "")

    def _reading(
        self,
        session: Session,
        relation: Relation,
        columns: tuple[Column, ...],
        last: ColumnCursor | None,
        mode: Mode,
    ) -> Reading:
        """What to read and the cursor after it. Begins the snapshot."""
        locked = relation.sql if relation.lockable else None
        if self.options.cursor is None:
            session.begin_snapshot(locked=locked, shared=self.shared)
            return Reading(ColumnCursor(self.identity))
        growing = self._growing(session, relation, columns)
        newest, left = self._fenced(session, growing, mode)
        session.begin_snapshot(locked=locked, shared=self.shared)
        match mode:
            case Mode.APPEND:
                return self._appending(growing, _text(None if last is None else last.last), newest)
            case Mode.UPSERT:
                return self._upserting(growing, last, newest, left)
            case _:
                return Reading(self._after(growing, newest if not left else None), notes=_still_open(left))

    def _growing(self, session: Session, relation: Relation, columns: tuple[Column, ...]) -> Growing:
        name = self.options.cursor or ""
        kind = next((column.type for column in columns if column.name == name), None)
        if kind is None:
            raise no_such_column(name, [column.name for column in columns], self.label)
        return Growing(session, relation.sql, name, kind, self.options.lag, self.label, columns)

    def _fenced(self, session: Session, growing: Growing, mode: Mode) -> tuple[str | None, int]:
        """The greatest value that may be read up to, and how many transactions may still write below it."""
        (standby,) = session.row("SELECT pg_is_in_recovery()")
        if standby and not self.options.lag:
            raise ConfigurationError(
                _("a standby server does not show which transactions are open"),
                where=self.label,
                do=_("read from the primary server, or say how late rows may come with lag"),
            )
        newest = growing.newest(less_lag=mode is Mode.APPEND)
        if self.options.lag:
            return newest, 0
        left = Fence.behind(session).wait(self.options.wait_s, sleep=self.sleep)
        if left and mode is Mode.APPEND:
            raise held_back(self.label, left, self.options.wait_s)
        return newest, left

    def _after(self, growing: Growing, reached: str | None, *, missing: str = "") -> ColumnCursor:
        return ColumnCursor(self.identity, reached, growing.tail(reached), missing=missing)

    def _appending(self, growing: Growing, previous: str | None, newest: str | None) -> Reading:
        if growing.has_missing():
            raise incremental.missing_values(self.label, self.options.cursor or "")
        if newest is None:
            return Reading(ColumnCursor(self.identity, previous), "false")
        beyond = "" if previous is None else f"{growing.above(previous)} AND "
        where = beyond + growing.up_to(newest)
        stop = growing.stop(where, self.options.batch_rows)
        if stop is not None:
            return Reading(ColumnCursor(self.identity, stop), beyond + growing.up_to(stop), growing.column, more=True)
        reached = newest if growing.any(where) else previous
        return Reading(ColumnCursor(self.identity, reached), where, growing.column)

    def _upserting(self, growing: Growing, last: ColumnCursor | None, newest: str | None, left: int) -> Reading:
        """One part of a pass (rule 7 of `incremental`), or all of it. Rows without a value come with its end."""
        began, resume = (None, None) if last is None else (_text(last.last), _text(last.resume))
        window = "" if began is None else growing.since(began)
        if resume is not None:
            window = growing.above(resume)
        if newest is not None and not left:
            safe = growing.up_to(growing.less_lag(newest))
            below = f"({window}) AND {safe}" if window else safe
            stop = growing.stop(below, self.options.batch_rows)
            if stop is not None:
                part = f"({window}) AND {growing.up_to(stop)}" if window else growing.up_to(stop)
                tail, held = (0, "") if last is None else (last.tail, last.missing)
                after = ColumnCursor(self.identity, began, tail, resume=stop, missing=held)
                return Reading(after, part, growing.column, more=True)
        where = f"{window} OR {growing.column} IS NULL" if window else ""
        after = self._after(growing, began if left else newest, missing=growing.missing())
        return Reading(after, where, growing.column, _still_open(left))

    def _taking(
        self, stack: ExitStack, session: Session, relation: Relation, columns: tuple[Column, ...], reading: Reading
    ) -> Taking:
        rows = f"{relation.sql}{reading.condition}"
        reconcile = self.options.reconcile
        counted = survey(session, rows, columns, row_hash=reconcile == "rows") if reconcile else None
        arriving = columns if counted is None else counted.columns
        conversion = Conversion(arriving, self.label)
        selected = ", ".join(column.expression for column in arriving)
        session.read_in_order()
        batches = self._batches(stack, session, relation, reading, f"SELECT {selected} FROM {relation.sql}", conversion)
        schema = conversion.schema
        hashed = [column.name for column in arriving] if reconcile == "rows" else None
        tally = None if counted is None else Tally(schema, hashed=hashed)
        stream = Batches(schema, batches if tally is None else _tallied(batches, tally))
        names = [column.name for column in columns]
        keys = partial(_keys, session, relation, columns)
        if counted is None or tally is None:
            return Taking(self.label, names, reading, stream, keys)
        return Taking(self.label, names, reading, stream, keys, counted.totals, tally.totals)

    def _batches(
        self,
        stack: ExitStack,
        session: Session,
        relation: Relation,
        reading: Reading,
        select: str,
        conversion: Conversion,
    ) -> Iterator[Any]:  # Any: pyarrow.RecordBatch
        wanted = self._connections(relation, reading)
        ranges = block_ranges(relation) if wanted > 1 else ("",)
        if len(ranges) == 1:
            return map(conversion, session.batches(f"{select}{reading.condition}{reading.ordered}"))
        shared = session.share_snapshot()

        @contextmanager
        def another() -> Iterator[Session]:
            with self._connected() as other:
                other.begin_snapshot(shared=shared)
                other.read_in_order()
                yield other

        others = opened_ahead(stack, another, min(wanted, len(ranges)) - 1)
        readers = Readers([session, *others], [f"{select} WHERE {bounds}" for bounds in ranges], conversion)
        stack.callback(readers.close)
        return readers.batches()

    def _connections(self, relation: Relation, reading: Reading) -> int:
        """How many connections read: one where a condition or an order stands against taking the table apart."""
        if reading.where or reading.order:
            return 1
        if self.options.parallel is not None:
            return self.options.parallel
        if relation.blocks * relation.block_bytes < WORTHWHILE_BYTES:
            return 1
        return min(PARALLEL_MAX, os.cpu_count() or 1)


def _lockable(sources: Sequence[PostgresSource], session: Session) -> Iterator[str]:
    """The tables among these that a lock can keep from being rewritten; one that is not there is told on reading."""
    for source in sources:
        with suppress(SourceBroken):
            relation = relation_of(session, source.options.table or "")
            if relation.lockable:
                yield relation.sql


@dataclass(frozen=True, slots=True)
class Reading:
    """Which rows to read, in SQL, in which column's order, the cursor after them, and whether more are there."""

    after: ColumnCursor
    where: str = ""
    order: str = ""
    notes: tuple[str, ...] = ()
    more: bool = False

    @property
    def condition(self) -> str:
        """The WHERE clause."""
        return f" WHERE {self.where}" if self.where else ""

    @property
    def ordered(self) -> str:
        """The ORDER BY clause."""
        return f" ORDER BY {self.order}" if self.order else ""


def postgres_source(options: Mapping[str, Any], base: Path) -> PostgresSource:  # Any: a person's YAML values
    """The source of kind `postgres`. Raises `ConfigurationError`."""
    del base
    given = read_options(options, PostgresOptions)
    check_url(given.url)
    if (given.table is None) == (given.query is None):
        raise wrong_option(given.kind, _("either a table or a query"), do=_("add table: SCHEMA.TABLE"))
    if given.lag and given.cursor is None:
        raise wrong_option(given.kind, _("lag is for a cursor column"), do=_("add cursor: COLUMN, or leave lag out"))
    if given.query is not None:
        check_select(given.query, given.kind)
    if given.table is not None:
        table_name(given.table)
    return PostgresSource(Secret(given.url), given)


def _keys(session: Session, relation: Relation, columns: Sequence[Column], names: Sequence[str]) -> Batches:
    """These columns of every row in the snapshot, to be read once the rows were read."""
    known = {column.name: column for column in columns}
    wanted = fitting(session, relation.sql, tuple(known[name] for name in names))
    conversion = Conversion(wanted, session.label)
    selected = ", ".join(column.expression for column in wanted)
    batches = session.batches(f"SELECT {selected} FROM {relation.sql}")
    return Batches(conversion.schema, map(conversion, batches))


def _text(value: incremental.Value | None) -> str | None:
    return None if value is None else str(value)


def _still_open(left: int) -> tuple[str, ...]:
    return (_("{left} transactions are still open; their rows come next time").format(left=left),) if left else ()


def _tallied(batches: Iterator[Any], tally: Tally) -> Iterator[Any]:  # Any: pyarrow.RecordBatch
    for batch in batches:
        tally.add(batch)
        yield batch
