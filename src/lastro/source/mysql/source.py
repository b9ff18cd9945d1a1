"""MySQL and MariaDB: a table, view or query, in one read-only snapshot, streamed.

Rules:

1. One REPEATABLE READ, READ ONLY transaction with a consistent snapshot: one state of the database, whoever writes
   meanwhile. Tables of engines without transactions (MyISAM, Aria, MEMORY) have no snapshot: a note says so.
2. Nothing is lost on the way: see `mysql_columns` for how each type arrives.
3. Before the rows are read, the server counts them in the same snapshot (`mysql_survey`); what arrives is counted too.
   `reconcile: rows` adds a hash of all rows, `reconcile: false` leaves it out.
4. With a cursor column the rules of `lastro.source.incremental` hold. MySQL hands out AUTO_INCREMENT numbers and times
   before a transaction commits, and does not show to every account which are open: without a `lag`, `append` loses the
   rows that commit behind newer ones. The first reading says so.
5. `append` and `upsert` stop after about `batch_rows` rows, between two values of the cursor column.
6. A query is one SELECT. The transaction is read-only, but a function it calls can do what the account may do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from lastro.model.declared import Declared
from lastro.model.errors import SqlRefused
from lastro.model.schema import Primitive
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source import incremental
from lastro.source.database.absent import no_such_column, no_such_table
from lastro.source.database.growing import BATCH_ROWS, Growing, Reading, check_choice, unfit
from lastro.source.database.select import check_select
from lastro.source.database.survey import Reconcile
from lastro.source.database.table_name import parts_of
from lastro.source.database.taking import Taking, nothing_new
from lastro.source.database.tally import Tally
from lastro.source.incremental import ColumnCursor
from lastro.source.mysql.columns import MOMENTS, Column, quoted, schema_of
from lastro.source.mysql.session import Session, Tls, check_tls, check_url, connected, literal
from lastro.source.mysql.survey import hashed, survey
from lastro.source.options import SourceOptions, identity, read_options
from lastro.source.protocol import Cursor, Handed, Opened, Unchanged
from lastro.source.secret import Secret
from lastro.source.stream import Batches, telling

_OF_ITS_OWN = re.compile(r"/\*M?!|\binto\s+(?:outfile|dumpfile|@)|\\[\"'`]", re.I)


class MysqlOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `mysql`: `url` with the password as `${NAME}`, and a `table` (of the URL's database, or
    `database.table`) or a `query`. `cursor` names the column that says which rows are new, `lag` how late they may come
    (see `lastro.source.incremental`), `batch_rows` after how many rows a reading with a cursor stops, `reconcile` what
    the server counts, `tls` how the connection is encrypted.
    """

    url: str
    table: Annotated[str, Meta(min_length=1)] | None = None
    query: str | None = None
    cursor: Annotated[str, Meta(min_length=1)] | None = None
    lag: Annotated[float, Meta(ge=0)] = 0
    batch_rows: Annotated[int, Meta(ge=1)] = BATCH_ROWS
    reconcile: Reconcile = True
    tls: Tls = Tls(mode="preferred")


