r"""Grok: patterns made of named patterns, `%{IPORHOST:client} %{WORD:method}`, written out as one regular expression.

Rules:

1. `%{NAME}` is that pattern; `%{NAME:column}` makes a column of it; a type after that (`:int`) is for the contract to
   say, and ignored. `(?P<column>…)` and `(?<column>…)` make columns, too. A column's name may be any text.
2. Patterns of one's own come first, and may use the known ones. One that uses itself is refused, however far around.
3. Depth, and the length of what comes out, are bounded. What RE2 does not have (look-around, atomic groups,
   back-references) is refused when files are read.
4. A name within `[` and `]`, which would be one character of several, is refused: it could give no column.
5. A name that is given twice makes one column of the first group and one more, numbered, of each later.

The known patterns are named as Logstash names them, and mean what its documentation says, written anew for RE2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lastro.engine.pattern import groups
from lastro.engine.scan import LineColumn, Moments
from lastro.model.text import _
from lastro.source.logs.shape import Broken, Shape

DEPTH_MAX = 32
LENGTH_MAX = 64_000
COLUMNS_MAX = 500
_USE = re.compile(r"%\{([A-Za-z0-9_]+)(?::([^:}]+))?(?::([a-z]+))?\}")

_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"(?:{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE})"
_MONTHS = (
    "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?|"
    "Nov(?:ember)?|Dec(?:ember)?"
)
_LEVELS = (
    "trace|debug|notice|note|info(?:rmation)?|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|emerg(?:ency)?|alert"
    "|panic"
)

KNOWN: Mapping[str, str] = {
    "USERNAME": r"[a-zA-Z0-9._-]+",
    "USER": "%{USERNAME}",
    "EMAILLOCALPART": r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]+",
    "EMAILADDRESS": "%{EMAILLOCALPART}@%{HOSTNAME}",
    "INT": "[+-]?[0-9]+",
    "BASE10NUM": r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)",
    "NUMBER": "%{BASE10NUM}",
    "BASE16NUM": "[+-]?(?:0x)?[0-9A-Fa-f]+",
    "BASE16FLOAT": r"[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)",
    "POSINT": "[1-9][0-9]*",
    "NONNEGINT": "[0-9]+",
    "WORD": r"\b\w+\b",
    "NOTSPACE": r"\S+",
    "SPACE": r"\s*",
    "DATA": ".*?",
    "GREEDYDATA": ".*",
    "QUOTEDSTRING": r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`""",
    "QS": "%{QUOTEDSTRING}",
    "UUID": "[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}",
    "URN": r"urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:[0-9A-Za-z()+,.:=@;$_!*'/?#%-]+",
    "MAC": "%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC}",
    "CISCOMAC": r"(?:[A-Fa-f0-9]{4}\.){2}[A-Fa-f0-9]{4}",
    "WINDOWSMAC": "(?:[A-Fa-f0-9]{2}-){5}[A-Fa-f0-9]{2}",
    "COMMONMAC": "(?:[A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2}",
    "IPV6": (
        r"(?:[0-9A-Fa-f]{1,4}:){7}(?:[0-9A-Fa-f]{1,4}|:)|(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}"
        rf"|(?:[0-9A-Fa-f]{{1,4}}:){{0,6}}:?(?::?[0-9A-Fa-f]{{1,4}}:){{0,5}}{_IPV4}"
        r"|(?:[0-9A-Fa-f]{1,4}:){1,7}:|:(?::[0-9A-Fa-f]{1,4}){1,7}|::"
    ),
    "IPV4": _IPV4,
    "IP": "%{IPV6}|%{IPV4}",
    "HOSTNAME": r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,62})(?:\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*\.?",
    "IPORHOST": "%{IP}|%{HOSTNAME}",
    "HOSTPORT": "(?:%{IPORHOST}):%{POSINT}",
    "PATH": "%{UNIXPATH}|%{WINPATH}",
    "UNIXPATH": r"(?:/[\w_%!$@:.,+~-]*)+",
    "WINPATH": r"(?:[A-Za-z]+:|\\)(?:\\[^\\?*\s]*)+",
    "TTY": "/dev/(?:pts|tty(?:[pq])?)(?:/?\\w+)",
    "URIPROTO": r"[A-Za-z](?:[A-Za-z0-9+.-]+)+",
    "URIHOST": "(?:%{IPORHOST})(?::%{POSINT})?",
    "URIPATH": r"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+",
    "URIQUERY": r"[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*",
    "URIPARAM": r"\?%{URIQUERY}",
    "URIPATHPARAM": "%{URIPATH}(?:%{URIPARAM})?",
    "URI": r"%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATH}(?:%{URIPARAM})?)?",
    "MONTH": rf"\b(?:{_MONTHS})\b",
    "MONTHNUM": "0?[1-9]|1[0-2]",
    "MONTHNUM2": "0[1-9]|1[0-2]",
    "MONTHDAY": "(?:0[1-9])|(?:[12][0-9])|(?:3[01])|[1-9]",
    "DAY": "Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?",
    "YEAR": "[0-9]{4}|[0-9]{2}",
    "HOUR": "2[0123]|[01]?[0-9]",
    "MINUTE": "[0-5][0-9]",
    "SECOND": r"(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?",
    "TIME": "(?:%{HOUR}):(?:%{MINUTE})(?::(?:%{SECOND}))?",
    "DATE_US": "(?:%{MONTHNUM})[/-](?:%{MONTHDAY})[/-](?:%{YEAR})",
    "DATE_EU": "(?:%{MONTHDAY})[./-](?:%{MONTHNUM})[./-](?:%{YEAR})",
    "DATE": "%{DATE_US}|%{DATE_EU}",
    "DATESTAMP": "(?:%{DATE})[- ]%{TIME}",
    "ISO8601_TIMEZONE": "Z|[+-](?:%{HOUR})(?::?(?:%{MINUTE}))?",
    "ISO8601_SECOND": "%{SECOND}",
    "ISO8601_HOUR": "2[0123]|[01][0-9]",
    "TIMESTAMP_ISO8601": (
        "(?:%{YEAR})-(?:%{MONTHNUM})-(?:%{MONTHDAY})[T ](?:%{HOUR}):?(?:%{MINUTE})(?::?(?:%{SECOND}))?"
        "(?:%{ISO8601_TIMEZONE})?"
    ),
    "TZ": "[APMCE][SD]T|UTC|GMT",
    "DATESTAMP_RFC822": "(?:%{DAY}) %{MONTH} (?:%{MONTHDAY}) (?:%{YEAR}) %{TIME} (?:%{TZ})",
    "DATESTAMP_RFC2822": "(?:%{DAY}), (?:%{MONTHDAY}) %{MONTH} (?:%{YEAR}) %{TIME} (?:%{ISO8601_TIMEZONE})",
    "DATESTAMP_OTHER": "(?:%{DAY}) %{MONTH} (?:%{MONTHDAY}) %{TIME} (?:%{TZ}) (?:%{YEAR})",
    "DATESTAMP_EVENTLOG": "(?:%{YEAR})(?:%{MONTHNUM2})(?:%{MONTHDAY})(?:%{HOUR})(?:%{MINUTE})(?:%{SECOND})",
    "HTTPDATE": "(?:%{MONTHDAY})/%{MONTH}/(?:%{YEAR}):%{TIME} %{INT}",
    "HTTPDERROR_DATE": "(?:%{DAY}) %{MONTH} (?:%{MONTHDAY}) %{TIME} (?:%{YEAR})",
    "SYSLOGTIMESTAMP": "%{MONTH} +(?:%{MONTHDAY}) %{TIME}",
    "PROG": r"[\x21-\x5a\x5c\x5e-\x7e]+",
    "SYSLOGPROG": r"%{PROG:process}(?:\[%{POSINT:pid}\])?",
    "SYSLOGHOST": "%{IPORHOST}",
    "SYSLOGFACILITY": "<%{NONNEGINT:facility}.%{NONNEGINT:priority}>",
    "SYSLOGBASE": ("%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:host} %{SYSLOGPROG}:"),
    "LOGLEVEL": rf"(?i:{_LEVELS})",
    "JAVACLASS": r"(?:[a-zA-Z$_][a-zA-Z$_0-9]*\.)*[a-zA-Z$_][a-zA-Z$_0-9]*",
    "JAVAFILE": r"[a-zA-Z$_0-9. -]+",
    "JAVAMETHOD": "<(?:cl)?init>|[a-zA-Z$_][a-zA-Z$_0-9]*",
    "JAVALOGMESSAGE": ".*",
    "COMMONAPACHELOG": (
        r"%{IPORHOST:client} %{NOTSPACE:ident} %{NOTSPACE:auth} \[%{HTTPDATE:timestamp}\] "
        r'"(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" '
        "(?:-|%{NUMBER:response}) (?:-|%{NUMBER:bytes})"
    ),
    "COMBINEDAPACHELOG": "%{COMMONAPACHELOG} %{QS:referrer} %{QS:agent}",
    "HTTPD_COMMONLOG": "%{COMMONAPACHELOG}",
    "HTTPD_COMBINEDLOG": "%{COMBINEDAPACHELOG}",
    "HTTPD20_ERRORLOG": (
        r"\[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:loglevel}\] (?:\[client %{IPORHOST:client}\] )?"
        "%{GREEDYDATA:message}"
    ),
}
"""The patterns that can be used by name."""

