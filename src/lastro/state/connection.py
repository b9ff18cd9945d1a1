"""An SQLite file of the workspace: opening it, bringing it to the present schema, and transactions.

Rules:

1. Write-ahead log, `synchronous=FULL`, `BEGIN IMMEDIATE`, 30 s of patience: nothing acknowledged is lost, and nobody
   gets a lock error because another process wrote at the same moment.
2. A file that is damaged, foreign or of a newer schema is never written to; the error says how to mend it.
3. One connection per process, one thread at a time. A forked child opens its own and never touches its parent's, not
   even to close it: that would drop the parent's locks.
4. A file that is `private` is its owner's alone from its first byte, and so are the log and the shared memory beside
   it, which get its mode from SQLite. A copy of any file is.
5. Values are bound; the names of tables and columns are constants of the package whose file it is.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lastro.model.errors import ConfigurationError, Corrupted, LastroError, Locked, StoreError, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _

Handle = sqlite3.Connection
"""What a transaction is given: the statements are those of SQLite."""
PATIENCE_S = 30.0
_COMPANIONS = ("", "-wal", "-shm", "-journal")
_INHERITED: list[sqlite3.Connection] = []
"""Connections of the parent process, kept so that nobody closes them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is: its number in the header, and the statements that lead from schema version n to n + 1. `name` and
    `repair` are what people are told, in their language: "the catalogue", and how to mend it.
    """

    application_id: int
    migrations: Sequence[Sequence[str]]
    name: Callable[[], str]
    repair: Callable[[], str]
    only: bool = False
    """True if what stands there stands nowhere else: then a file that was taken away is not written into unseen."""
    forgets: bool = False
    """True if what is deleted is overwritten with zeros, so that no byte of it stays in the file (`wipe`)."""
    cache_mib: int = 2
    """How much of it is kept in memory: more where many rows are added in no order, as digests have none."""
    private: bool = False
    """True if the file has mode 0600, whatever the umask."""


class Connection:
    """The connection to one file, opened at first use; a missing file is made, with its folder."""

    def __init__(self, path: Path, kind: Kind) -> None:
        self.path = path
        self.kind = kind
        self._raw: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
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

    def wipe(self) -> None:
        """Writes the file anew, since pages keep copies of rows that were moved within them, and empties its log, in
        which deleted rows would stay. Raises `Locked` if others read for longer than the patience lasts; what was
        deleted is deleted then, but bytes of it stay.
        """
        self._leave_to_parent()
        with self._turn, self._told():
            self._held().execute("VACUUM")
            busy = self._held().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise Locked(
                _("{name} is read by another process; what was deleted stands in its log until it ends").format(
                    name=self.kind.name()
                ),
                where=str(self.path),
                do=_("end the process that reads, and try again"),
            )

    def copy_to(self, path: Path) -> None:
        """Writes a copy, as it is at this moment, to a file that is not there yet, of mode 0600. Raises what `reading`
        raises, and `OSError`.
        """
        self._leave_to_parent()
        with self._turn, self._told():
            _make_private(path)
            self._held().execute("VACUUM INTO ?", (str(path),))

    def discard(self) -> None:
        """Removes the file and its log. Raises `WriteFailed`."""
        self.close()
        try:
            for ending in _COMPANIONS:
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        except OSError as error:
            raise _not_writable(self.path, self.kind, reason_of(error)) from error

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        self._leave_to_parent()
        with self._turn, self._told():
            connection = self._held()
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _held(self) -> sqlite3.Connection:
        if self._raw is None:
            self._raw = self._open()
            self._opened = _identity(self.path)
        elif self.kind.only and _identity(self.path) != self._opened:
            raise StoreError(
                _("{name} was replaced or removed while it was open").format(name=self.kind.name()),
                where=str(self.path),
                do=_("end this process; put the file back, or see what is there, before anything is written"),
            )
        return self._raw

    def _leave_to_parent(self) -> None:
        if self._process == os.getpid():
            return
        if self._raw is not None:
            _INHERITED.append(self._raw)
        self._raw, self._process, self._turn = None, os.getpid(), threading.RLock()

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.kind.private:
                _make_private(self.path)
        except OSError as error:
            raise _not_writable(self.path, self.kind, reason_of(error)) from error
        connection = sqlite3.connect(self.path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, self.path, self.kind)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _translated(error, self.path, self.kind) from error


def _make_private(path: Path) -> None:
    """Makes an empty file of mode 0600, if there is none. One that is there is not opened: closing it again would drop
    the locks that another connection of this process holds. Raises `OSError`.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands there; None if none does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare(connection: sqlite3.Connection, path: Path, kind: Kind) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    if kind.forgets:
        connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA cache_size = {-1024 * kind.cache_mib}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {max(1_000, 256 * kind.cache_mib)}")  # pages of 4 KiB
    version = _schema_version(connection, path, kind)
    _use_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    if version < len(kind.migrations):
        _migrate(connection, path, kind)


def _schema_version(connection: sqlite3.Connection, path: Path, kind: Kind) -> int:
    """The file's schema version, 0 if it is new. Raises `Corrupted` on foreign files, `ConfigurationError` on newer."""
    application, version, tables = connection.execute(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),"
        " (SELECT count(*) FROM sqlite_schema)"
    ).fetchone()
    if (application, version, tables) == (0, 0, 0):
        return 0
    if application != kind.application_id:
        raise Corrupted(
            _("{name} has a file that Lastro did not write").format(name=kind.name()), where=str(path), do=kind.repair()
        )
    if version > len(kind.migrations):
        raise ConfigurationError(
            _("{name} has schema {version}; this Lastro knows up to {known}").format(
                name=kind.name(), version=version, known=len(kind.migrations)
            ),
            where=str(path),
            do=_("upgrade Lastro, or {repair}").format(repair=kind.repair()),
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


def _migrate(connection: sqlite3.Connection, path: Path, kind: Kind) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in kind.migrations[_schema_version(connection, path, kind) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {kind.application_id}")
        connection.execute(f"PRAGMA user_version = {len(kind.migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _translated(error: sqlite3.Error, path: Path, kind: Kind) -> LastroError:
    # Text that is no UTF-8 is refused without a code, by an error that holds the text.
    unread = sqlite3.SQLITE_CORRUPT if isinstance(error, sqlite3.OperationalError) else 0
    match getattr(error, "sqlite_errorcode", unread) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Locked(
                _("another process has been writing to {name} for {seconds:.0f} s").format(
                    name=kind.name(), seconds=PATIENCE_S
                ),
                where=str(path),
                do=_("wait for it, or end it"),
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR:
            return _not_writable(path, kind, str(error))
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_ERROR | sqlite3.SQLITE_FORMAT:
            return Corrupted(_("{name} is damaged").format(name=kind.name()), where=str(path), do=kind.repair())
        case _:
            return StoreError(
                _("{name} failed: {reason}").format(name=kind.name(), reason=error), where=str(path), do=kind.repair()
            )


def _not_writable(path: Path, kind: Kind, reason: str) -> WriteFailed:
    return WriteFailed(
        _("{name} cannot be written: {reason}").format(name=kind.name(), reason=reason),
        where=str(path),
        do=_("free some space or make the folder writable; then {repair}").format(repair=kind.repair()),
        state=_("the tables and the run records are as they were"),
    )
