"""One connection to MySQL or MariaDB, through PyMySQL, with what Lastro needs of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from msgspec import Meta

from lastro.model.errors import ConfigurationError, MissingExtra, SourceBroken
from lastro.model.text import _
from lastro.source.database.tally import Tally
from lastro.source.incremental import Value
from lastro.source.location import refuse_written_secrets
from lastro.source.mysql.columns import Column, columns_of, converted, schema_of
from lastro.source.mysql.errors import explained, unreachable
from lastro.source.mysql.wire import Rows, ServerError, described
from lastro.source.secret import Secret, refers
from lastro.source.stream import Batches

SCHEMES = ("mysql://", "mariadb://")
CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 3600
"""How long the server may take to send the next byte: sorting a large table takes its time, a dead server for ever."""
_SETTINGS = (
    "SET SESSION time_zone = '+00:00', net_write_timeout = 3600, wait_timeout = 28800",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
)
_DECIMAL = re.compile(r"-?\d{1,65}(\.\d{1,38})?", re.ASCII)


class Tls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the connection is encrypted: `mode` is `preferred` (if the server offers it, unchecked), `required`, `verify`
    (the server's certificate and name are checked) or `off`. Files are paths; the key's password is a reference.
    """

    mode: Literal["preferred", "required", "verify", "off"] = "verify"
    ca: Annotated[str, Meta(min_length=1)] | None = None
    cert: Annotated[str, Meta(min_length=1)] | None = None
    key: Annotated[str, Meta(min_length=1)] | None = None
    key_password: str | None = None

    def arguments(self, base: Path) -> dict[str, Any]:  # Any: arguments of pymysql.connect
        """What the driver is told."""
        if self.mode == "off":
            return {"ssl_disabled": True}
        if self.mode == "preferred":
            return {}
        verified = self.mode == "verify"
        found: dict[str, Any] = {"verify_mode": verified, "check_hostname": verified}  # Any: the driver's options
        for name in ("ca", "cert", "key"):
            if (path := getattr(self, name)) is not None:
                found[name] = str(base / Secret(path).reveal())
        if self.key_password is not None:
            found["password"] = Secret(self.key_password).reveal()
        if self.mode == "verify" and "ca" not in found:
            found |= _system_authorities()
        return {"ssl": found}


@dataclass(frozen=True, slots=True)
class Session:
    """A connection inside one read-only snapshot. Statements are ours or a person's query that was checked."""

    connection: Any  # Any: pymysql.Connection, an optional library
    label: str
    query: bool

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Raises our errors in place of the driver's, without their texts."""
        import pymysql

        try:
            yield
        except ServerError as error:
            code = int.from_bytes(error.args[0][1:3], "little")
            raise explained(pymysql.OperationalError(code), self.label, query=self.query) from None
        except (pymysql.MySQLError, OSError) as error:
            raise explained(error, self.label, query=self.query) from None

    def rows(self, statement: str) -> list[tuple[Any, ...]]:  # Any: cells
        """All rows of a small result, as the driver reads them."""
        with self.explaining(), self.connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def row(self, statement: str) -> tuple[Any, ...] | None:  # Any: cells
        """The first row of a result, or None."""
        return next(iter(self.rows(statement)), None)

    def cursor_row(self, column: Column) -> Callable[[str], tuple[Any, ...] | None]:  # Any: cells
        """`row` for statements about one column: its values as a cursor holds them, dates and decimals as texts."""

        def row(statement: str) -> tuple[Any, ...] | None:  # Any: cells
            with self.explaining(), self.connection.cursor() as cursor:
                kept, self.connection.decoders = self.connection.decoders, {}
                try:
                    cursor.execute(statement)
                finally:
                    self.connection.decoders = kept
                found = cursor.fetchone()
            return None if found is None else tuple(_value(cell, column) for cell in found)

        return row

    def has_table(self, relation: str) -> bool:
        """True if the relation is there, and the account may read it."""
        try:
            self.columns(relation)
        except SourceBroken:
            return False
        return True

    def tables(self) -> list[str]:
        """The tables and views of the connection's database."""
        return [name for (name, *_rest) in self.rows("SHOW TABLES")]

    def engine_of(self, name: tuple[str, ...]) -> str | None:
        """What stores a table; None for a view, and where the server does not tell."""
        place = "database()" if len(name) == 1 else text_literal(name[0])
        found = self.row(
            "SELECT engine FROM information_schema.tables"
            f" WHERE table_schema = {place} AND table_name = {text_literal(name[-1])}"
        )
        return None if found is None else found[0]

    def types_of(self, name: tuple[str, ...]) -> list[tuple[str, str]]:
        """Each column of a table with the name of its type, in small letters."""
        place = "database()" if len(name) == 1 else text_literal(name[0])
        found = self.rows(
            "SELECT column_name, data_type FROM information_schema.columns"
            f" WHERE table_schema = {place} AND table_name = {text_literal(name[-1])}"
        )
        return [(str(column), str(kind).lower()) for column, kind in found]

    def key_of(self, name: tuple[str, ...]) -> tuple[str, ...]:
        """The columns of a table's primary key, in its order."""
        place = "database()" if len(name) == 1 else text_literal(name[0])
        found = self.rows(
            f"SELECT column_name FROM information_schema.statistics WHERE table_schema = {place}"
            f" AND table_name = {text_literal(name[-1])} AND index_name = 'PRIMARY' ORDER BY seq_in_index"
        )
        return tuple(str(column) for (column,) in found)

    def columns(self, relation: str) -> tuple[Column, ...]:
        """The columns of a relation; no row is read."""
        with self.explaining(), self.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {relation} LIMIT 0")
            found = described(self.connection)
        return columns_of(found, self.label)

    def stream(self, relation: str, columns: tuple[Column, ...], *, tally: Tally | None = None) -> Batches:
        """The rows of a relation (with its conditions and order), fetched as they are asked for, and counted."""
        schema = schema_of(columns)
        expressions = ", ".join(column.expression for column in columns)

        def batches() -> Iterator[Any]:  # Any: pyarrow.RecordBatch
            with self.explaining():
                self.connection.query(f"SELECT {expressions} FROM {relation}", unbuffered=True)
                rows = Rows(self.connection, len(columns), self.label)
                try:
                    for cells in rows.stretches():
                        batch = converted(cells, columns, schema, self.label)
                        if tally is not None:
                            tally.add(batch)
                        yield batch
                finally:
                    rows.release()

        return Batches(schema, batches())