@dataclass(frozen=True, slots=True)
class MysqlSource:
    """A table or query of a MySQL or MariaDB server."""

    url: Secret
    options: MysqlOptions
    base: Path
    kind: str = "mysql"

    def __repr__(self) -> str:
        return f"<mysql {self.label}>"

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
        with self.connected() as session:
            relation, columns = self._relation(session)
            reading = self._reading(session, relation, columns, last, mode)
            if last is not None and incremental.nothing_new(mode, last, reading.after):
                yield nothing_new(self.label, [column.name for column in columns], _keys(session, relation, columns))
                return
            taking = self._taking(session, relation, columns, reading)
            with telling(taking.stream):
                yield taking.opened(notes=self._notes(session, last, mode))

    def declared(self) -> Declared:
        """The table's primary key, and which of the columns that arrive as text are text, which dates and times."""
        if self.options.table is None:
            return Declared()
        with self.connected() as session:
            _relation, columns = self._relation(session)
            name = table_name(self.options.table)
            moments = {column: MOMENTS[kind] for column, kind in session.types_of(name) if kind in MOMENTS}
            texts = {column.name: Primitive.STRING for column in columns if column.literal}
            return Declared(session.key_of(name), {**texts, **moments})

    def connected(self) -> Any:  # Any: a context manager of a Session
        """A session in a snapshot."""
        query = self.options.query is not None
        return connected(self.url, self.options.tls, self.label, self.base, query=query)

    def _relation(self, session: Session) -> tuple[str, tuple[Column, ...]]:
        if self.options.query is not None:
            relation = f"({check_query(self.options.query, self.label)}\n) AS _rows"
            return relation, session.columns(relation)
        table = self.options.table or ""
        relation = ".".join(quoted(part) for part in table_name(table))
        if not session.has_table(relation):
            raise no_such_table(table, session.tables(), self.label)
        return relation, session.columns(relation)

    def _reading(
        self, session: Session, relation: str, columns: tuple[Column, ...], last: ColumnCursor | None, mode: Mode
    ) -> Reading:
        if self.options.cursor is None:
            return Reading(ColumnCursor(self.identity))
        name = self.options.cursor
        found = next((column for column in columns if column.name.casefold() == name.casefold()), None)
        if found is None:
            raise no_such_column(name, [column.name for column in columns], self.label)
        if found.kind in ("binary", "listed"):
            raise unfit(self.label, name)
        return Growing(
            row=session.cursor_row(found),
            rows=lambda where: session.stream(f"{relation} WHERE {where}", columns),
            literal=lambda value: literal(value, found),
            relation=relation,
            column=found.expression,
            label=self.label,
            lag=self.options.lag,
            batch_rows=self.options.batch_rows,
            nullable=found.nullable,
        ).reading(self.identity, last, mode)

    def _taking(self, session: Session, relation: str, columns: tuple[Column, ...], reading: Reading) -> Taking:
        names = [column.name for column in columns]
        rows, keys = f"{relation}{reading.where}", _keys(session, relation, columns)
        if not self.options.reconcile:
            return Taking(self.label, names, reading, session.stream(rows + reading.order, columns), keys)
        in_hash = (hashed(columns) or None) if self.options.reconcile == "rows" else None
        source = survey(session, rows, columns, hashed=in_hash)
        tally = Tally(schema_of(columns), hashed=in_hash)
        stream = session.stream(rows + reading.order, columns, tally=tally)
        return Taking(self.label, names, reading, stream, keys, source, tally.totals)

    def _notes(self, session: Session, last: ColumnCursor | None, mode: Mode) -> tuple[str, ...]:
        notes = []
        if mode is Mode.APPEND and last is None and self.options.cursor is not None and not self.options.lag:
            notes.append(_("without a lag, rows that commit behind newer ones are lost"))
        engine = session.engine_of(table_name(self.options.table)) if self.options.table else None
        if engine is not None and engine.lower() in ("myisam", "aria", "memory", "csv", "archive", "mrg_myisam"):
            notes.append(
                _("{engine} tables have no snapshot: what is written meanwhile may be half read").format(engine=engine)
            )
        return tuple(notes)


def mysql_source(options: Mapping[str, Any], base: Path) -> MysqlSource:  # Any: a person's YAML values
    """The source of kind `mysql`. Raises `ConfigurationError`."""
    given = read_options(options, MysqlOptions)
    check_url(given.url)
    check_tls(given.tls)
    check_choice(given.kind, table=given.table, query=given.query, cursor=given.cursor, lag=given.lag)
    if given.query is not None:
        check_query(given.query, given.kind)
    if given.table is not None:
        table_name(given.table)
    return MysqlSource(Secret(given.url), given, base)


def _keys(session: Session, relation: str, columns: tuple[Column, ...]) -> Callable[[Sequence[str]], Batches]:
    known = {column.name: column for column in columns}
    return lambda names: session.stream(relation, tuple(known[name] for name in names))


def check_query(query: str, where: str) -> str:
    """The query, without a last `;`. Raises `SqlRefused`, also for what only MySQL takes for something else: comments
    that it executes, a SELECT into a file, a backslash before a quote.
    """
    if _OF_ITS_OWN.search(query):
        raise SqlRefused(
            _("the query has an executable comment, writes a file, or has a backslash before a quote"),
            where=where,
            do=_("write one SELECT; double a quote inside a text"),
        )
    return check_select(query, where)


def table_name(table: str) -> tuple[str, ...]:
    """`table` or `database.table`, taken apart; a part may stand in backticks to hold a dot."""
    return parts_of(table, quote="`", most=2)
