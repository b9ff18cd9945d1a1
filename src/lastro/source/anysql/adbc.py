"""Any ADBC driver: a table or query of a database, as Arrow.

Rules, beside those of `anysql`:

1. A driver is native code, and `lastro.yaml` may come from anybody who sent the workspace. So a driver is named, not
   pointed at: `adbc_driver_…` is a package that was installed here, any other plain name is one that this machine's
   owner installed for the driver manager. A path to a library works only if the environment variable
   `LASTRO_ADBC_DRIVERS` lists it.
2. For the same reason options that make a driver load more code are refused: profiles, entry points, extensions.
3. Columns arrive as the driver gives them, save what has no whole counterpart here: unsigned numbers of 64 bits become
   decimals, dictionaries and views their values, times of day and decimals beyond 38 digits text. A moment with
   nanoseconds that microseconds cannot hold is refused, and so is an interval.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from msgspec import Meta

from lastro.model.declared import Declared
from lastro.model.errors import ConfigurationError, MissingExtra, SourceBroken, SourceUnreachable
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source import incremental
from lastro.source.anysql.declared import by_objects
from lastro.source.anysql.driver import check_driver, check_options, driver_of
from lastro.source.anysql.reading import Arrived, Asked, continued, label_of, opened
from lastro.source.anysql.types import arriving, converted
from lastro.source.anysql.url import refuse_absent
from lastro.source.database.growing import check_choice, plain_literal
from lastro.source.database.select import check_select
from lastro.source.database.table_name import parts_of
from lastro.source.incremental import Value
from lastro.source.options import SourceOptions, identity, read_options, wrong_option
from lastro.source.protocol import Cursor, Handed, Opened, Unchanged
from lastro.source.secret import Secret, refers, sounds_secret
from lastro.source.stream import Batches

_NUMBER = re.compile(r"-?\d{1,80}(\.\d{1,80})?", re.ASCII)
_BACKTICKS = re.compile(r"mysql|mariadb|bigquery|databricks|spark|hive|clickhouse", re.I)
_ISOLATION = "adbc.connection.transaction.isolation_level"
_LEVELS = ("snapshot", "repeatable_read", "serializable", "linearizable")


class AdbcOptions(SourceOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `adbc`: the `driver`'s name, its `uri` and further `options` (secrets as `${NAME}`), and a
    `table` or `query`. `cursor`, `lag`: see `lastro.source.incremental`.
    """

    driver: Annotated[str, Meta(min_length=1)]
    uri: str | None = None
    options: dict[str, str] = msgspec.field(default_factory=dict)
    table: Annotated[str, Meta(min_length=1)] | None = None
    query: str | None = None
    cursor: Annotated[str, Meta(min_length=1)] | None = None
    lag: Annotated[float, Meta(ge=0)] = 0
    reconcile: bool = False


@dataclass(frozen=True, slots=True)
class AdbcSource:
    """A table or query of a database with an ADBC driver."""

    options: AdbcOptions
    base: Path
    kind: str = "adbc"

    def __repr__(self) -> str:
        return f"<adbc {self.label}>"

    @property
    def label(self) -> str:
        """The table as it was given, or the query's identity."""
        return label_of(self.options.table, self.options.query, identity)

    @property
    def identity(self) -> str:
        """What is read, for the cursor."""
        given = self.options
        return identity(given.driver, given.table, given.query, given.cursor)

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
        """What the table declares, as far as the driver can tell."""
        if self.options.table is None:
            return Declared()
        with self._connected() as session:
            return by_objects(session.connection, parts_of(self.options.table, quote='"', most=3))

    @contextmanager
    def _connected(self) -> Iterator[AdbcSession]:
        try:
            import adbc_driver_manager as adbc
            import adbc_driver_manager.dbapi as manager
        except ImportError as error:
            raise MissingExtra(
                _("ADBC needs an optional library"),
                where=self.label,
                do=_("pip install adbc-driver-manager, and the driver's own package"),
            ) from error
        settings = {name: Secret(value).reveal() for name, value in self.options.options.items()}
        if self.options.uri is not None:
            settings["uri"] = Secret(self.options.uri).reveal_url()
        check_options(settings, self.label)
        if self.options.driver == "adbc_driver_sqlite":
            _refuse_absent(settings.get("uri", ""))
        try:
            connection = manager.connect(driver_of(self.options.driver, self.label), db_kwargs=settings)
        except (adbc.Error, OSError) as error:
            raise _unreachable(error, self.label) from None
        with closing(connection):
            yield AdbcSession(connection, self.label, *_told(connection))


