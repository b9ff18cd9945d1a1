"""From what a person types after `lastro add` to a source's options.

Rules:

1. `postgresql://…#schema.table` is a table of a PostgreSQL server, `mysql://…#table` (or `mariadb://`) of MySQL.
   `s3://`, `gs://`, `az://`, `abfss://` are files in an object store. `http(s)://` is a file where the extension says
   so, else a JSON API: `https://…#path.to.records`.
2. Any other `scheme://` is refused by name; there is no guessing between stores.
3. `sources/mine.py:rows` is a function. `core.db#table` is a table of a SQLite file; `.log` (also `.log.1`, `.log.gz`)
   are logs.
4. Everything else is a path or glob whose extension tells the format: CSV, TSV, JSON, Parquet, XML, workbooks.
5. Where a `kind` is given, the location is what that kind calls its place: a URL, a driver, a function. What stands
   after its `#` is the table, if the kind has tables.
6. A password or key written out in a URL is refused: it would end up in `lastro.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from lastro.model.errors import ConfigurationError
from lastro.model.text import _
from lastro.source.secret import refers, sounds_secret

COMPRESSIONS = (".gz", ".zst")
FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xml": "xml",
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "excel"),
}
"""The format of `files`, by the extension that is left without a compression's."""
REMOTE = ("s3", "gs", "az", "abfs", "abfss", "http", "https")
"""Schemes of places that `files` reads from, beside paths."""
_NAMED_BY = {
    "python": "function",
    "dlt": "resource",
    "adbc": "driver",
    **dict.fromkeys(("http", "postgres", "mysql", "sqlalchemy"), "url"),
}
_WITH_TABLES = ("postgres", "mysql", "sqlite", "adbc", "sqlalchemy")
_FUNCTION = re.compile(r"\.py:[A-Za-z_]\w*$")
_DATABASES = (".db", ".sqlite", ".sqlite3", ".db3")
_LOG = re.compile(r"\.log\*?(\.[0-9*]+)?(\.gz|\.zst)?$", re.I)
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")


def options_for(location: str, given: Mapping[str, Any]) -> dict[str, Any]:  # Any: a source's options
    """The options of the source a location means, where `given` are some of them: what it names goes by its `kind`, is
    files if there is a `format`, and is guessed else. Raises `ConfigurationError`.
    """
    kind = given.get("kind")
    if kind is not None:
        return {"kind": kind, **_named(str(kind), location, given), **given}
    if "format" in given and not _LOG.search(location):
        return {"kind": "files", "path": location, **given}
    return {**guess(location), **given}


def _named(kind: str, location: str, given: Mapping[str, Any]) -> dict[str, Any]:  # Any: a source's options
    place, mark, table = location.rpartition("#")
    if kind in _WITH_TABLES and mark and "table" not in given and "query" not in given:
        return {_NAMED_BY.get(kind, "path"): place, "table": table}
    return {_NAMED_BY.get(kind, "path"): location}


def guess(location: str) -> dict[str, Any]:  # Any: a source's options
    """The options of the source a location most likely means. Nothing is opened. Raises `ConfigurationError`."""
    scheme = _SCHEME.match(location)
    if scheme:
        return _remote(location, scheme[1].lower())
    database, mark, table = location.rpartition("#")
    if mark and database.lower().endswith(_DATABASES):
        return {"kind": "sqlite", "path": database, "table": table}
    if location.lower().endswith(_DATABASES):
        raise ConfigurationError(
            _("which table of {location}?").format(location=location),
            do=_("write {location}#TABLE").format(location=location),
        )
    if _FUNCTION.search(location):
        return {"kind": "python", "function": location}
    if _LOG.search(location):
        return {"kind": "logs", "path": location}
    if extension(location) in FORMATS:
        return {"kind": "files", "path": location}
    raise _what_kind(location)


def _what_kind(location: str) -> ConfigurationError:
    return ConfigurationError(
        _("the name {location} does not tell what kind of data it is").format(location=location[:200]),
        do=_("pass the format: --option format=csv (or jsonl, parquet, …); for a folder write a glob: folder/*.csv"),
    )


def extension(path: str) -> str:
    """The last extension without a compression's, in lower case: `.csv` for `a.CSV.gz`; empty if there is none."""
    name = path.rsplit("/", 1)[-1].lower().rstrip("*")
    for ending in COMPRESSIONS:
        name = name.removesuffix(ending)
    _stem, dot, last = name.rpartition(".")
    return dot + last


def refuse_written_secrets(url: str) -> None:
    """Raises `ConfigurationError` if a URL has a password or a key written out instead of a reference."""
    parts = urlsplit(url)
    password = _userinfo(parts)[1]
    written = [name for name, value in parse_qsl(parts.query) if sounds_secret(name) and not refers(value)]
    if (password and not refers(password)) or written:
        raise ConfigurationError(
            _("a secret is written out in the URL"),
            where=f"{parts.scheme}://{_userinfo(parts)[2]}{parts.path}",
            do=_("put it into an environment variable and write ${NAME} in its place"),
        )


def _remote(location: str, scheme: str) -> dict[str, Any]:  # Any: a source's options
    match scheme:
        case "postgresql" | "postgres":
            refuse_written_secrets(location)
            return _table_of("postgres", urlsplit(location))
        case "mysql" | "mariadb":
            refuse_written_secrets(location)
            return _table_of("mysql", urlsplit(location)._replace(scheme="mysql"))
        case "http" | "https":
            refuse_written_secrets(location)
            return _http(location, urlsplit(location))
        case "s3" | "gs" | "az" | "abfs" | "abfss":
            return _objects(location)
        case _:
            raise ConfigurationError(
                _("{scheme}:// is not something Lastro reads").format(scheme=scheme[:20]),
                do=_(
                    "use a path, s3://…, gs://…, az://…, http(s)://…, postgresql://…#table, mysql://…#table; or a kind"
                ),
            )


def _table_of(kind: str, parts: SplitResult) -> dict[str, Any]:  # Any: a source's options
    if not parts.fragment:
        raise ConfigurationError(_("which table of the database?"), do=_("end the URL with #schema.table"))
    return {"kind": kind, "url": urlunsplit(parts._replace(fragment="")), "table": parts.fragment}


def _objects(location: str) -> dict[str, Any]:  # Any: a source's options
    if extension(location) not in FORMATS:
        raise _what_kind(location)
    return {"kind": "files", "path": location}


def _http(location: str, parts: SplitResult) -> dict[str, Any]:  # Any: a source's options
    found = extension(parts.path)
    if found in FORMATS and found != ".json" and not parts.fragment:
        return {"kind": "files", "path": location}
    options = {"kind": "http", "url": urlunsplit(parts._replace(fragment=""))}
    if parts.fragment:
        options["records"] = parts.fragment
    return options


def _userinfo(parts: SplitResult) -> tuple[str, str, str]:
    """User, password and the rest of the authority. By hand: `urlsplit` takes offence at `${NAME}` in places."""
    user, _at, rest = parts.netloc.rpartition("@")
    name, _colon, password = user.partition(":")
    return name, password, rest
