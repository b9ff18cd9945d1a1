"""From a contract's server to a source's options: how the data is read where it lives.

Rules:

1. `local`, `s3` and `azure` are files, `postgres` (or `postgresql`), `mysql` and `duckdb` tables; `{model}` in a path
   is the name of the schema object. A table is called by its `physicalName`, else its `name`, one whole name in the
   server's `schema` or database: nothing in it is taken for SQL.
2. Account and password come from the environment: `LASTRO_<SERVER>_USERNAME` and `…_PASSWORD`, with the server's own
   name, else `DATACONTRACT_<TYPE>_USERNAME` and `…_PASSWORD`. Where none is set, the driver's own way holds. Host,
   port, database and schema may refer to the environment as `${NAME}`.
3. Lastro's property `source` adds options to those, or gives all of them for a type that is not known here: then a
   `kind`, as in `lastro.yaml`. Functions are refused: a contract brings no code.
4. A format that does not exist here, or a type without such options, is refused by name; nothing is guessed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from lastro.contract.servers import Server
from lastro.model.errors import ConfigurationError
from lastro.model.text import _
from lastro.source.database.select import quoted
from lastro.source.secret import Secret

Options = dict[str, Any]  # Any: a source's options

DELTA = "delta"
"""The kind of a Delta table's options, `kind` and `path`: the store reads it, no source."""
DUCKDB = "duckdb"
"""The kind of a DuckDB file's options, `kind`, `path`, `schema` and `table`: the engine reads it, no source."""
_FORMATS = {"csv": "csv", "json": "jsonl", "jsonl": "jsonl", "parquet": "parquet", "delta": DELTA, "xml": "xml"}
_CODE = ("python", "dlt")
_REFERENCE = re.compile(r"(\$\{[A-Za-z_][A-Za-z0-9_]*\})", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]|/[^\x00]{1,200}", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_AZURE = re.compile(r"([a-z]+)://([a-z0-9]{3,24})\.(?:blob|dfs)\.core\.windows\.net/(.+)", re.ASCII)


def options_of(server: Server, *, name: str, physical: str) -> Options:
    """The options of the source of one schema object: its `name` and what it is called there.

    Raises `ConfigurationError`.
    """
    given = {key: _filled(value, name) for key, value in server.source.items()}
    kind = given.get("kind")
    if kind in _CODE:
        raise _wrong(server, _("a contract may not name code to run"), _("read it by lastro.yaml, or by files"))
    make = _MAKERS.get(server.type)
    if make is None and kind is None:
        raise _wrong(
            server,
            _("servers of the type {type} are not read as they stand").format(type=repr(server.type)),
            _("add the property source, such as {example}").format(
                example="{property: source, vendor: lastro, value: {kind: sqlalchemy, url: …}}"
            ),
        )
    made: Options = {} if make is None else make(server, name, physical)
    if kind is not None and kind != made.get("kind"):
        made = {}
    options = {**made, **given}
    _check_own(server, options, made)
    return _with_table(options, server, physical)


def _check_own(server: Server, options: Options, made: Options) -> None:
    """Refuses options of a kind that is no source, beside those that the server's type makes."""
    kind = options["kind"]
    if kind not in (DELTA, DUCKDB):
        return
    unknown = [name for name in options if name not in made]
    if unknown or not all(isinstance(value, str) for value in options.values()):
        raise _wrong(
            server,
            _("{name} is no option here").format(name=repr(str((unknown or ["path"])[0])[:60])),
            _("let the server's type and format say how it is read, and add nothing"),
        )


def _with_table(options: Options, server: Server, physical: str) -> Options:
    """The options with the table, where the kind has tables and nothing else is said."""
    as_table = _TABLES.get(str(options["kind"]))
    if as_table is None or "table" in options or "query" in options:
        return options
    return {**options, "table": as_table(physical, _schema(server))}


def _schema(server: Server) -> str:
    """The schema, of which only a reference and nothing within a name is resolved."""
    text = str(server.values.get("schema") or "")
    return Secret(text).reveal() if _REFERENCE.fullmatch(text) else text


def _local(server: Server, name: str, _physical: str) -> Options:
    return _files(server, _filled(str(server.values["path"]), name))


