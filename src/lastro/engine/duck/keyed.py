"""Keys and values: how lines of pairs become columns in DuckDB, as SQL text.

Rules:

1. A line is made of pairs alone, else it is malformed: `key=value key="quoted value"`, with blanks or another separator
   between them. A key has no blanks, quotes or separators; a bare value ends where the next separator begins.
2. Of equal keys the first counts. An empty value is missing, and so is `""`.
3. In quotes, escapes are JSON's. A text that is none for JSON keeps them, save those of quotes and backslashes.
4. A field `REST` and the names of members are as with JSON objects (`relations`).
"""

from __future__ import annotations

from collections.abc import Sequence

from lastro.engine.duck.connection import name, text, texts
from lastro.engine.duck.lines import BROKEN
from lastro.engine.duck.relations import LINE
from lastro.engine.protocol import OFFSET, REST, UNREAD
from lastro.engine.scan import Pairs


def columns(source: str, pairs: Pairs, line: str, fields: Sequence[str]) -> str:
    """The fields of each record in `source` (of `lines.SCHEMA`), then `LINE` where there are none, `UNREAD`, `OFFSET`.

    `line` is the record's text, as an expression.
    """
    asks, fields = REST in fields, [field for field in fields if field != REST]
    one, whole = _patterns(pairs)
    sound = f"NOT {name(BROKEN)} AND regexp_full_match({line}, {text(whole)}, 's')"
    found = f"CASE WHEN {sound} THEN regexp_extract_all({line}, {text(one)}) END AS pairs"
    key = f"split_part(pair, {text(pairs.within)}, 1)"
    raw = ", ".join(
        f"trim(substr(pairs[list_position(keys, {text(field)})], {len(field) + len(pairs.within) + 1})) AS v{number}"
        for number, field in enumerate(fields)
    )
    values = [f"{_value(f'v{number}')} AS {name(field)}" for number, field in enumerate(fields)]
    others = f"list_filter(keys, lambda key: NOT list_contains({texts(fields)}::VARCHAR[], key))"
    unread = f"keys IS NOT NULL AND NOT list_has_all({texts(fields)}::VARCHAR[], keys)"
    values += [f"CASE WHEN {unread} AND {_held(pairs, fields)} THEN {written(line, pairs)} END AS {name(REST)}"] * asks
    values += [
        f"CASE WHEN {unread} THEN CAST(to_json({others}) AS VARCHAR) END AS {name(UNREAD)}",
        f"CASE WHEN pairs IS NULL THEN {line} END AS {name(LINE)}",
        name(OFFSET),
    ]
    keyed = f"SELECT *, list_transform(pairs, lambda pair: {key}) AS keys FROM (SELECT *, {found} FROM ({source}))"
    return f"SELECT {', '.join(values)} FROM (SELECT *{raw and ', ' + raw} FROM ({keyed}))"


def written(line: str, pairs: Pairs) -> str:
    """A line of pairs as the text of a JSON object; NULL where it is something else."""
    one, whole = _patterns(pairs)
    value = f"trim(substr(pair, strpos(pair, {text(pairs.within)}) + {len(pairs.within)}))"
    member = f"to_json(split_part(pair, {text(pairs.within)}, 1)) || ':' || coalesce(to_json({_value(value)}), 'null')"
    listed = f"list_transform(regexp_extract_all({line}, {text(one)}), lambda pair: {member})"
    return (
        f"CASE WHEN regexp_full_match({line}, {text(whole)}, 's') "
        f"THEN '{{' || array_to_string({listed}, ',') || '}}' END"
    )


def _patterns(pairs: Pairs) -> tuple[str, str]:
    """One pair, and a whole line of them."""
    within, stop = _quoted(pairs.within), r"\s" if pairs.between == " " else _quoted(pairs.between[0])
    gap = r"\s+" if pairs.between == " " else rf"\s*{_quoted(pairs.between)}\s*"
    key = rf'[^\s"{_quoted(pairs.within[0])}{stop}]+'
    value = rf'"(?:[^"\\]|\\.)*"|[^"{stop}][^{stop}]*'
    one = rf"{key}{within}(?:{value})?"
    return one, rf"\s*{one}(?:{gap}{one})*(?:{gap}|\s*)"


def _value(raw: str) -> str:
    inner = f"substr({raw}, 2, length({raw}) - 2)"
    return (
        f"CASE WHEN {raw} IN ('', '\"\"') THEN NULL WHEN NOT starts_with({raw}, '\"') THEN {raw} "
        f"WHEN NOT contains({raw}, '\\') THEN {inner} WHEN json_valid({raw}) THEN json_extract_string({raw}, '$') "
        f"ELSE {unescaped(inner)} END"
    )


def _held(pairs: Pairs, fields: Sequence[str]) -> str:
    """Whether a pair that is not asked for has a value."""
    key, within = f"split_part(pair, {text(pairs.within)}, 1)", text(pairs.within)
    value = f"trim(substr(pair, strpos(pair, {within}) + {len(pairs.within)}))"
    other = f"NOT list_contains({texts(fields)}::VARCHAR[], {key}) AND {value} NOT IN ('', '\"\"')"
    return f"len(list_filter(pairs, lambda pair: {other})) > 0"


def unescaped(value: str) -> str:
    """A text in which backslashes stand before quotes, brackets and backslashes, without them."""
    return rf"regexp_replace({value}, '\\([\"\\\]])', '\1', 'g')"


def _quoted(literal: str) -> str:
    """The text as a regular expression, in and out of a class."""
    return "".join(char if char.isalnum() or char == " " or not char.isascii() else "\\" + char for char in literal)
