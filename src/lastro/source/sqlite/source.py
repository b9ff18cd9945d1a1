"""SQLite: a table, view or query of a database file, read-only, in one transaction.

Rules:

1. Every column arrives as text, exactly as stored: SQLite types values, not columns, so a declared INTEGER may hold a
   word. Integers are digits, reals the shortest text that reads back as the same number, blobs pairs of
   hexadecimal digits.
2. The file is opened read-only and read in one transaction: one state of the database, whoever writes meanwhile. Where
   the database is not in WAL mode, writers wait until the reading ends.
3. A query is one SELECT; SQLite itself refuses everything else (authoriser, `query_only`).
4. Nothing is unchanged by guess: file and WAL with equal sizes and times and an equal change counter prove it.
5. Batches hold at most `BATCH_ROWS` rows and about `BATCH_BYTES`; a cell over `CELL_BYTES` is refused
   (`sqlite_session`).
6. SQLite has one writer at a time, so a growing rowid is a safe cursor column. Times written by applications are not:
   give them a `lag`. Texts are compared as texts: ISO dates of one spelling.
7. With a cursor column, `append` and `upsert` stop after about `batch_rows` rows, between two of its values. The mark
   of rule 4 is noted only once all was read.
8. SQLite counts the rows itself in the same transaction, and what arrives is counted too (`sqlite_survey`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from lastro.model.declared import Declared
from lastro.model.errors import SourceBroken, SourceUnreachable
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source import incremental
from lastro.source.database.absent import check_named, no_such_column, no_such_table
from lastro.source.database.growing import BATCH_ROWS, Growing, Reading, check_choice
from lastro.source.database.select import check_select, quoted
from lastro.source.database.survey import Reconcile
from lastro.source.database.taking import Taking, nothing_new
from lastro.source.files.matching import SETTLE_NS, Found, look
from lastro.source.incremental import ColumnCursor
from lastro.source.options import SourceOptions, identity, read_options
from lastro.source.protocol import Cursor, Handed, Opened, Unchanged
from lastro.source.sqlite.declared import declared
from lastro.source.sqlite.session import SqliteSession, connected
from lastro.source.sqlite.survey import CellTally, survey
from lastro.source.stream import Batches, telling

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100


class SqliteOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `sqlite`: `path`, and a `table` (or view) or a `query`. `cursor` names the column that says
    which rows are new, `lag` how late they may come (see `lastro.source.incremental`), `batch_rows` after how many rows
    a reading with a cursor stops, `reconcile` what the database counts.
    """

    path: Annotated[str, Meta(min_length=1)]
    table: Annotated[str, Meta(min_length=1)] | None = None
    query: str | None = None
    cursor: Annotated[str, Meta(min_length=1)] | None = None
    lag: Annotated[float, Meta(ge=0)] = 0
    busy_timeout_s: Annotated[float, Meta(ge=0, le=3600)] = 5
    batch_rows: Annotated[int, Meta(ge=1)] = BATCH_ROWS
    reconcile: Reconcile = True


