"""What SQLite's errors mean for a person. SQLite's own messages may quote cells and literals, so none is repeated."""

from __future__ import annotations

import re
import sqlite3

from lastro.model.errors import (
    ConfigurationError,
    LastroError,
    LimitExceeded,
    SourceBroken,
    SourceUnreachable,
    SqlRefused,
)
from lastro.model.text import _

_UNKNOWN = re.compile(r"no such (?:column|table|function): [\w.]{1,80}", re.ASCII)


def explained(error: sqlite3.Error, label: str, *, query: bool) -> LastroError:
    """Our error for SQLite's. `query` says that a person's query ran."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return SourceUnreachable(
            _("another process is writing to the database"), where=label, do=_("ingest again, or raise busy_timeout_s")
        )
    if name.startswith("SQLITE_NOTADB"):
        return SourceBroken(
            _("the file is not a SQLite database"), where=label, do=_("check it; an encrypted one cannot be read")
        )
    if name.startswith("SQLITE_CORRUPT") or name == "SQLITE_IOERR_SHORT_READ":
        return SourceBroken(
            _("the database file is damaged"),
            where=label,
            do=_("run `PRAGMA integrity_check` in it, and restore it from a backup"),
        )
    if name.startswith("SQLITE_READONLY"):
        return SourceUnreachable(
            _("the database was left in the middle of a write and must be recovered first"),
            where=label,
            do=_("open it once with an account that may write to it"),
        )
    if name.startswith("SQLITE_TOOBIG"):
        return LimitExceeded(_("a cell or row is larger than 16 MiB"), where=label, do=_("leave that column out"))
    if "decode to UTF-8" in str(error):
        return SourceBroken(
            _("a text is not UTF-8"),
            where=label,
            do=_("correct it at the source, or read the column with CAST(… AS BLOB)"),
        )
    if name.startswith("SQLITE_AUTH") or str(error).startswith("not authorized"):
        return SqlRefused(_("the query does more than select"), where=label, do=_("write one SELECT"))
    if name.startswith("SQLITE_ERROR") or isinstance(error, sqlite3.ProgrammingError | sqlite3.Warning):
        return _wrong_statement(error, label, query=query)
    return SourceUnreachable(
        _("the database cannot be read ({name})").format(name=name or type(error).__name__),
        where=label,
        do=_("check that file, folder and disk can be read"),
    )


def _wrong_statement(error: sqlite3.Error, label: str, *, query: bool) -> LastroError:
    found = _UNKNOWN.search(str(error))
    reason = found[0] if found else _("SQLite cannot make sense of it")
    if query:
        return ConfigurationError(
            _("the query does not run: {reason}").format(reason=reason), where=label, do=_("correct the query")
        )
    return SourceBroken(
        _("the table cannot be read: {reason}").format(reason=reason), where=label, do=_("check the table or view")
    )
