"""The catalogue's SQLite file: opening it, bringing it to the present schema, and transactions.

Rules:

1. Write-ahead log, `synchronous=FULL`, `BEGIN IMMEDIATE`, 30 s of patience: nothing acknowledged is lost, and nobody
   gets a lock error because another process wrote at the same moment.
2. A file that is damaged, foreign or of a newer schema is never written to; the error says how to make a new one.
3. One connection per process, one thread at a time. A forked child opens its own and never touches its parent's, not
   even to close it: that would drop the parent's locks.
4. Values are bound; the names of tables and columns are constants of this package.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lastro.catalog.tables import APPLICATION_ID, MIGRATIONS
from lastro.model.errors import ConfigurationError, Corrupted, LastroError, Locked, StoreError, WriteFailed
from lastro.model.text import _

PATIENCE_S = 30.0
_COMPANIONS = ("", "-wal", "-shm", "-journal")
_INHERITED: list[sqlite3.Connection] = []
"""Connections of the parent process, kept so that nobody closes them."""


class Connection:
    """The connection to one catalogue file, opened at first use; a missing file is made, with its folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._raw: sqlite3.Connection | None = None
        self._process = os.getpid()
        self._turn = threading.RLock()

    def __del__(self) -> None:
        if self._process == os.getpid():
            self.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view for several queries. Raises `Corrupted`, `ConfigurationError`, `Locked`, `StoreError`."""
        with self._transaction("BEGIN DEFERRED") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Raises `WriteFailed` and what `reading` raises."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Closes the connection; the next use opens another."""
        if self._raw is not None:
            self._raw.close()
        self._raw = None

    def discard(self) -> None:
        """Removes the file and its log. Raises `WriteFailed`."""
        self.close()
        try:
            for ending in _COMPANIONS:
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        except OSError as error:
            raise _not_writable(self.path, str(error.strerror)) from error

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        self._leave_to_parent()
        with self._turn, self._told():
            self._raw = connection = self._raw or self._open()
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _leave_to_parent(self) -> None:
        if self._process == os.getpid():
            return
        if self._raw is not None:
            _INHERITED.append(self._raw)
        self._raw, self._process, self._turn = None, os.getpid(), threading.RLock()

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_writable(self.path, str(error.strerror)) from error
        connection = sqlite3.connect(self.path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, self.path)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    version = _schema_version(connection, path)
    _use_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    if version < len(MIGRATIONS):
        _migrate(connection, path)


def _schema_version(connection: sqlite3.Connection, path: Path) -> int:
    """The file's schema version, 0 if it is new. Raises `Corrupted` on foreign files, `ConfigurationError` on newer."""
    application, version, tables = connection.execute(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),"
        " (SELECT count(*) FROM sqlite_schema)"
    ).fetchone()
    if (application, version, tables) == (0, 0, 0):
        return 0
    if application != APPLICATION_ID:
        raise Corrupted(_("the catalogue's file is not a catalogue of Lastro"), where=str(path), do=_repair())
    if version > len(MIGRATIONS):
        raise ConfigurationError(
            _("the catalogue has schema {version}; this Lastro knows up to {known}").format(
                version=version, known=len(MIGRATIONS)
            ),
            where=str(path),
            do=_("upgrade Lastro, or {repair}").format(repair=_repair()),
        )
    return int(version)


def _use_log(connection: sqlite3.Connection) -> None:
    """Turns the write-ahead log on. SQLite does not wait here for others that do the same, so this does."""
    until = time.monotonic() + PATIENCE_S
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[_schema_version(connection, path) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _translated(error: sqlite3.Error, path: Path) -> LastroError:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Locked(
                _("another process has been writing to the catalogue for {seconds:.0f} s").format(seconds=PATIENCE_S),
                where=str(path),
                do=_("wait for it, or end it"),
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR:
            return _not_writable(path, str(error))
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_ERROR | sqlite3.SQLITE_FORMAT:
            return Corrupted(_("the catalogue is damaged"), where=str(path), do=_repair())
        case _:
            return StoreError(_("the catalogue failed: {reason}").format(reason=error), where=str(path), do=_repair())


def _not_writable(path: Path, reason: str) -> WriteFailed:
    return WriteFailed(
        _("the catalogue cannot be written: {reason}").format(reason=reason),
        where=str(path),
        do=_("free some space or make the folder writable; then {repair}").format(repair=_repair()),
        state=_("the tables and the run records are as they were"),
    )


def _repair() -> str:
    return _("make it again from the tables: lastro repair --rebuild-catalog")
