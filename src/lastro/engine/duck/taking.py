"""Taking lines apart: how the records of `lines` become columns in DuckDB, as SQL text.

Rules:

1. One run of the pattern a line. A match of no text is no match. With joined lines `.` takes line feeds, too.
2. A group that took no text is missing.
3. Keys and values are taken by `keyed`, JSON objects as those of any file.
4. A broken or unmatched line goes on as it is, in the column `LINE`; every record with its place (`OFFSET`).
5. A moment without a year gets that of the file's last change, or the one before if it would lie more than a day
   beyond it.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from lastro.engine.duck import access, keyed
from lastro.engine.duck.connection import name, text, texts
from lastro.engine.duck.keyed import unescaped, written
from lastro.engine.duck.lines import BROKEN
from lastro.engine.duck.relations import LINE, objects
from lastro.engine.pattern import groups, unnamed
from lastro.engine.protocol import OFFSET
from lastro.engine.scan import LineColumn, Lines

RAW_LINE = "_lastro_raw_line"
_WHOLE = "whole"
FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
"""RFC 5424, table 1, by the names that syslog daemons use."""
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""RFC 5424, table 2, likewise."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def columns(kind: Lines) -> tuple[LineColumn, ...]:
    """The columns that groups become: those given, else one for each named group."""
    if kind.columns:
        return kind.columns
    found = enumerate(groups(kind.pattern), start=1)
    return tuple(LineColumn(group, number) for number, group in found if group is not None)


def relation(source: str, kind: Lines, fields: Sequence[str], changed: datetime) -> str:
    """The fields of each record in `source` (of `lines.SCHEMA`), then `LINE` where there are none, then `OFFSET`.

    `changed` is when the file was last written to.
    """
    if kind.pairs is not None:
        return keyed.columns(source, kind.pairs, _line(kind), fields)
    if kind.objects:
        return objects(members(source, kind), fields, raw=RAW_LINE, beside=(OFFSET,))
    made = {column.name: column for column in columns(kind)}
    line = _line(kind)
    names = texts([_WHOLE, *(f"g{number}" for number in range(1, len(groups(kind.pattern)) + 1))])
    pattern = ("(?s)" if kind.joining else "") + f"({unnamed(kind.pattern)})"
    found = f"regexp_extract({line}, {text(pattern)}, {names})"
    values = {field: _value(made[field], kind.year, changed) for field in fields}
    unmatched, beside = "whole IS NULL", ""
    if kind.usual and kind.joining is None:
        source, beside = access.cut(source, kind.usual), f", {access.PARTS}"
        found, unmatched = f"CASE WHEN NOT {access.CUT} THEN {found} END", f"NOT {access.CUT} AND {unmatched}"
        cases = {
            field: f"CASE WHEN {access.CUT} THEN {access.VALUES[field]} ELSE {values[field]} END" for field in fields
        }
        values = cases
    listed = ", ".join(f"{value} AS {name(field)}" for field, value in values.items())
    return (
        f"SELECT {listed}, CASE WHEN {unmatched} THEN {name(LINE)} END AS {name(LINE)}, {name(OFFSET)} "
        f"FROM (SELECT CASE WHEN NOT {name(BROKEN)} THEN nullif(found.whole, '') END AS whole, * "
        f"FROM (SELECT {found} AS found, {line} AS {name(LINE)}, {name(OFFSET)}, {name(BROKEN)}{beside} "
        f"FROM ({source})))"
    )


def _line(kind: Lines) -> str:
    return name(LINE) if kind.joining is None else f"rtrim({name(LINE)}, E'\\n')"


def members(source: str, kind: Lines) -> str:
    """The records of `source`: `LINE` is to be read as a JSON object, `RAW_LINE` is what it was before."""
    line = _line(kind)
    made = line if kind.pairs is None else written(line, kind.pairs)
    sound = f"CASE WHEN NOT {name(BROKEN)} THEN {made} END"
    return f"SELECT {sound} AS {name(LINE)}, {line} AS {name(RAW_LINE)}, {name(OFFSET)} FROM ({source})"


def _value(column: LineColumn, year: int | None, changed: datetime) -> str:
    group = f"CASE WHEN whole IS NOT NULL THEN nullif(found.g{column.group}, '') END"
    match column.how:
        case "text":
            return group
        case "facility":
            return f"{texts(FACILITIES)}[TRY_CAST({group} AS INTEGER) // 8 + 1]"
        case "severity":
            return f"{texts(SEVERITIES)}[TRY_CAST({group} AS INTEGER) % 8 + 1]"
        case "quoted":
            bare = f"nullif(replace(substr({group}, 2, length({group}) - 2), '\"\"', '\"'), '')"
            return f"CASE WHEN starts_with({group}, '\"') THEN {bare} ELSE {group} END"
        case "structured":
            return _structured(group)
        case "dated":
            return _dated(group, year, changed)


_ELEMENT = r'\[([^ \]="]+)((?: +[^ \]="]+="(?:[^"\\\]]|\\.)*")*) *\]'
_PARAMETER = r'([^ \]="]+)="((?:[^"\\\]]|\\.)*)"'


def _structured(group: str) -> str:
    """`[id name="value"]…` as `{"id": {"name": "value"}, …}`; the text itself where it is written otherwise."""
    parameters = ", ".join(f"regexp_extract_all(element[2], {text(_PARAMETER)}, {number})" for number in (1, 2))
    member = f"to_json(member[1]) || ':' || to_json({unescaped('member[2]')})"
    inner = f"array_to_string(list_transform(list_zip({parameters}), lambda member: {member}), ',')"
    elements = ", ".join(f"regexp_extract_all({group}, {text(_ELEMENT)}, {number})" for number in (1, 2))
    element = f"to_json(element[1]) || ':{{' || {inner} || '}}'"
    made = f"array_to_string(list_transform(list_zip({elements}), lambda element: {element}), ',')"
    whole = text(f"(?:{_ELEMENT})+")
    return f"CASE WHEN regexp_full_match({group}, {whole}) THEN '{{' || {made} || '}}' ELSE {group} END"


_UNDATED = r"^(?:([A-Za-z]{3})[a-z]*|([0-9]{1,2})[-/.]) *([0-9]{1,2})[ T]+([0-9].*)$"


def _dated(group: str, year: int | None, changed: datetime) -> str:
    """`Jan 31 13:55:36` or `01-31 13:55:36` as `2026-01-31T13:55:36`; the text itself where it is written otherwise."""
    last = changed.astimezone(UTC) + timedelta(days=1) if year is None else datetime(year, 12, 31, tzinfo=UTC)
    months = f"coalesce(list_position({texts(_MONTHS)}, part.word), TRY_CAST(part.month AS INTEGER))"
    day = "TRY_CAST(part.day AS INTEGER)"
    leap = next(each for each in range(last.year, 0, -1) if isleap(each) and (each, 2, 29) <= last.timetuple()[:3])
    leap = last.year if year else leap
    which = (
        f"CASE WHEN {months} = 2 AND {day} = 29 THEN {leap} "
        f"WHEN {months} * 100 + {day} > {last.month * 100 + last.day} THEN {last.year - 1} ELSE {last.year} END"
    )
    written = f"format('{{:04d}}-{{:02d}}-{{:02d}}T{{}}', {which}, {months}, {day}, part.clock)"
    parts = f"regexp_extract({group}, {text(_UNDATED)}, ['word', 'month', 'day', 'clock'])"
    return (
        f"list_transform([{parts}], lambda part: CASE WHEN {months} IS NOT NULL AND {day} IS NOT NULL "
        f"THEN {written} ELSE {group} END)[1]"
    )