@contextmanager
def connected(url: Secret, tls: Tls, label: str, base: Path, *, query: bool) -> Iterator[Session]:
    """A session in UTC, in a consistent read-only snapshot, closed with the context.

    Raises `ConfigurationError`, `MissingExtra`, `SourceUnreachable`.
    """
    try:
        import pymysql
    except ImportError as error:
        raise MissingExtra(
            _("MySQL needs an optional library"), where=label, do=_("pip install 'lastro[mysql]'")
        ) from error
    target = target_of(url.reveal_url(), label)
    place = str(target.get("unix_socket") or f"{target['host']}:{target['port']}")
    try:
        connection = pymysql.connect(
            **target,
            **tls.arguments(base),
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
        )
    except (pymysql.MySQLError, OSError, ValueError) as error:
        raise unreachable(error, place) from None
    with closing(_Closing(connection)):
        session = Session(connection, label, query)
        for statement in (*_SETTINGS, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"):
            session.rows(statement)
        yield session


class _Closing:
    """Closes a connection that may be closed already."""

    def __init__(self, connection: Any) -> None:  # Any: pymysql.Connection
        self._connection = connection

    def close(self) -> None:
        if self._connection.open:
            self._connection.close()


def _value(cell: bytes | str | None, column: Column) -> Value | None:
    """A cell in the text protocol as a cursor holds it. Counts are whole numbers whatever the column."""
    if cell is None:
        return None
    text = cell.decode() if isinstance(cell, bytes) else cell
    if column.kind in ("moment", "text", "decimal"):
        return text
    return float(text) if column.kind == "float" else int(text)


def text_literal(text: str) -> str:
    """A text as MySQL writes it in every `sql_mode`: its bytes."""
    return f"_utf8mb4 X'{text.encode().hex()}'"


def literal(value: Value, column: Column) -> str:
    """A cursor's value as SQL, to be compared with this column. Raises `ConfigurationError` if it is none of its."""
    if isinstance(value, str) and column.kind in ("moment", "text"):
        return text_literal(value)
    if column.kind in ("number", "decimal", "float") and _DECIMAL.fullmatch(str(value)):
        return str(value)
    if column.kind == "float" and isinstance(value, int | float):
        return f"{float(value)!r}"
    raise ConfigurationError(
        _("the last commit's cursor is no value of {column}").format(column=column.name),
        do=_("ingest once with --mode overwrite"),
    )


def check_url(url: str) -> None:
    """Raises `ConfigurationError` unless the URL is one of MySQL's, or a reference to one, and shows no secret."""
    if not url.startswith((*SCHEMES, "${")):
        raise ConfigurationError(
            _("url is not a MySQL URL"), do=_("write mysql://user:${PASSWORD}@host:3306/database, or ${URL}")
        )
    refuse_written_secrets(url)
    _names = Secret(url).names


def check_tls(tls: Tls) -> None:
    """Raises `ConfigurationError` if the key's password is written out."""
    if tls.key_password is not None and not refers(tls.key_password):
        raise ConfigurationError(
            _("the password of the TLS key is written out"),
            do=_("put it into an environment variable and write ${NAME} in its place"),
        )


def target_of(url: str, label: str) -> dict[str, Any]:  # Any: arguments of pymysql.connect
    """Where a URL leads: host or socket, account and database. Raises `ConfigurationError`."""
    if not url.startswith(SCHEMES):
        raise ConfigurationError(
            _("the URL in the environment is not a MySQL URL"), where=label, do=_("it begins with mysql://")
        )
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    try:
        port = parts.port or 3306
    except ValueError:
        port = 0
    database = unquote(parts.path.removeprefix("/"))
    if not database or "/" in database or set(options) - {"socket"} or not port:
        raise ConfigurationError(
            _("the URL has no database, or more than host, port, database and socket"),
            where=label,
            do=_("write mysql://user:${PASSWORD}@host:3306/database; TLS has an option of its own: tls"),
        )
    found = {
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or "").encode(),
        "database": database,
    }
    if "socket" in options:
        return {**found, "unix_socket": options["socket"]}
    return {**found, "host": parts.hostname or "127.0.0.1", "port": port}


def _system_authorities() -> dict[str, str]:
    """Where the authorities are that this machine trusts; told of none, the driver would not check the name."""
    import ssl

    paths = ssl.get_default_verify_paths()
    return {"ca": paths.cafile} if paths.cafile else {"capath": paths.capath or paths.openssl_capath}