@dataclass(frozen=True, slots=True)
class AdbcSession:
    """A connection in one transaction, which is rolled back at the end."""

    connection: Any  # Any: adbc_driver_manager.dbapi.Connection
    label: str
    quote: str
    snapshot: bool

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Raises our errors in place of the driver's, without their texts: those quote statements and cells."""
        import adbc_driver_manager as adbc
        import pyarrow as pa

        try:
            yield
        except (adbc.Error, pa.ArrowException, OSError) as error:
            raise _explained(error, self.label) from None

    def names(self, relation: str) -> tuple[str, ...]:
        """The columns of a relation, whose types must be such as can arrive."""
        schema = self._schema(relation)
        if len(set(schema.names)) != len(schema.names):
            raise ConfigurationError(
                _("two columns of the query have the same name"), where=self.label, do=_("name them apart with AS")
            )
        return tuple(arriving(schema, self.label).names)

    def row(self, statement: str) -> tuple[Any, ...] | None:  # Any: cells
        """The first row of a result, its values as a cursor holds them."""
        with self.explaining(), closing(self.connection.cursor()) as cursor:
            cursor.execute(statement)
            found = cursor.fetchone()
        return None if found is None else tuple(_value(cell) for cell in found)

    def literal(self, value: Value, column: str, relation: str) -> str:
        """A cursor's value as SQL: a decimal's text without quotes where the column holds decimals."""
        import pyarrow as pa

        kind = self._schema(relation).field(column).type
        if isinstance(value, str) and pa.types.is_decimal(kind) and _NUMBER.fullmatch(value):
            return value
        return plain_literal(value, self.label)

    def stream(self, statement: str, tally: Arrived | None) -> Batches:
        """The rows of a SELECT, fetched as they are asked for."""
        with self.explaining():
            cursor = self.connection.cursor()
            cursor.execute(statement)
            reader = cursor.fetch_record_batch()
        schema = arriving(reader.schema, self.label)

        def batches() -> Iterator[Any]:  # Any: pyarrow.RecordBatch
            with self.explaining(), closing(cursor), closing(reader):
                for batch in reader:
                    made = converted(batch, schema, self.label)
                    if tally is not None:
                        tally.add(made)
                    yield made

        return Batches(schema, batches())

    def _schema(self, relation: str) -> Any:  # Any: pyarrow.Schema
        with self.explaining(), closing(self.connection.cursor()) as cursor:
            cursor.execute(f"SELECT * FROM {relation} WHERE 1 = 0")
            with closing(cursor.fetch_record_batch()) as reader:
                return reader.schema


def adbc_source(options: Mapping[str, Any], base: Path) -> AdbcSource:  # Any: a person's YAML values
    """The source of kind `adbc`. Raises `ConfigurationError`."""
    given = read_options(options, AdbcOptions)
    check_driver(given.driver, given.kind)
    check_options({**given.options, **({} if given.uri is None else {"uri": given.uri})}, given.kind)
    check_choice(given.kind, table=given.table, query=given.query, cursor=given.cursor, lag=given.lag)
    for name, value in given.options.items():
        if sounds_secret(name) and not refers(value):
            raise wrong_option(
                given.kind,
                _("{name} is written out").format(name=name),
                do=_("put it into an environment variable and write ${NAME} in its place"),
            )
    if given.uri is not None and "://" in given.uri:
        from lastro.source.location import refuse_written_secrets

        refuse_written_secrets(given.uri)
    if given.query is not None:
        check_select(given.query, given.kind)
    return AdbcSource(given, base)


def _refuse_absent(uri: str) -> None:
    path = uri.removeprefix("file:").partition("?")[0]
    if path not in ("", ":memory:") and "mode=memory" not in uri:
        refuse_absent(Path(unquote(path) if uri.startswith("file:") else path), uri)


def _told(connection: Any) -> tuple[str, bool]:  # Any: adbc_driver_manager.dbapi.Connection
    """The character around names, and whether one state of the database is seen throughout."""
    import adbc_driver_manager as adbc

    try:
        vendor = str(connection.adbc_get_info().get("vendor_name", ""))
    except adbc.Error:  # a driver need not say what it is
        vendor = ""
    return ("`" if _BACKTICKS.search(vendor) else '"'), vendor == "SQLite" or _isolated(connection)


def _isolated(connection: Any) -> bool:  # Any: adbc_driver_manager.dbapi.Connection
    import adbc_driver_manager as adbc

    for level in _LEVELS:
        try:
            connection.adbc_connection.set_options(**{_ISOLATION: f"adbc.connection.transaction.isolation.{level}"})
        except adbc.Error:  # the driver does not know the level, or any
            continue
        return True
    return False


def _value(cell: Any) -> Any:  # Any: a cell
    match cell:
        case datetime():
            moment = cell.astimezone(UTC) if cell.tzinfo else cell
            return moment.isoformat(" ")
        case date():
            return cell.isoformat()
        case Decimal():
            return format(cell, "f")
        case _:
            return cell


def _unreachable(error: Exception, label: str) -> SourceUnreachable:
    return SourceUnreachable(
        _("no connection through ADBC ({status})").format(status=_status(error)),
        where=label,
        do=_("check driver, uri and options, and that the database answers"),
    )


def _explained(error: Exception, label: str) -> Exception:
    status = _status(error)
    if status in ("IO", "TIMEOUT", "CANCELLED", "UNAUTHENTICATED", "UNAUTHORIZED"):
        return SourceUnreachable(
            _("the database ended the connection, or could not go on ({status})").format(status=status),
            where=label,
            do=_("ingest again when it answers"),
        )
    return SourceBroken(
        _("the database cannot read it ({status})").format(status=status),
        where=label,
        do=_("check table, query and columns; run the query in the database's own client"),
    )


def _status(error: Exception) -> str:
    code = getattr(error, "status_code", None)
    return getattr(code, "name", None) or type(error).__name__
