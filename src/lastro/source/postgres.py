"""PostgreSQL through ADBC: a table, view or query, in one read-only snapshot, streamed.

Rules:

1. One REPEATABLE READ, READ ONLY transaction: one state of the database, whoever writes meanwhile.
2. Nothing is lost on the way. Whole numbers, floats, booleans, texts and bytes arrive as they are, `numeric(p, s)` as a
   decimal of that precision. All else arrives as text: dates and times (they can be infinite, which Arrow silently
   turns into other dates), numerics without a precision, uuid, enums, json, intervals; arrays and composites as JSON.
   Moments are in UTC, ISO 8601.
3. A `numeric(p, s)` that is NaN has no decimal: `SourceBroken`, with the repair.
4. With a cursor column the rules of `lastro.source.incremental` hold, and what commits late is not lost: see `fence`.
   `append` reads up to the fence and refuses to pass it; `upsert` and `overwrite` read beyond it and go on from it next
   time. With a `lag` the lag alone decides, as it must on a standby server, where open transactions cannot be seen.
5. A query is one SELECT. The transaction is read-only, but a function it calls can do what the account may do.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from lastro.engine.scan import StreamScan
from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source import incremental
from lastro.source.absent import no_such_column, no_such_table
from lastro.source.fence import Fence
from lastro.source.incremental import ColumnCursor
from lastro.source.options import SourceOptions, identity, read_options, write_cursor, wrong_option
from lastro.source.postgres_columns import Column, columns_of, converted, schema_of
from lastro.source.postgres_errors import held_back
from lastro.source.postgres_session import Session, check_url, connected, literal
from lastro.source.protocol import Cursor, Opened, Unchanged
from lastro.source.secret import Secret
from lastro.source.select import check_select, quoted
from lastro.source.stream import Batches, telling

_NAME = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^".]+))\s*')
_NUMBERS = {"int2", "int4", "int8", "numeric", "float4", "float8"}
_TIMES = {"date", "timestamp", "timestamptz"}
_ENDLESS = {"infinity", "Infinity", "NaN"}
_TABLES = """
SELECT CASE WHEN pg_table_is_visible(relation.oid) THEN '' ELSE nspname || '.' END || relname
FROM pg_class AS relation JOIN pg_namespace AS place ON place.oid = relnamespace
WHERE relkind IN ('r', 'v', 'm', 'p', 'f') AND nspname NOT IN ('pg_catalog', 'information_schema')
  AND nspname NOT LIKE 'pg_toast%' ORDER BY 1 LIMIT 500
"""


class PostgresOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `postgres`: `url` with the password as `${NAME}`, and a `table` (`schema.table`) or `query`.

    `cursor` names the column that says which rows are new; `lag` how late they may come, in the column's unit or in
    seconds; `wait_s` how long to wait for transactions that are open.
    """

    url: str
    table: Annotated[str, Meta(min_length=1)] | None = None
    query: str | None = None
    cursor: Annotated[str, Meta(min_length=1)] | None = None
    lag: Annotated[float, Meta(ge=0)] = 0
    wait_s: Annotated[float, Meta(ge=0, le=3600)] = 10


