"""DuckDB databases of others: one table or view of a file, read only.

Rules:

1. The file is opened by itself, shut in as our own databases are: a view of it opens no other file.
2. Columns of types that the model does not have arrive as text, as DuckDB writes them.
3. The file must be DuckDB's, no link, and nobody may be writing it: DuckDB opens none that another process writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from lastro.engine.duck.connection import SHUT, name, threads
from lastro.engine.duck.limits import Limits
from lastro.engine.scan import StreamScan
from lastro.model.errors import SourceBroken, SourceUnreachable
from lastro.model.text import _

_MAGIC = b"DUCK"
_PLACE = 8
_KEPT = re.compile(
    r"(BOOLEAN|TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|BLOB"
    r"|DATE|TIMESTAMP|TIMESTAMP_S|TIMESTAMP_MS|TIMESTAMP WITH TIME ZONE|STRUCT\(.*\)|MAP\(.*\))(\[\])*"
)
_BATCH_ROWS = 65_536
_TABLES_MAX = 20


@contextmanager
def opened(path: Path, place: str, table: str, *, limits: Limits, temp: Path) -> Iterator[StreamScan]:
    """The rows of a table, in the schema `place` or the first that has one of its name.

    Raises `SourceUnreachable`, `SourceBroken`.
    """
    relation = ".".join(name(part) for part in (place, table) if part)
    _check_file(path)
    try:
        connection = duckdb.connect(str(path), read_only=True, config=_settings(limits, temp))
    except duckdb.Error as error:
        raise SourceUnreachable(
            _("DuckDB does not open the database ({kind})").format(kind=type(error).__name__),
            where=str(path),
            do=_("see that no other process has it open, and that no newer DuckDB wrote it"),
        ) from None
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
        yield StreamScan(connection.sql(_select(connection, relation, path)).to_arrow_reader(_BATCH_ROWS), relation)
    finally:
        connection.close()


def _settings(limits: Limits, temp: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {
        **SHUT,
        "enable_external_access": False,
        "threads": threads(limits),
        "memory_limit": f"{limits.memory_mb}MB",
        "temp_directory": str(temp),
    }


def _check_file(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        raise SourceUnreachable(
            _("there is no database file {path}").format(path=str(path)[:200]),
            do=_("check the path; nothing was created"),
        )
    with path.open("rb") as stream:
        begin = stream.read(_PLACE + len(_MAGIC))
    if not begin.endswith(_MAGIC) or len(begin) < _PLACE + len(_MAGIC):
        raise SourceBroken(
            _("this is no DuckDB database"), where=str(path), do=_("check the path, or the type of the server")
        )


def _select(connection: duckdb.DuckDBPyConnection, relation: str, path: Path) -> str:
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error:
        known = connection.execute(
            "SELECT table_name FROM information_schema.tables ORDER BY 1 LIMIT ?", [_TABLES_MAX]
        ).fetchall()
        raise SourceBroken(
            _("there is no table {table}").format(table=relation),
            where=str(path),
            do=_("tables are: {tables}").format(tables=", ".join(row[0] for row in known) or _("none")),
        ) from None
    texts = [column for column, kind, *_more in described if not _KEPT.fullmatch(kind)]
    casts = ", ".join(f"CAST({name(column)} AS VARCHAR) AS {name(column)}" for column in texts)
    return f"SELECT *{f' REPLACE ({casts})' if casts else ''} FROM {relation}"
