"""Formats of logs: from a person's options to how the engine takes lines apart.

Rules:

1. Patterns are RE2's, which runs in linear time whatever a line holds; here they are only put together, never run.
2. A pattern of one's own is looked for anywhere in a line, unless it says `^` and `$`; one that finds no text in a line
   has not matched it.
3. A column's name may be any text, but no two may differ in capitals alone.
4. A time without a year is dated when the line is read, where its format tells that it has none (`%b %d %H:%M:%S`), or
   the kind of the log does.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from lastro.engine.pattern import groups
from lastro.engine.scan import Joining, LineColumn, Lines, Moments, Pairs
from lastro.engine.sql import clockform
from lastro.model.errors import SqlRefused
from lastro.model.text import _
from lastro.source.logs import access, syslog
from lastro.source.logs.grok import grok
from lastro.source.logs.options import DelimitedOptions, LineFormat, LogsOptions, MultilineOptions
from lastro.source.logs.shape import Broken, Shape
from lastro.source.options import wrong_option

_UTF8 = ("utf-8", "utf-8-sig", "ascii")
_ASCII = bytes(range(128))
_ACCESS_MOMENT = (Moments("time", access.CLF_TIME),)
_NAMED: Mapping[str, Lines] = {
    "common": Lines(access.PATTERNS["common"], usual="common", moments=_ACCESS_MOMENT),
    "combined": Lines(access.PATTERNS["combined"], usual="combined", moments=_ACCESS_MOMENT),
    "json": Lines(objects=True),
    "logfmt": Lines(pairs=Pairs()),
    "rfc3164": syslog.RFC3164.lines(),
    "rfc5424": syslog.RFC5424.lines(),
}


def lines_of(given: LogsOptions) -> Lines:
    """How the engine is to take the lines apart. Raises `ConfigurationError`."""
    try:
        lines = _NAMED[given.format] if isinstance(given.format, str) else _own(given.format)
        lines = replace(lines, joining=_joining(given.multiline), year=given.year, encoding=_encoding(given.encoding))
        return _with_moments(lines, given)
    except Broken as broken:
        raise wrong_option(given.kind, broken.what, do=broken.do) from None


def _own(form: LineFormat) -> Lines:
    told = [
        name for name in ("pattern", "nginx", "apache", "grok", "pairs", "delimited") if getattr(form, name) is not None
    ]
    if len(told) != 1 or (form.patterns is not None and form.grok is None):
        raise Broken(
            _("format: one of pattern, nginx, apache, grok (with patterns), pairs and delimited"),
            _("write, for example, format: {grok: '%{IPORHOST:client} %{GREEDYDATA:message}'}"),
        )
    if form.pairs is not None:
        return Lines(pairs=_pairs(form.pairs.between, form.pairs.within))
    return _distinct(_shape(form)).lines()


def _shape(form: LineFormat) -> Shape:
    if form.nginx is not None:
        return access.nginx(form.nginx)
    if form.apache is not None:
        return access.apache(form.apache)
    if form.grok is not None:
        return grok(form.grok, form.patterns or {})
    if form.delimited is not None:
        return delimited(form.delimited)
    return _pattern(form.pattern or "")


def _pattern(pattern: str) -> Shape:
    found = enumerate(groups(pattern), start=1)
    columns = tuple(LineColumn(name, number) for number, name in found if name is not None)
    if not columns:
        raise Broken(
            _("pattern: a regular expression with named groups, each name once"),
            _("write a group for each column: (?P<host>[^ ]+)"),
        )
    return Shape(pattern, columns)


def _distinct(shape: Shape) -> Shape:
    seen: set[str] = set()
    for column in shape.columns:
        if column.name.casefold() in seen:
            raise Broken(
                _("the column {name} is there twice (capitals do not count)").format(name=column.name[:60]),
                _("write a group for each column: (?P<host>[^ ]+)"),
            )
        seen.add(column.name.casefold())
    return shape


def _pairs(between: str, within: str) -> Pairs:
    wrong = set(between + within) & set('"\\\r\n') or between == within or within.isspace() or within.isalnum()
    if wrong or (between.isspace() and between != " ") or between.isalnum():
        raise Broken(
            _("pairs: between and within are one to three characters, no letters, quotes or backslashes"),
            _("write, for example, pairs: {between: '; ', within: ':'}"),
        )
    return Pairs(between, within)


def delimited(given: DelimitedOptions) -> Shape:
    """Values with a delimiter between them; in quotes they may hold it, and quotes written twice."""
    if set(given.delimiter) & set("\r\n\\") or '"' in given.delimiter:
        raise Broken(
            _("delimited: the delimiter is one to three characters, no quotes or backslashes"),
            _("write, for example, delimited: {delimiter: ';', columns: [a, b]}"),
        )
    delimiter = access.quoted(given.delimiter)
    quote = given.quote
    bare = rf"[^{quote}{access.quoted(given.delimiter[0])}][^{access.quoted(given.delimiter[0])}]*"
    value = rf"{quote}(?:[^{quote}]|{quote}{quote})*{quote}|{bare}" if quote else bare
    missing = "".join(f"{access.quoted(text)}|" for text in given.missing)
    pattern = delimiter.join([rf"(?:{missing}({value})?)"] * len(given.columns))
    columns = tuple(
        LineColumn(name, number, "quoted" if quote else "text") for number, name in enumerate(given.columns, start=1)
    )
    return Shape(f"^{pattern}$", columns)


def _joining(given: MultilineOptions | None) -> Joining | None:
    if given is None:
        return None
    if (given.start is None) == (given.continues is None):
        raise Broken(_("multiline: either start or continues"), _("write, for example, multiline: {start: '^[0-9]'}"))
    return Joining(given.start or given.continues or "", given.start is not None, given.bytes_max)


def _encoding(name: str) -> str:
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        found = ""
    if found not in _UTF8 and not (found and _is_single(found)):
        raise Broken(
            _("encoding: UTF-8, or one in which each character is one byte"), _("write utf-8, latin-1 or cp1252")
        )
    return "utf-8" if found in _UTF8 else found


def _is_single(encoding: str) -> bool:
    """True if every character of the encoding is one byte, and ASCII's are where they always are."""
    try:
        plain = _ASCII.decode(encoding) == _ASCII.decode("ascii")
        pairs = (bytes([first, second]) for first in range(128, 256) for second in range(256))
        return plain and all(len(pair.decode(encoding, "replace")) == 2 for pair in pairs)
    except (LookupError, ValueError, TypeError):
        return False


def _with_moments(lines: Lines, given: LogsOptions) -> Lines:
    """The lines with how their columns write moments: as the options say, else as the format does."""
    if given.zone is not None:
        try:
            ZoneInfo(given.zone)
        except (KeyError, ValueError, OSError):
            raise Broken(
                _("zone: there is no time zone of that name"), _("write it as America/Sao_Paulo, or UTC")
            ) from None
    told = {moment.column: moment for moment in lines.moments}
    columns = list(lines.columns)
    for name, form in (given.times or {}).items():
        told.pop(name, None)
        if "%" in form and "%Y" not in form:
            columns = [replace(each, how="dated") if each.name == name else each for each in columns]
        elif form != "iso8601":
            told[name] = Moments(name, _checked(name, form))
    return replace(lines, columns=tuple(columns), moments=tuple(told.values()), zone=given.zone)


def _checked(column: str, form: str) -> str:
    if form not in clockform.WORDS:
        try:
            clockform.read(form, where=column)
        except SqlRefused as refused:
            raise Broken(f"times.{column}: {refused.what}", refused.do) from None
    return form