@dataclass(frozen=True, slots=True)
class PostgresSource:
    """A table or query of a PostgreSQL server."""

    url: Secret
    table: str | None = None
    query: str | None = None
    cursor: str | None = None
    lag: float = 0
    wait_s: float = 10
    sleep: Callable[[float], None] = time.sleep
    kind: str = "postgres"

    @property
    def label(self) -> str:
        """The table as it was given, or the query's identity."""
        return self.table or f"query {identity(self.query)[:8]}"

    @property
    def identity(self) -> str:
        """What is read, for the cursor. Host and account may change: a database can move."""
        return identity(self.table, self.query, self.cursor)

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A stream of the rows to read. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`, `MissingExtra`."""
        last = incremental.last_of(cursor, self.identity, mode, label=self.label, column=self.cursor)
        with connected(self.url, self.label, query=self.query is not None) as session:
            relation = self._relation(session)
            columns = columns_of(session.schema(f"SELECT * FROM {relation}"), self.label)
            reading = self._reading(session, relation, columns, last, mode)
            if last is not None and incremental.nothing_new(mode, last, reading.after):
                yield Unchanged()
                return
            stream = self._batches(session, relation, columns, reading)
            with telling(stream):
                yield self._opened(stream, reading)

    def _opened(self, stream: Batches, reading: Reading) -> Opened:
        def watermark() -> Cursor:
            stream.check_finished(self.label)
            return write_cursor(reading.after)

        return Opened(StreamScan(stream, self.label), watermark, self.label, reading.notes)

    def _relation(self, session: Session) -> str:
        if self.query is not None:
            return f"({check_select(self.query, self.label)}\n) AS _rows"
        name = _table_name(self.table or "")
        (found,) = session.row(f"SELECT to_regclass({literal(name)}) IS NOT NULL")
        if not found:
            raise no_such_table(self.table or "", [row[0] for row in session.rows(_TABLES)], self.label)
        return name

    def _reading(
        self,
        session: Session,
        relation: str,
        columns: tuple[Column, ...],
        last: ColumnCursor | None,
        mode: Mode,
    ) -> Reading:
        """What to read and the cursor after it. Begins the snapshot."""
        if self.cursor is None:
            session.begin_snapshot()
            return Reading(ColumnCursor(self.identity))
        kind = next((column.type for column in columns if column.name == self.cursor), None)
        if kind is None:
            raise no_such_column(self.cursor, [column.name for column in columns], self.label)
        growing = Growing(session, relation, self.cursor, kind, self.lag, self.label)
        newest, left = self._fenced(session, growing, mode)
        session.begin_snapshot()
        previous = None if last is None else str(last.last) if last.last is not None else None
        if mode is Mode.APPEND:
            return self._appending(growing, previous, newest)
        reached = previous if left else newest
        notes = (_("{left} transactions are still open; their rows come next time").format(left=left),) if left else ()
        where = growing.since(previous) if mode is Mode.UPSERT and previous is not None else ""
        return Reading(
            ColumnCursor(self.identity, reached, growing.tail(reached)), where, f"ORDER BY {growing.column}", notes
        )

    def _fenced(self, session: Session, growing: Growing, mode: Mode) -> tuple[str | None, int]:
        """The greatest value that may be read up to, and how many transactions may still write below it."""
        (standby,) = session.row("SELECT pg_is_in_recovery()")
        if standby and not self.lag:
            raise ConfigurationError(
                _("a standby server does not show which transactions are open"),
                where=self.label,
                do=_("read from the primary server, or say how late rows may come with lag"),
            )
        newest = growing.newest(less_lag=mode is Mode.APPEND)
        if self.lag:
            return newest, 0
        left = Fence.behind(session).wait(self.wait_s, sleep=self.sleep)
        if left and mode is Mode.APPEND:
            raise held_back(self.label, left, self.wait_s)
        return newest, left

    def _appending(self, growing: Growing, previous: str | None, newest: str | None) -> Reading:
        if growing.has_missing():
            raise incremental.missing_values(self.label, self.cursor or "")
        where = growing.between(previous, newest)
        reached = newest if newest is not None and growing.any(where) else previous
        return Reading(ColumnCursor(self.identity, reached), where, f"ORDER BY {growing.column}")

    def _batches(self, session: Session, relation: str, columns: tuple[Column, ...], reading: Reading) -> Batches:
        schema = schema_of(columns)
        selected = ", ".join(column.expression for column in columns)
        statement = f"SELECT {selected} FROM {relation} {reading.where} {reading.order}"

        def batches() -> Iterator[Any]:  # Any: pyarrow.RecordBatch
            for batch in session.batches(statement):
                yield converted(batch, columns, schema, self.label)

        return Batches(schema, batches())


@dataclass(frozen=True, slots=True)
class Reading:
    """Which rows to read, in SQL, and the cursor once they are read."""

    after: ColumnCursor
    where: str = ""
    order: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Growing:
    """The cursor column, asked by SQL. Values are texts as PostgreSQL writes them; it reads them back as its own."""

    session: Session
    relation: str
    name: str
    type: str
    lag: float
    label: str

    @property
    def column(self) -> str:
        """The column's name, quoted."""
        return quoted(self.name)

    def newest(self, *, less_lag: bool) -> str | None:
        """The greatest visible value, less the lag if asked for. Raises `SourceBroken` if it is infinite."""
        greatest = f"max({self.column})"
        shown = self._earlier(greatest) if less_lag else greatest
        value, raw = self.session.row(f"SELECT ({shown})::text, {greatest}::text FROM {self.relation}")
        if raw in _ENDLESS:
            raise SourceBroken(
                _("the cursor column holds an infinite value, and nothing can come after it"),
                where=self.label,
                do=_("read a query that leaves such rows out, or choose another cursor column"),
            )
        newest: str | None = value
        return newest

    def since(self, last: str) -> str:
        """The condition of `upsert`: from the last value less the lag on, and rows without a value."""
        return f"WHERE {self.column} >= {self._earlier(self._value(last))} OR {self.column} IS NULL"

    def between(self, last: str | None, newest: str | None) -> str:
        """The condition of `append`: beyond the last value, up to the newest."""
        if newest is None:
            return "WHERE false"
        beyond = "" if last is None else f"{self.column} > {self._value(last)} AND "
        return f"WHERE {beyond}{self.column} <= {self._value(newest)}"

    def tail(self, reached: str | None) -> int:
        """The number of rows from a value less the lag on."""
        if reached is None:
            return 0
        (count,) = self.session.row(
            f"SELECT count(*) FROM {self.relation} WHERE {self.column} >= {self._earlier(self._value(reached))}"
        )
        return int(count)

    def any(self, where: str) -> bool:
        """True if a row meets the condition."""
        return bool(self.session.row(f"SELECT EXISTS (SELECT 1 FROM {self.relation} {where})")[0])

    def has_missing(self) -> bool:
        """True if a row has no value. Not looked for where the column cannot be missing."""
        if not self.relation.startswith("("):
            certain = self.session.rows(
                f"SELECT attnotnull FROM pg_attribute WHERE attrelid = to_regclass({literal(self.relation)})"
                f" AND attname = {literal(self.name)}"
            )
            if certain and certain[0][0]:
                return False
        return self.any(f"WHERE {self.column} IS NULL")

    def _value(self, text: str) -> str:
        return f"{literal(text)}::{self.type}" if self.type in _NUMBERS | _TIMES else literal(text)

    def _earlier(self, expression: str) -> str:
        if not self.lag:
            return expression
        if self.type in _TIMES:
            return f"({expression} - interval '{self.lag:f} seconds')::{self.type}"
        if self.type in _NUMBERS:
            less = f"{self.lag:f}" if self.type not in {"int2", "int4", "int8"} else str(math.ceil(self.lag))
            return f"({expression} - {less})"
        raise ConfigurationError(
            _("a lag needs a cursor column of numbers, dates or times"), where=self.label, do=_("leave lag out")
        )


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
        _table_name(given.table)
    return PostgresSource(Secret(given.url), given.table, given.query, given.cursor, given.lag, given.wait_s)


def _table_name(table: str) -> str:
    """`schema.table` or `table`, quoted for SQL as they are written; parts may be quoted to hold a dot."""
    parts, at = [], 0
    while found := _NAME.match(table, at):
        parts.append(found[1].replace('""', '"') if found[1] else found[2].strip())
        at = found.end()
        if at == len(table) and len(parts) <= 2 and "\0" not in table:
            return ".".join(quoted(part) for part in parts)
        if table[at : at + 1] != ".":
            break
        at += 1
    raise ConfigurationError(
        _("{table} is not the name of a table").format(table=table[:80]),
        do=_('write schema.table; a name with a dot in double quotes: schema."a.b"'),
    )
