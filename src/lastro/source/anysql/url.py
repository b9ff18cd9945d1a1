"""What a URL for SQLAlchemy may say, and which file one of SQLite's opens.

Rules:

1. `lastro.yaml` may come from anybody, and what a driver does with a parameter is known of a few only. So a list says
   which may stand in a URL: how to encrypt, how long to wait, what to call oneself, where to look. None of them makes a
   driver load a library or a file of settings, or run a statement.
2. Whoever owns the machine may allow more: the environment variable `LASTRO_SQLALCHEMY_PARAMETERS` lists names, with
   commas between.
3. A driver of ODBC is named, not pointed at.
4. SQLite makes a file that is not there. It is opened to be read only, and must be there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from lastro.model.errors import ConfigurationError, SourceUnreachable
from lastro.model.text import _

ALLOWED = "LASTRO_SQLALCHEMY_PARAMETERS"
"""The environment variable that lists further parameters."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KNOWN = _words(
    """
    account app app_name application_name applicationintent authenticator cached_statements catalog charset
    check_same_thread client_encoding compress compression connect_timeout connection_timeout database db driver
    encoding encrypt gssencmode host hostnameincertificate http_path immutable isolation_level keepalives
    keepalives_count keepalives_idle keepalives_interval krbsrvname location login_timeout mode multisubnetfailover
    port program_name project protocol read_timeout region role schema secure server_side_cursors service_name
    source ssl ssl_ca ssl_cert ssl_check_hostname ssl_key ssl_mode ssl_verify_cert ssl_verify_identity sslcert sslkey
    sslmode sslrootcert target_session_attrs tenant timeout timezone trusted_connection trustservercertificate
    unix_socket uri use_unicode user_agent verify warehouse write_timeout
    """
)
_ODBC = re.compile(r"[\w .()-]{1,80}", re.ASCII)
_OURS = ("sqlite", "sqlite+pysqlite")


def check_url(url: str, where: str) -> None:
    """Raises `ConfigurationError` for parameters that are not known to be harmless.

    Whatever follows a question mark is looked at as parameters: one may stand in a password, and hide which is theirs.
    """
    pieces = url.split("?")
    for begin in range(1, len(pieces)):
        check_parameters(parse_qsl("?".join(pieces[begin:]), keep_blank_values=True), where)


def check_parameters(given: Iterable[tuple[str, str | tuple[str, ...]]], where: str) -> None:
    """Raises `ConfigurationError` for one of these parameters that is not known to be harmless (rules 1 to 3)."""
    known = _KNOWN | {name.strip().lower() for name in os.environ.get(ALLOWED, "").split(",")}
    for name, value in given:
        is_named = name.lower() != "driver" or (isinstance(value, str) and _ODBC.fullmatch(value))
        if name.lower() not in known or not is_named:
            raise ConfigurationError(
                _("the URL's parameter {name} could make the driver load code").format(name=name[:80]),
                where=where,
                do=_(
                    "leave it out; if you know that it is harmless, export {variable}={name}; a driver of ODBC is "
                    "named, not pointed at"
                ).format(variable=ALLOWED, name=name[:80]),
            )


def existing(url: Any, base: Path) -> Any:  # Any: sqlalchemy.URL
    """The URL; one of a SQLite file's, relative to the workspace, opens what is there and only reads (rule 4).

    Raises `SourceUnreachable`.
    """
    path = url.database
    if url.get_backend_name() != "sqlite" or path in (None, "", ":memory:") or url.query.get("mode") == "memory":
        return url
    file = base / path.removeprefix("file:")
    refuse_absent(file, path)
    if url.drivername not in _OURS:
        return url.set(database=str(file.absolute()))
    query = {**url.query, "mode": "ro", "uri": "true"}
    return url.set(database=f"file:{quote(str(file.absolute()))}", query=query)


def refuse_absent(file: Path, shown: str) -> None:
    """Raises `SourceUnreachable` where there is no such file: SQLite would make an empty one."""
    if not file.is_file():
        raise SourceUnreachable(
            _("there is no database file {path}").format(path=shown[:200]), do=_("check the path; nothing was created")
        )