_MOMENTS = {"HTTPDATE": "%d/%b/%Y:%H:%M:%S %z"}
_DATED = ("SYSLOGTIMESTAMP",)


def grok(text: str, own: Mapping[str, str]) -> Shape:
    """The pattern that a grok expression stands for. Raises `Broken`."""
    expander = _Expander(own)
    pattern = expander.expand(text, ())
    columns: list[LineColumn] = []
    moments: list[Moments] = []
    taken: set[str] = set()
    named = groups(pattern)
    if sum(name is not None for name in named) > COLUMNS_MAX:
        raise Broken(_("the expression names more than {n} columns").format(n=COLUMNS_MAX), _("name fewer"))
    for number, group in enumerate(named, start=1):
        written, kind = expander.columns.get(group or "", (group, ""))
        if written is None:
            continue
        name = next(
            each for each in (written, *(f"{written}_{n}" for n in range(2, COLUMNS_MAX + 2))) if each not in taken
        )
        taken.add(name)
        columns.append(LineColumn(name, number, "dated" if kind in _DATED else "text"))
        if kind in _MOMENTS:
            moments.append(Moments(name, _MOMENTS[kind]))
    if lost := next((name for group, (name, _kind) in expander.columns.items() if group not in named), None):
        raise Broken(
            _("{name} stands between [ and ], which means one character of several").format(name=lost[:60]),
            _("write brackets that are part of the line as \\[ and \\]"),
        )
    if not columns:
        raise Broken(_("the expression names no column"), _("name what it finds: %{IPORHOST:client}"))
    return Shape(pattern, tuple(columns), tuple(moments))


