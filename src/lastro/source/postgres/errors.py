"""What PostgreSQL's errors mean for a person, told by their SQLSTATE.

The server's own messages quote queries and cells, so none is repeated. What libpq says when it cannot connect is (it
names host, port, account or database), without its secrets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lastro.model.errors import ConfigurationError, LastroError, SourceBroken, SourceUnreachable, SqlRefused
from lastro.model.text import _
from lastro.source.secret import scrub

_FAILED = re.compile(r"failed: (?:FATAL:\s*)?([^\n]{1,200})")


def unreachable(error: Exception, label: str, secrets: Sequence[str]) -> SourceUnreachable:
    """The error for a connection that was not made."""
    found = _FAILED.findall(str(error))
    reason = scrub(found[-1], secrets) if found else _("libpq does not understand the URL")
    return SourceUnreachable(
        _("no connection to PostgreSQL: {reason}").format(reason=reason.strip()),
        where=label,
        do=_("check host, port, database, account and password, and that the server runs"),
    )


def explained(error: Exception, label: str, *, query: bool) -> LastroError:
    """Our error for the driver's. `query` says that a person's query ran."""
    state = getattr(error, "sqlstate", None) or _state_in_stream(str(error))
    match state[:2]:
        case "22" if state == "22021":
            return SourceBroken(
                _("it holds text in an encoding that the database does not know (SQL_ASCII)"),
                where=label,
                do=_("read it with a query: SELECT convert_from(name::bytea, 'LATIN1') AS name FROM …"),
            )
        case "42" if state == "42501":
            return SourceUnreachable(
                _("the account may not read it"), where=label, do=_("ask for GRANT SELECT (and USAGE on the schema)")
            )
        case "42" | "22" | "21" | "0A" if query:
            return ConfigurationError(
                _("the query does not run (SQLSTATE {state})").format(state=state),
                where=label,
                do=_("run it in psql, which shows what PostgreSQL says about it"),
            )
        case "25":
            return SqlRefused(_("the query does more than select"), where=label, do=_("write one SELECT"))
        case "57" if state == "57014":
            return SourceUnreachable(
                _("the server cancelled the query, or its time was up"),
                where=label,
                do=_("ingest again, or raise statement_timeout for this account"),
            )
        case "" | "08" | "40" | "53" | "57" | "58" | "55":
            return SourceUnreachable(
                _("the server ended the connection, or could not go on{state}").format(
                    state=f" (SQLSTATE {state})" if state else ""
                ),
                where=label,
                do=_("ingest again when the server answers"),
            )
        case _:
            return SourceBroken(
                _("PostgreSQL cannot read it (SQLSTATE {state})").format(state=state),
                where=label,
                do=_("read it in psql, which shows what PostgreSQL says about it"),
            )


def _state_in_stream(text: str) -> str:
    """The class of an error in the middle of a stream, of which the driver keeps the text alone."""
    if " ERROR:  invalid byte sequence for encoding" in text:
        return "22021"
    return "22000" if " ERROR: " in text and "canceling statement" not in text else ""


def held_back(label: str, running: int, wait_s: float) -> SourceUnreachable:
    """The error for transactions that stayed open: what they may still commit would be lost by reading on."""
    return SourceUnreachable(
        _("{running} transactions stayed open for {wait_s:g} s; rows they may still commit would be lost").format(
            running=running, wait_s=wait_s
        ),
        where=label,
        do=_("ingest again later, raise wait_s, or say how late rows may come with lag"),
    )
