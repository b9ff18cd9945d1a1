"""One read-only connection to a SQLite file, inside one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from lastro.source.database.growing import Reading
from lastro.source.database.select import quoted
from lastro.source.incremental import Value
from lastro.source.sqlite.errors import explained
from lastro.source.stream import Batches

BATCH_ROWS = 16_384
BATCH_BYTES = 8 << 20
CELL_BYTES = 16 << 20
_FIRST_ROWS = 256
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_FORBIDDEN_FUNCTIONS = {"load_extension", "writefile", "edit", "fts3_tokenizer"}


class Counting(Protocol):
    """Something that is shown each column of cells as it passes."""

    def add(self, columns: list[tuple[Any, ...]]) -> None:  # Any: cells
        """Counts a block of rows in, given by columns."""
        ...


@dataclass(frozen=True, slots=True)
class SqliteSession:
    """The connection, and the values bound to its statements by name."""

    connection: sqlite3.Connection
    label: str
    query: bool
    values: dict[str, Value] = field(default_factory=dict)
    unfinished: list[Generator[Any]] = field(default_factory=list)  # Any: pyarrow.RecordBatch

    def leave(self) -> None:
        """Ends what was not read to its end; a connection with a statement in it stays, and locks writers out."""
        while self.unfinished:
            self.unfinished.pop().close()

    def explaining(self) -> AbstractContextManager[None]:
        """Raises our errors in place of SQLite's, without their texts."""
        return _explaining(self.label, query=self.query)

    def literal(self, value: Value) -> str:
        """A value as a statement of this session names it."""
        name = f"lastro_{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def row(self, statement: str) -> tuple[Any, ...] | None:  # Any: cells
        """The first row of a result, or None."""
        with self.explaining(), closing(self.connection.execute(statement, self.values)) as rows:
            found: tuple[Any, ...] | None = rows.fetchone()  # Any: cells
            return found

    def rows(self, statement: str) -> list[tuple[Any, ...]]:  # Any: cells
        """All rows of a small result."""
        with self.explaining(), closing(self.connection.execute(statement, self.values)) as rows:
            return rows.fetchall()

    def tables(self) -> list[str]:
        """The tables and views."""
        return [name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]

    def columns(self, relation: str) -> tuple[str, ...]:
        """The names of a relation's columns."""
        statement = f"SELECT * FROM {relation} LIMIT 0"
        with self.explaining(), closing(self.connection.execute(statement, self.values)) as none:
            return tuple(column[0] for column in none.description)

    def stream(
        self, relation: str, names: tuple[str, ...], reading: Reading, *, counting: Counting | None = None
    ) -> Batches:
        """The rows of a reading as texts, fetched as they are asked for."""
        import pyarrow as pa

        schema = pa.schema([pa.field(name, pa.string()) for name in names])
        selected = ", ".join(map(quoted, names))
        statement = f"SELECT {selected} FROM {relation}{reading.where}{reading.order}"

        def batches() -> Generator[Any]:  # Any: pyarrow.RecordBatch
            with self.explaining(), closing(self.connection.execute(statement, self.values)) as rows:
                for block in _blocks(rows):
                    columns = list(zip(*block, strict=True))
                    if counting is not None:
                        counting.add(columns)
                    yield pa.record_batch([_texts(column) for column in columns], schema=schema)

        made = batches()
        self.unfinished.append(made)
        return Batches(schema, made)


@contextmanager
def _explaining(label: str, *, query: bool) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise explained(error, label, query=query) from None


@contextmanager
def connected(path: Path, label: str, *, timeout_s: float, query: bool) -> Iterator[SqliteSession]:
    """A session that sees one state of the file and can change nothing."""
    with _explaining(label, query=query):
        connection = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode=ro",
            uri=True,
            timeout=timeout_s,
            isolation_level=None,
            check_same_thread=False,  # an engine may pull batches from a thread of its own, one at a time
        )
    with closing(connection):
        session = SqliteSession(connection, label, query)
        with session.explaining():
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL_BYTES)
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the snapshot
            connection.set_authorizer(_authorised)
        try:
            yield session
        finally:
            session.leave()


def text_of(cell: Any) -> str | None:  # Any: a cell
    """A cell as it arrives: integers as digits, reals as the shortest text of the same number, blobs as hex."""
    if cell is None or cell.__class__ is str:
        return cell
    return cell.hex() if isinstance(cell, bytes) else repr(cell)


def _authorised(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    """SQLite asks this for each thing a statement would do."""
    del database, trigger
    if action == sqlite3.SQLITE_PRAGMA:
        return sqlite3.SQLITE_OK if first == "table_info" else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


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

    return pa.array([cell if cell is None or cell.__class__ is str else text_of(cell) for cell in cells], pa.string())
