"""Any database that SQLAlchemy has a dialect for: a table or query, as text.

Rules, beside those of `anysql`:

1. Every column arrives as text, since each driver has Python values of its own: whole numbers as digits, decimals with
   all their places, floats as the shortest text of the same number, dates and times in ISO 8601 (moments with a zone in
   UTC), spans as hours:minutes:seconds, bytes as pairs of hexadecimal digits, lists and mappings as JSON.
2. A URL decides which of the installed drivers is loaded and what it is told: only by parameters that are known to be
   harmless (`url`).
3. Where the dialect can be told that a transaction only reads, it is (PostgreSQL, MySQL, SQLite).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from lastro.model.declared import Declared
from lastro.model.errors import ConfigurationError, MissingExtra, SourceBroken, SourceUnreachable
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source import incremental
from lastro.source.anysql.declared import by_inspector
from lastro.source.anysql.reading import Arrived, Asked, continued, label_of, opened
from lastro.source.anysql.url import check_parameters, check_url, existing
from lastro.source.database.growing import check_choice, plain_literal
from lastro.source.database.select import check_select
from lastro.source.database.table_name import parts_of
from lastro.source.incremental import Value
from lastro.source.location import refuse_written_secrets
from lastro.source.options import SourceOptions, identity, read_options
from lastro.source.protocol import Cursor, Handed, Opened, Unchanged
from lastro.source.secret import Secret
from lastro.source.stream import Batches

BATCH_ROWS = 8_192
_URL = re.compile(r"[a-z][a-z0-9_]*(\+[a-z][a-z0-9_]*)?://|\$\{", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,80}(\.\d{1,80})?", re.ASCII)
_LEVELS = ("SNAPSHOT", "REPEATABLE READ", "SERIALIZABLE")
_READ_ONLY = {"mysql": "SET SESSION TRANSACTION READ ONLY", "sqlite": "PRAGMA query_only = ON"}


class AlchemyOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `sqlalchemy`: the `url` with the password as `${NAME}`, and a `table` or `query`.
    `cursor`, `lag`: see `lastro.source.incremental`.
    """

    url: Annotated[str, Meta(min_length=1)]
    table: Annotated[str, Meta(min_length=1)] | None = None
    query: str | None = None
    cursor: Annotated[str, Meta(min_length=1)] | None = None
    lag: Annotated[float, Meta(ge=0)] = 0
    reconcile: bool = False