def _objects(server: Server, name: str, _physical: str) -> Options:
    location = _filled(str(server.values["location"]), name)
    more: Options = {}
    if endpoint := server.values.get("endpointUrl"):
        more["endpoint"] = str(endpoint)
    if found := _AZURE.fullmatch(location):  # the account stands where the container is expected
        location, more["account"] = f"az://{found[3]}", found[2]
    options = _files(server, location)
    if options["kind"] == DELTA:
        raise _wrong(
            server,
            _("Delta tables are read from local folders only"),
            _("name its Parquet files if none is ever replaced, or copy the table"),
        )
    return {**options, **more}


def _files(server: Server, path: str) -> Options:
    form = server.values.get("format")
    if form is None:
        return {"kind": "files", "path": path}
    if str(form).lower() not in _FORMATS:
        raise _wrong(
            server,
            _("files of the format {format} are not read").format(format=repr(str(form)[:40])),
            _("formats are: {names}").format(names=", ".join(_FORMATS)),
        )
    known = _FORMATS[str(form).lower()]
    if known == DELTA:
        return {"kind": DELTA, "path": path}
    options: Options = {"kind": "files", "path": path, "format": known}
    encoding = str(server.values.get("encoding") or "").lower()
    return {**options, "encoding": encoding} if encoding and known == "csv" else options


def _postgres(server: Server, _name: str, _physical: str) -> Options:
    return {"kind": "postgres", "url": _url("postgresql", server, "POSTGRES")}


def _mysql(server: Server, _name: str, _physical: str) -> Options:
    return {"kind": "mysql", "url": _url("mysql", server, "MYSQL")}


def _duckdb(server: Server, name: str, physical: str) -> Options:
    path = _filled(str(server.values["database"]), name)
    return {"kind": DUCKDB, "path": path, "schema": _schema(server), "table": physical}


def _url(scheme: str, server: Server, kind: str) -> str:
    """The server's URL with references where account and password stand."""
    host, port = str(server.values.get("host") or ""), str(server.values.get("port") or "")
    if not _fits(host, _HOST) or (port and not _fits(port, _PORT)):
        raise _wrong(server, _("host or port is none"), _("write host: db.example.org and port: 5432"))
    user = "".join(f"{mark}${{{name}}}" for mark, name in zip(("", ":"), _account(server.name, kind), strict=False))
    place = _escaped(host) if host.startswith("/") else host
    database = _escaped(str(server.values.get("database") or ""))
    return f"{scheme}://{f'{user}@' if user else ''}{place}{f':{port}' if port else ''}/{database}"


def _account(name: str, kind: str) -> tuple[str, ...]:
    """The variables of account and password that are set; none without an account."""
    own = re.sub(r"[^A-Z0-9]+", "_", name.upper())
    for prefix in (f"LASTRO_{own}", f"DATACONTRACT_{kind}"):
        if f"{prefix}_USERNAME" in os.environ:
            password = f"{prefix}_PASSWORD"
            return (f"{prefix}_USERNAME", *([password] if password in os.environ else []))
    return ()


def _fits(text: str, pattern: re.Pattern[str]) -> bool:
    return bool(_REFERENCE.fullmatch(text) or pattern.fullmatch(text))


def _escaped(text: str) -> str:
    """The text as a part of a URL, with its references left whole."""
    parts = _REFERENCE.split(text)
    return "".join(part if index % 2 else quote(part, safe="") for index, part in enumerate(parts))


def _filled(value: Any, name: str) -> Any:  # Any: a JSON value
    match value:
        case str():
            return value.replace("{model}", name)
        case Mapping():
            return {key: _filled(item, name) for key, item in value.items()}
        case _:
            return value


def _wrong(server: Server, what: str, do: str) -> ConfigurationError:
    return ConfigurationError(what, where=_("server {name}").format(name=server.name), do=do)


def _dotted(physical: str, place: str) -> str:
    return ".".join(quoted(part) for part in (place, physical) if part)


def _of_mysql(physical: str, _place: str) -> str:
    return "`" + physical.replace("`", "``") + "`"


def _plain(physical: str, _place: str) -> str:
    return physical


_TABLES: Mapping[str, Callable[[str, str], str]] = {
    "postgres": _dotted,
    "mysql": _of_mysql,
    "sqlite": _plain,
    "adbc": _dotted,
    "sqlalchemy": _dotted,
}
"""How the option `table` of a kind takes a table's name and its schema."""
_MAKERS: Mapping[str, Callable[[Server, str, str], Options]] = {
    "local": _local,
    "s3": _objects,
    "azure": _objects,
    "postgres": _postgres,
    "postgresql": _postgres,
    "mysql": _mysql,
    "duckdb": _duckdb,
}
