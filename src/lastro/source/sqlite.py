"""SQLite: a table, view or query of a database file, read-only, in one transaction.

Rules:

1. Every column arrives as text, exactly as stored: SQLite types values, not columns, so a declared INTEGER may hold a
   word. Integers are digits, reals the shortest text that reads back as the same number, blobs pairs of
   hexadecimal digits.
2. The file is opened read-only and read in one transaction: one state of the database, whoever writes meanwhile. Where
   the database is not in WAL mode, writers wait until the reading ends.
3. A query is one SELECT; SQLite itself refuses everything else (authoriser, `query_only`).
4. Nothing is unchanged by guess: file and WAL with equal sizes and times and an equal change counter prove it.
5. Batches hold at most `BATCH_ROWS` rows and about `BATCH_BYTES`; a cell over `CELL_BYTES` is refused.
6. SQLite has one writer at a time, so a growing rowid is a safe cursor column. Times written by applications are not:
   give them a `lag`. Texts are compared as texts: ISO dates of one spelling.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from msgspec import Meta

from lastro.engine.scan import StreamScan
from lastro.model.errors import SourceBroken, SourceUnreachable
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source import incremental
from lastro.source.absent import no_such_column, no_such_table
from lastro.source.incremental import ColumnCursor, Value, Window
from lastro.source.matching import SETTLE_NS, Found, look
from lastro.source.options import SourceOptions, identity, read_options, write_cursor, wrong_option
from lastro.source.protocol import Cursor, Opened, Unchanged
from lastro.source.select import check_select, quoted
from lastro.source.sqlite_errors import explained
from lastro.source.stream import Batches, telling

BATCH_ROWS = 16_384
BATCH_BYTES = 8 << 20
CELL_BYTES = 16 << 20
_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_FIRST_ROWS = 256
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_FORBIDDEN_FUNCTIONS = {"load_extension", "writefile", "edit", "fts3_tokenizer"}


class SqliteOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `sqlite`: `path`, and a `table` (or view) or a `query`. `cursor` names the column that says
    which rows are new, `lag` how late they may come (see `lastro.source.incremental`).
    """

    path: Annotated[str, Meta(min_length=1)]
    table: Annotated[str, Meta(min_length=1)] | None = None
    query: str | None = None
    cursor: Annotated[str, Meta(min_length=1)] | None = None
    lag: Annotated[float, Meta(ge=0)] = 0
    busy_timeout_s: Annotated[float, Meta(ge=0, le=3600)] = 5


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

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A stream of the rows to read. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`."""
        last = incremental.last_of(cursor, self.identity, mode, label=self.label, column=self.options.cursor)
        found = _database(self.options.path, self.base)
        mark = _mark(found)
        if last is not None and mark and mark == last.mark:
            yield Unchanged()
            return
        with self._connected(found) as connection:
            with self._explaining():
                reading = self._reading(connection, last, mode)
            if reading is None:
                yield Unchanged()
                return
            stream, after = reading
            with telling(stream):
                yield self._opened(stream, msgspec.structs.replace(after, mark=mark))

    def _opened(self, stream: Batches, after: ColumnCursor) -> Opened:
        def watermark() -> Cursor:
            stream.check_finished(self.label)
            return write_cursor(after)

        return Opened(StreamScan(stream, self.label), watermark, self.label)

    @contextmanager
    def _connected(self, found: Found) -> Iterator[sqlite3.Connection]:
        with self._explaining():
            connection = sqlite3.connect(
                f"file:{quote(str(found.path.absolute()))}?mode=ro",
                uri=True,
                timeout=self.options.busy_timeout_s,
                isolation_level=None,
                check_same_thread=False,  # an engine may pull batches from a thread of its own, one at a time
            )
        with closing(connection):
            with self._explaining():
                connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL_BYTES)
                connection.execute("PRAGMA query_only = ON")
                connection.execute("PRAGMA trusted_schema = OFF")
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the snapshot
                connection.set_authorizer(_authorised)
            yield connection

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise explained(error, self.label, query=self.options.query is not None) from None

    def _reading(
        self, connection: sqlite3.Connection, last: ColumnCursor | None, mode: Mode
    ) -> tuple[Batches, ColumnCursor] | None:
        """The rows to read and the cursor after them; None if there is nothing new."""
        relation = self._relation(connection)
        names = _columns(connection, relation)
        column = self.options.cursor
        if column is None:
            return self._batches(connection, relation, names, Window()), ColumnCursor(self.identity)
        if column not in names:
            raise no_such_column(column, names, self.label)
        after, limits = self._limits(connection, relation, quoted(column), last, mode)
        if last is not None and incremental.nothing_new(mode, last, after):
            return None
        return self._batches(connection, relation, names, limits), after

    def _limits(
        self, connection: sqlite3.Connection, relation: str, column: str, last: ColumnCursor | None, mode: Mode
    ) -> tuple[ColumnCursor, Window]:
        previous = None if last is None else last.last
        newest = _newest(connection, relation, column, self.label)
        incremental.check_values(previous, newest, label=self.label)
        limits = incremental.window(mode, previous, newest, self.options.lag)
        if mode is Mode.APPEND and _holds(connection, f"{relation} WHERE {column} IS NULL", []):
            raise incremental.missing_values(self.label, column)
        reached = limits.up_to if mode is Mode.APPEND else newest
        if mode is Mode.APPEND:
            new = reached is not None and _holds(connection, *_where(relation, column, limits))
            return ColumnCursor(self.identity, reached if new else previous), limits
        tail = 0
        if newest is not None:
            since = incremental.earlier(newest, self.options.lag)
            (tail,) = connection.execute(f"SELECT count(*) FROM {relation} WHERE {column} >= ?", [since]).fetchone()
        return ColumnCursor(self.identity, reached, tail), limits

    def _relation(self, connection: sqlite3.Connection) -> str:
        if self.options.query is not None:
            return f"({check_select(self.options.query, self.label)}\n)"
        table = self.options.table or ""
        known = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        ]
        if table not in known and table != "sqlite_master":
            raise no_such_table(table, known, self.label)
        return quoted(table)

    def _batches(
        self, connection: sqlite3.Connection, relation: str, names: tuple[str, ...], limits: Window
    ) -> Batches:
        import pyarrow as pa

        column = None if self.options.cursor is None else quoted(self.options.cursor)
        source, values = (relation, []) if column is None else _where(relation, column, limits)
        order = "" if column is None else f" ORDER BY {column}"
        schema = pa.schema([pa.field(name, pa.string()) for name in names])

        def batches() -> Iterator[Any]:  # Any: pyarrow.RecordBatch
            with self._explaining(), closing(connection.execute(f"SELECT * FROM {source}{order}", values)) as rows:
                for block in _blocks(rows):
                    yield pa.record_batch([_texts(column) for column in zip(*block, strict=True)], schema=schema)

        return Batches(schema, batches())


def sqlite_source(options: Mapping[str, Any], base: Path) -> SqliteSource:  # Any: a person's YAML values
    """The source of kind `sqlite`. Raises `ConfigurationError`."""
    given = read_options(options, SqliteOptions)
    if (given.table is None) == (given.query is None):
        raise wrong_option(given.kind, _("either a table or a query"), do=_("add table: NAME"))
    if given.lag and given.cursor is None:
        raise wrong_option(given.kind, _("lag is for a cursor column"), do=_("add cursor: COLUMN, or leave lag out"))
    if given.query is not None:
        check_select(given.query, given.kind)
    return SqliteSource(given, base)


def _database(path: str, base: Path) -> Found:
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


def _authorised(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    """SQLite asks this for each thing a statement would do."""
    del first, database, trigger
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _columns(connection: sqlite3.Connection, relation: str) -> tuple[str, ...]:
    with closing(connection.execute(f"SELECT * FROM {relation} LIMIT 0")) as none:
        return tuple(column[0] for column in none.description)


def _newest(connection: sqlite3.Connection, relation: str, column: str, label: str) -> Value | None:
    (value,) = connection.execute(f"SELECT max({column}) FROM {relation}").fetchone()
    if isinstance(value, bytes):
        raise SourceBroken(_("a cursor column cannot hold blobs"), where=label, do=_("choose another cursor column"))
    newest: Value | None = value
    return newest


def _holds(connection: sqlite3.Connection, relation: str, values: list[Value]) -> bool:
    return connection.execute(f"SELECT 1 FROM {relation} LIMIT 1", values).fetchone() is not None


def _where(relation: str, column: str, limits: Window) -> tuple[str, list[Value]]:
    """The relation with the window's condition, and the values to bind."""
    conditions, values = [], []
    if limits.above is not None:
        conditions.append(f"{column} {'>=' if limits.above_inclusive else '>'} ?")
        values.append(limits.above)
    if limits.up_to is not None:
        conditions.append(f"{column} <= ?")
        values.append(limits.up_to)
    if not conditions:
        return relation, values
    missing = f" OR {column} IS NULL" if limits.missing else ""
    return f"{relation} WHERE ({' AND '.join(conditions)}){missing}", values


def _blocks(rows: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:  # Any: a cell
    """The rows in blocks that grow or shrink with the size of the rows met so far."""
    count = _FIRST_ROWS
    while block := rows.fetchmany(count):
        yield block
        size = sum(len(cell) if isinstance(cell, (str, bytes)) else 8 for row in block[:_FIRST_ROWS] for cell in row)
        fitting = int(BATCH_BYTES * min(len(block), _FIRST_ROWS) / max(size, 1))
        count = max(1, min(BATCH_ROWS, count * 4, fitting))


def _texts(cells: tuple[Any, ...]) -> Any:  # Any: a cell; a pyarrow.Array
    import pyarrow as pa

    return pa.array([cell if cell is None or cell.__class__ is str else _text(cell) for cell in cells], pa.string())


def _text(cell: int | float | bytes) -> str:
    return cell.hex() if isinstance(cell, bytes) else repr(cell)
