"""One connection to PostgreSQL, through ADBC, with what Lastro needs of it.

The driver is used without its DB-API layer, which loads pandas and polars where they are installed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lastro.model.errors import ConfigurationError, MissingExtra
from lastro.model.text import _
from lastro.source.location import refuse_written_secrets
from lastro.source.postgres.errors import explained, unreachable
from lastro.source.secret import Secret

CONNECT_TIMEOUT_S = 10
_SETTINGS = {
    "client_encoding": "UTF8",
    "datestyle": "ISO, YMD",
    "timezone": "UTC",
    "intervalstyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "synchronize_seqscans": "off",  # a scan begins at the beginning, whoever else scans
    "jit": "off",  # compiling costs more than our plain statements take
    "default_transaction_read_only": "on",
}
BATCH_BYTES = 4 << 20
_BATCH_SIZE = "adbc.postgresql.batch_size_hint_bytes"


@dataclass(frozen=True, slots=True)
class Session:
    """A connection. Statements are ours or a person's query that was checked; values are quoted by `literal`."""

    connection: Any  # Any: adbc_driver_manager.AdbcConnection, an optional library
    label: str
    query: bool
    unfinished: list[Generator[Any]] = field(default_factory=list)  # Any: pyarrow.RecordBatch

    def leave(self) -> None:
        """Ends what was not read to its end; a connection with a statement in it cannot be closed."""
        while self.unfinished:
            self.unfinished.pop().close()

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Raises our errors in place of the driver's, without their texts."""
        import adbc_driver_manager as adbc
        import pyarrow as pa

        try:
            yield
        except (adbc.Error, pa.ArrowException, OSError) as error:
            raise explained(error, self.label, query=self.query) from None

    def row(self, statement: str) -> tuple[Any, ...]:  # Any: cells
        """The one row of a statement's result."""
        rows = self.rows(statement)
        return rows[0]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:  # Any: cells
        """All rows of a small result."""
        import pyarrow as pa

        with self._statement(statement) as made:
            table = pa.RecordBatchReader.from_stream(_started(made)).read_all()
            return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def run(self, statement: str) -> None:
        """Executes a statement that has no result."""
        with self._statement(statement) as made:
            made.execute_update()

    def schema(self, statement: str) -> Any:  # Any: pyarrow.Schema
        """The Arrow schema a SELECT would have, with PostgreSQL's types as metadata; nothing is executed."""
        import pyarrow as pa

        with self._statement(statement) as made:
            return pa.schema(made.execute_schema())

    def batches(self, statement: str) -> Generator[Any]:  # Any: pyarrow.RecordBatch
        """The record batches of a SELECT, fetched as they are asked for, of about `BATCH_BYTES` each."""
        made = self._batches(statement)
        self.unfinished.append(made)
        return made

    def _batches(self, statement: str) -> Generator[Any]:  # Any: pyarrow.RecordBatch
        import pyarrow as pa

        with self._statement(statement) as made:
            made.set_options(**{_BATCH_SIZE: str(BATCH_BYTES)})
            with closing(pa.RecordBatchReader.from_stream(_started(made))) as reader:
                yield from reader

    @contextmanager
    def _statement(self, text: str) -> Iterator[Any]:  # Any: adbc_driver_manager.AdbcStatement
        import adbc_driver_manager as adbc

        with self.explaining(), adbc.AdbcStatement(self.connection) as made:
            made.set_sql_query(text)
            yield made

    def begin_snapshot(self, *, locked: str | None = None, shared: str | None = None) -> None:
        """From here on every statement sees one state of the database: that of a snapshot another session `shared`,
        else the present one, taken once the table `locked` can be rewritten by nobody.
        """
        with self.explaining():
            self.connection.set_autocommit(False)
        self.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        if shared is not None:
            self.run(f"SET TRANSACTION SNAPSHOT {literal(shared)}")
        if locked is not None:
            self.run(f"LOCK TABLE {locked} IN ACCESS SHARE MODE")
        self.row("SELECT 1")

    def share_snapshot(self) -> str:
        """The name under which other sessions may see this one's snapshot, as long as it lasts."""
        name: str = self.row("SELECT pg_export_snapshot()")[0]
        return name

    def read_in_order(self) -> None:
        """From here on rows are read one after the other: parallel workers would mix them up."""
        self.run("SET max_parallel_workers_per_gather = 0")


@contextmanager
def connected(url: Secret, label: str, *, query: bool) -> Iterator[Session]:
    """A session whose times are UTC and ISO 8601, closed with the context.

    Raises `ConfigurationError`, `MissingExtra`, `SourceUnreachable`.
    """
    try:
        import adbc_driver_manager as adbc
        import adbc_driver_postgresql as driver
    except ImportError as error:
        raise MissingExtra(
            _("PostgreSQL needs an optional library"), where=label, do=_("pip install 'lastro[postgres]'")
        ) from error
    target = _target(url.reveal_url(), label)
    with ExitStack() as stack:
        try:
            database = stack.enter_context(driver.connect(target))
            connection = stack.enter_context(adbc.AdbcConnection(database))
        except adbc.Error as error:
            raise unreachable(error, label, (*url.values(), target)) from None
        session = Session(connection, label, query)
        stack.callback(session.leave)
        session.row(
            "SELECT "
            + ", ".join(f"set_config({literal(name)}, {literal(value)}, false)" for name, value in _SETTINGS.items())
        )
        yield session


def _started(statement: Any) -> Any:  # Any: adbc_driver_manager.AdbcStatement in, a stream's handle out
    """The stream of a statement's rows. An interrupt (Ctrl-C) cancels it at the server: a survey can take long."""
    with ThreadPoolExecutor(1) as waiting:
        handle = waiting.submit(statement.execute_query)
        try:
            return handle.result()[0]
        except KeyboardInterrupt:
            statement.cancel()
            raise


def literal(text: str) -> str:
    """A text as SQL writes it (with `standard_conforming_strings` on)."""
    return "'" + text.replace("'", "''") + "'"


def check_url(url: str) -> None:
    """Raises `ConfigurationError` unless the URL is one of PostgreSQL's, or a reference to one, and shows no secret."""
    if not url.startswith(("postgresql://", "postgres://", "${")):
        raise ConfigurationError(
            _("url is not a PostgreSQL URL"), do=_("write postgresql://user:${PASSWORD}@host:5432/database, or ${URL}")
        )
    refuse_written_secrets(url)
    _names = Secret(url).names


def _target(url: str, label: str) -> str:
    if not url.startswith(("postgresql://", "postgres://")):
        raise ConfigurationError(
            _("the URL in the environment is not a PostgreSQL URL"),
            where=label,
            do=_("it begins with postgresql://"),
        )
    query: Mapping[str, list[str]] = parse_qs(urlsplit(url).query)
    if "connect_timeout" in query:
        return url
    return f"{url}{'&' if '?' in url else '?'}connect_timeout={CONNECT_TIMEOUT_S}"