class _Expander:
    """Writes patterns out; `columns` says for each group that it names what its column is called, and its pattern."""

    def __init__(self, own: Mapping[str, str]) -> None:
        self._patterns = {**KNOWN, **own}
        self.columns: dict[str, tuple[str, str]] = {}

    def expand(self, text: str, within: tuple[str, ...]) -> str:
        pieces: list[str] = []
        at = size = 0
        for found in _USE.finditer(text):
            pieces += [text[at : found.start()], self._used(found[1], found[2], within)]
            at = found.end()
            size += len(pieces[-1]) + len(pieces[-2])
            if size > LENGTH_MAX:
                raise Broken(_("the expression is too long when it is written out"), _("take it apart"))
        return "".join(pieces) + text[at:]

    def _used(self, name: str, column: str | None, within: tuple[str, ...]) -> str:
        if name in within or len(within) >= DEPTH_MAX:
            raise Broken(
                _("the pattern {name} uses itself").format(name=name), _("write it out where it is used by another")
            )
        if name not in self._patterns:
            raise Broken(
                _("there is no pattern {name}").format(name=name[:60]),
                _("define it: patterns: {{{name}: …}}").format(name=name[:60]),
            )
        inner = self.expand(self._patterns[name], (*within, name))
        if column is None:
            return f"(?:{inner})"
        group = f"lastro_{len(self.columns)}"
        self.columns[group] = (column, name)
        return f"(?P<{group}>{inner})"