@dataclass(frozen=True, slots=True)
class SqliteSource:
    """A table or query of a SQLite file."""

    options: SqliteOptions
    base: Path
    kind: str = "sqlite"

    @property
    def label(self) -> str:
        """The file and the table: `core.db#loans`."""
        return f"{self.options.path}#{self.options.table or 'query ' + identity(self.options.query)[:8]}"

    @property
    def identity(self) -> str:
        """What is read, for the cursor: another table, query or cursor column is another source."""
        return identity(self.options.path, self.options.table, self.options.query, self.options.cursor)

    def moved(self, earlier: Mapping[str, Cursor], *, same: bool) -> Handed | None:
        """The cursor of the same rows under another label."""
        return incremental.handed(earlier, self.identity) if same else None

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A stream of the rows to read. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`."""
        last = incremental.last_of(cursor, self.identity, mode, label=self.label, column=self.options.cursor)
        found = database(self.options.path, self.base)
        mark = _mark(found)
        if last is not None and mark and mark == last.mark:
            yield Unchanged()
            return
        with self._connected(found) as session:
            with session.explaining():
                relation = self._relation(session)
                names = session.columns(relation)
                check_named(names, self.label)
                reading = self._reading(session, relation, names, last, mode)
                if last is not None and incremental.nothing_new(mode, last, reading.after):
                    yield nothing_new(self.label, names, self._keys(session, relation, reading))
                    return
                taking = self._taking(session, relation, names, reading)
            with telling(taking.stream):
                yield taking.opened(mark="" if reading.more else mark)

    def declared(self) -> Declared:
        """The table's primary key, and what its columns are declared to hold."""
        found = database(self.options.path, self.base)
        with self._connected(found) as session:
            self._relation(session)
            return declared(session, self.options.table)

    @contextmanager
    def _connected(self, found: Found) -> Iterator[SqliteSession]:
        timeout_s = self.options.busy_timeout_s
        with connected(found.path, self.label, timeout_s=timeout_s, query=self.options.query is not None) as session:
            yield session

    def _reading(
        self,
        session: SqliteSession,
        relation: str,
        names: tuple[str, ...],
        last: ColumnCursor | None,
        mode: Mode,
    ) -> Reading:
        column = self.options.cursor
        if column is None:
            return Reading(ColumnCursor(self.identity))
        if column not in names:
            raise no_such_column(column, names, self.label)
        return Growing(
            row=session.row,
            rows=lambda where: session.stream(relation, names, Reading(ColumnCursor(""), f" WHERE {where}")),
            literal=session.literal,
            relation=relation,
            column=quoted(column),
            label=self.label,
            lag=self.options.lag,
            batch_rows=self.options.batch_rows,
        ).reading(self.identity, last, mode)

    def _relation(self, session: SqliteSession) -> str:
        if self.options.query is not None:
            return f"({check_select(self.options.query, self.label)}\n)"
        table = self.options.table or ""
        known = session.tables()
        if table not in known and table != "sqlite_master":
            raise no_such_table(table, known, self.label)
        return quoted(table)

    def _keys(self, session: SqliteSession, relation: str, reading: Reading) -> Callable[[Sequence[str]], Batches]:
        return lambda wanted: session.stream(relation, tuple(wanted), Reading(reading.after))

    def _taking(self, session: SqliteSession, relation: str, names: tuple[str, ...], reading: Reading) -> Taking:
        keys = self._keys(session, relation, reading)
        if not self.options.reconcile:
            return Taking(self.label, names, reading, session.stream(relation, names, reading), keys)
        hashed = self.options.reconcile == "rows"
        tally = CellTally(names, hashed=hashed)
        source = survey(session, f"{relation}{reading.where}", names, hashed=hashed)
        stream = session.stream(relation, names, reading, counting=tally)
        return Taking(self.label, names, reading, stream, keys, source, tally.totals)


def sqlite_source(options: Mapping[str, Any], base: Path) -> SqliteSource:  # Any: a person's YAML values
    """The source of kind `sqlite`. Raises `ConfigurationError`."""
    given = read_options(options, SqliteOptions)
    check_choice(given.kind, table=given.table, query=given.query, cursor=given.cursor, lag=given.lag)
    if given.query is not None:
        check_select(given.query, given.kind)
    return SqliteSource(given, base)


def database(path: str, base: Path) -> Found:
    """The file, if it is a SQLite database. Raises `SourceUnreachable`, `SourceBroken`."""
    found = look(path, base, path)
    if found is None:
        raise SourceUnreachable(_("{path} is a folder").format(path=path), do=_("name the database file"))
    with found.path.open("rb") as stream:
        begin = stream.read(len(_MAGIC))
    if begin != _MAGIC:
        raise SourceBroken(
            _("{path} is not a SQLite database").format(path=path),
            do=_("check the file; an encrypted database cannot be read"),
        )
    return found


def _mark(found: Found) -> str:
    """What stays equal while nobody writes; empty while the last write is too young to tell (see `matching`)."""
    wal = found.path.with_name(found.path.name + "-wal")
    parts: list[Any] = []  # Any: JSON values
    for path in (found.path, wal):
        try:
            status = path.stat()
        except FileNotFoundError:
            parts.append(None)
            continue
        except OSError:
            return ""
        if found.seen_ns - status.st_mtime_ns <= SETTLE_NS:
            return ""
        parts.append([status.st_size, status.st_mtime_ns])
    with found.path.open("rb") as stream:
        parts.append(stream.read(_HEADER_BYTES)[24:28].hex())
    return identity(*parts)
