"""What MySQL's errors mean for a person, told by their numbers.

The server's own messages quote queries and cells, so none is repeated.
"""

from __future__ import annotations

from lastro.model.errors import ConfigurationError, LastroError, SourceBroken, SourceUnreachable, SqlRefused
from lastro.model.text import _

_DENIED = {1044, 1045, 1698, 1251, 1275}
_FORBIDDEN = {1142, 1143, 1227, 1370, 1356}
_WRITING = {1792, 1290, 1836}
_GONE = {2002, 2003, 2005, 2006, 2012, 2013, 2014, 2026, 2055, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 4031}
_BUSY = {1040, 1203, 1226, 1205, 1213, 1317, 1969, 3024, 1412, 1021, 1028, 1037, 1038, 1041, 1129, 1927}
_WORDING = {1054, 1064, 1146, 1149, 1305, 1052, 1060, 1055, 1056, 1140, 1247, 1248, 1241, 1222, 1235, 1267, 1109, 1111}
_VALUES = {1365, 1292, 1690, 1366, 1411, 1264, 1242, 1582, 1583, 4078}


def number_of(error: Exception) -> int:
    """MySQL's number for an error; 0 if it has none."""
    first = error.args[0] if error.args else 0
    return first if isinstance(first, int) else 0


def unreachable(error: Exception, host: str) -> LastroError:
    """The error for a connection that was not made. It names the server, no account and no secret."""
    number = number_of(error)
    if number in _DENIED:
        what, do = _("the server refused the account"), _("check account and password, and the hosts it may come from")
    elif number == 1049:
        what, do = _("the server has no such database"), _("check the database's name in the URL")
    elif number == 2026:
        what, do = (
            _("the connection could not be encrypted as asked"),
            _("check tls and tls_ca, and that the server offers TLS"),
        )
    else:
        what, do = (
            _("no connection to MySQL{number}").format(number=_shown(number)),
            _("check host and port, and that the server runs"),
        )
    return SourceUnreachable(what, where=host, do=do)


def explained(error: Exception, label: str, *, query: bool) -> LastroError:
    """Our error for the driver's. `query` says that a person's query ran."""
    number = number_of(error)
    if number in _FORBIDDEN or number in _DENIED:
        return SourceUnreachable(_("the account may not read it"), where=label, do=_("ask for GRANT SELECT"))
    if number in _WRITING:
        return SqlRefused(_("the query does more than select"), where=label, do=_("write one SELECT"))
    if number in _GONE or number in _BUSY or number == 0:
        return SourceUnreachable(
            _("the server ended the connection, or could not go on{number}").format(number=_shown(number)),
            where=label,
            do=_("ingest again when the server answers"),
        )
    if query and (number in _WORDING or number in _VALUES):
        return ConfigurationError(
            _("the query does not run{number}").format(number=_shown(number)),
            where=label,
            do=_("run it in the mysql client, which shows what the server says about it"),
        )
    return SourceBroken(  # among others 1146, a table that is not there
        _("MySQL cannot read it{number}").format(number=_shown(number)),
        where=label,
        do=_("read it in the mysql client, which shows what the server says about it"),
    )


def _shown(number: int) -> str:
    return _(" (error {number})").format(number=number) if number else ""