@dataclass(frozen=True, slots=True)
class AlchemySource:
    """A table or query of a database with a SQLAlchemy dialect."""

    options: AlchemyOptions
    base: Path
    kind: str = "sqlalchemy"

    def __repr__(self) -> str:
        return f"<sqlalchemy {self.label}>"

    @property
    def label(self) -> str:
        """The table as it was given, or the query's identity."""
        return label_of(self.options.table, self.options.query, identity)

    @property
    def identity(self) -> str:
        """What is read, for the cursor."""
        given = self.options
        return identity(given.table, given.query, given.cursor)

    def moved(self, earlier: Mapping[str, Cursor], *, same: bool) -> Handed | None:
        """The cursor of the same rows under another label."""
        return incremental.handed(earlier, self.identity) if same else None

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A stream of the rows to read. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`, `MissingExtra`."""
        given = self.options
        asked = Asked(self.identity, given.table, given.query, given.cursor, given.lag, given.reconcile)
        last = continued(cursor, asked, mode, self.label)
        with self._connected() as session, opened(session, asked, last, mode) as found:
            yield found

    def declared(self) -> Declared:
        """What the table declares, as far as the dialect can tell."""
        if self.options.table is None:
            return Declared()
        with self._connected() as session:
            return by_inspector(session.connection.engine, parts_of(self.options.table, quote='"', most=3))

    def _url(self) -> Any:  # Any: sqlalchemy.URL
        """The URL as SQLAlchemy reads it, which says last what is a parameter."""
        import sqlalchemy

        text = Secret(self.options.url).reveal_url()
        check_url(text, self.label)
        try:
            url = sqlalchemy.make_url(text)
        except (sqlalchemy.exc.SQLAlchemyError, ValueError) as error:
            raise _unreachable(error, self.label) from None
        check_parameters(url.query.items(), self.label)
        return existing(url, self.base)

    @contextmanager
    def _connected(self) -> Iterator[AlchemySession]:
        try:
            import sqlalchemy
            from sqlalchemy.pool import NullPool
        except ImportError as error:
            raise MissingExtra(
                _("SQLAlchemy is an optional library"), where=self.label, do=_("pip install 'lastro[sqlalchemy]'")
            ) from error
        url = self._url()
        try:
            engine = sqlalchemy.create_engine(url, poolclass=NullPool, hide_parameters=True)
            connection = engine.connect()
        except ImportError as error:  # the dialect's own driver is not installed
            raise MissingExtra(
                _("the URL's driver is not installed"), where=self.label, do=_("install the driver that it names")
            ) from error
        except (sqlalchemy.exc.SQLAlchemyError, OSError, TypeError, ValueError) as error:
            raise _unreachable(error, self.label) from None
        with connection:
            session = AlchemySession(connection, self.label, *_begun(connection))
            yield session
            if not connection.closed and not connection.invalidated:
                connection.rollback()


@dataclass(frozen=True, slots=True)
class AlchemySession:
    """A connection in one transaction, which is rolled back at the end."""

    connection: Any  # Any: sqlalchemy.Connection
    label: str
    quote: str
    snapshot: bool

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Raises our errors in place of the library's, without their texts: those quote statements and cells."""
        import sqlalchemy

        try:
            yield
        except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
            raise _explained(error, self.label) from None

    def names(self, relation: str) -> tuple[str, ...]:
        """The columns of a relation."""
        with self.explaining(), self._run(f"SELECT * FROM {relation} WHERE 1 = 0") as result:
            names = tuple(result.keys())
        if len(set(names)) != len(names):
            raise ConfigurationError(
                _("two columns of the query have the same name"), where=self.label, do=_("name them apart with AS")
            )
        return names

    def row(self, statement: str) -> tuple[Any, ...] | None:  # Any: cells
        """The first row of a result, its values as a cursor holds them."""
        with self.explaining(), self._run(statement) as result:
            found = result.fetchone()
        return None if found is None else tuple(_value(cell) for cell in found)

    def literal(self, value: Value, column: str, relation: str) -> str:
        """A cursor's value as SQL: a decimal's text, marked by its `d`, without quotes."""
        del column, relation
        if isinstance(value, str) and value.startswith("d:") and _NUMBER.fullmatch(value[2:]):
            return value[2:]
        return plain_literal(value, self.label)

    def stream(self, statement: str, tally: Arrived | None) -> Batches:
        """The rows of a SELECT as texts, fetched as they are asked for."""
        import pyarrow as pa

        with self.explaining():
            result = self._run(statement)
        schema = pa.schema([pa.field(name, pa.string()) for name in result.keys()])  # noqa: SIM118 - no mapping

        def batches() -> Iterator[Any]:  # Any: pyarrow.RecordBatch
            with self.explaining(), result:
                while block := result.fetchmany(BATCH_ROWS):
                    made = pa.record_batch(
                        [pa.array(map(text_of, cells), pa.string()) for cells in zip(*block, strict=True)],
                        schema=schema,
                    )
                    if tally is not None:
                        tally.add(made)
                    yield made

        return Batches(schema, batches())

    def _run(self, statement: str) -> Any:  # Any: sqlalchemy.CursorResult
        options = {"no_parameters": True, "stream_results": True, "max_row_buffer": BATCH_ROWS}
        return self.connection.exec_driver_sql(statement, execution_options=options)


def sqlalchemy_source(options: Mapping[str, Any], base: Path) -> AlchemySource:  # Any: a person's YAML values
    """The source of kind `sqlalchemy`. Raises `ConfigurationError`."""
    given = read_options(options, AlchemyOptions)
    if not _URL.match(given.url):
        raise ConfigurationError(
            _("url is not one of SQLAlchemy's"),
            do=_("write dialect+driver://user:${PASSWORD}@host/database, or ${URL}"),
        )
    refuse_written_secrets(given.url)
    _names = Secret(given.url).names
    check_url(given.url, given.kind)
    check_choice(given.kind, table=given.table, query=given.query, cursor=given.cursor, lag=given.lag)
    if given.query is not None:
        check_select(given.query, given.kind)
    return AlchemySource(given, base)


def text_of(cell: Any) -> str | None:  # Any: a cell
    """A value as it arrives (rule 1)."""
    match cell:
        case None | str():
            return cell
        case bool():
            return "true" if cell else "false"
        case bytes() | bytearray() | memoryview():
            return bytes(cell).hex()
        case dt.datetime():
            return _moment(cell)
        case dt.date() | dt.time():
            return cell.isoformat()
        case dt.timedelta():
            return _span(cell)
        case Decimal():
            return format(cell, "f")
        case float() | int():
            return repr(cell)
        case list() | dict() | tuple():
            return json.dumps(cell, ensure_ascii=False, default=str)
        case _:
            return str(cell)


def _moment(cell: dt.datetime) -> str:
    return (cell.astimezone(dt.UTC) if cell.tzinfo else cell).isoformat(" ")


def _span(cell: dt.timedelta) -> str:
    sign, whole = ("-", -cell) if cell < dt.timedelta() else ("", cell)
    seconds = whole.days * 86_400 + whole.seconds
    part = f".{whole.microseconds:06d}" if whole.microseconds else ""
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{part}"


def _value(cell: Any) -> Any:  # Any: a cell
    if isinstance(cell, Decimal):
        return int(cell) if cell == cell.to_integral_value() and abs(cell) < 2**63 else f"d:{cell:f}"
    if isinstance(cell, dt.datetime | dt.date):
        return text_of(cell)
    return cell


def _begun(connection: Any) -> tuple[str, bool]:  # Any: sqlalchemy.Connection
    """The character around names, and whether one state of the database is seen throughout. Begins the transaction."""
    import sqlalchemy

    dialect = connection.dialect
    quote = str(dialect.identifier_preparer.initial_quote)
    if dialect.name in _READ_ONLY:
        connection.exec_driver_sql(_READ_ONLY[dialect.name])
        connection.rollback()
    if dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
        return quote, True
    options: dict[str, Any] = {"postgresql_readonly": True} if dialect.name == "postgresql" else {}  # Any: options
    try:
        levels = dialect.get_isolation_level_values(connection.connection.dbapi_connection)
        level = next((level for level in _LEVELS if level in levels), None)
    except (sqlalchemy.exc.SQLAlchemyError, NotImplementedError):  # the dialect knows no levels
        level = None
    connection.rollback()
    if level is not None:
        options["isolation_level"] = level
    if options:
        connection.execution_options(**options)
    return quote, level is not None


def _unreachable(error: Exception, label: str) -> SourceUnreachable:
    return SourceUnreachable(
        _("no connection through SQLAlchemy ({name})").format(name=type(error).__name__),
        where=label,
        do=_("check the URL, the account and that the database answers"),
    )


def _explained(error: Exception, label: str) -> Exception:
    import sqlalchemy

    if getattr(error, "connection_invalidated", False) or isinstance(error, OSError):
        return SourceUnreachable(
            _("the database ended the connection, or could not go on ({status})").format(status=type(error).__name__),
            where=label,
            do=_("ingest again when it answers"),
        )
    inner = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    return SourceBroken(
        _("the database cannot read it ({status})").format(status=type(inner).__name__),
        where=label,
        do=_("check table, query and columns; run the query in the database's own client"),
    )
