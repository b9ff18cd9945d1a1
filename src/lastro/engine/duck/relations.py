"""How each format becomes a relation of raw columns in DuckDB, as SQL text.

Rules:

1. Text formats arrive as text, whole and uninterpreted; the plan's casts decide what they mean.
2. Nothing is sniffed here: dialect and columns are given.
3. Records that cannot be taken apart are set aside by the reader (`reject_errors`) or marked by `MALFORMED`.
4. JSON objects say which members they have besides those asked for (`UNREAD`), and give the record itself for `REST`.
5. JSON: one parse for all fields. Numbers keep their text up to what a double or a 64-bit integer holds exactly;
   larger ones keep it too. An object in which a key occurs twice has no one meaning: it is none, as with an API.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lastro.engine.duck.connection import name, text, texts
from lastro.engine.duck.limits import MIB, Limits
from lastro.engine.protocol import REST, UNREAD
from lastro.engine.scan import Csv

LINE = "_lastro_line"
"""The raw line of a text format (a blank one is an empty text); NULL where the fields could be taken."""
REJECTS_MAX = 1_000_000
"""Unreadable values in one file beyond which it is not the file it claims to be."""
_DISTINCT = (
    "CASE WHEN keys IS NULL THEN TRUE "
    "WHEN len(keys) <= 24 THEN len(list_filter(keys, lambda key, nth: list_position(keys, key) <> nth)) = 0 "
    "ELSE list_unique(keys) = len(keys) END"
)
"""Whether no key occurs twice. Few keys are compared with each other, ten times as fast as by a set of them."""
NEVER = "\x1a\x00lastro: no text is this one\x00\x1a"
"""Stands where DuckDB insists on a text that means NULL, and there is none."""


def csv(path: Path | str, dialect: Csv, columns: Sequence[str], limits: Limits) -> str:
    """A relation over one delimited file."""
    options = _reader_options(limits) | {
        "columns": "{" + ", ".join(f"{text(column)}: 'VARCHAR'" for column in columns) + "}",
        "delim": text(dialect.delimiter),
        "quote": text(dialect.quote),
        "escape": text(dialect.escape if dialect.quote else ""),
        "header": "true" if dialect.header else "false",
        "nullstr": texts(dialect.null_texts or (NEVER,)),
        "skip": str(dialect.skip),
    }
    return f"SELECT * FROM {_read_csv(path, options)}"


def lines(path: Path | str, limits: Limits) -> str:
    """A relation with the file's lines in one column named `LINE`; blank lines are NULL."""
    options = _reader_options(limits) | {
        "columns": f"{{{text(LINE)}: 'VARCHAR'}}",
        "delim": "''",
        "quote": "''",
        "escape": "''",
        "header": "false",
        "nullstr": texts(("",)),
    }
    return f"SELECT * FROM {_read_csv(path, options)}"


def objects(source: str, fields: Sequence[str], *, raw: str = LINE, beside: Sequence[str] = ()) -> str:
    """A relation with the fields of the JSON objects in `source`'s column `LINE`, then `LINE` where there is none.

    Then, where an object has other members, `UNREAD` with their names. A field `REST` is then the object itself. The
    column `raw` holds what a record was before it was an object; columns `beside` are handed through.
    """
    asks, fields = REST in fields, [field for field in fields if field != REST]
    pointers = texts([_pointer(field) for field in fields])
    found = (
        f"CASE WHEN starts_with(ltrim({name(LINE)}, E' \\t\\r'), '{{') AND {_DISTINCT} "
        f"THEN TRY(json_extract_string({name(LINE)}, {pointers})) END"
    )
    others = f"found IS NOT NULL AND NOT list_has_all({texts(fields)}::VARCHAR[], keys)"
    names = f"list_filter(keys, lambda key: NOT list_contains({texts(fields)}::VARCHAR[], key))"
    values = [f"found[{index}] AS {name(field)}" for index, field in enumerate(fields, 1)]
    pointer = "'/' || replace(replace(key, '~', '~0'), '/', '~1')"
    held = f"list_filter({names}, lambda key: json_extract_string({name(LINE)}, {pointer}) IS NOT NULL)"
    values += [f"CASE WHEN {others} AND len({held}) > 0 THEN {name(LINE)} END AS {name(REST)}"] if asks else []
    values += [f"CASE WHEN {others} THEN CAST(to_json({names}) AS VARCHAR) END AS {name(UNREAD)}"]
    keys = f"TRY(json_keys({name(LINE)})) AS keys"
    line = f"CASE WHEN found IS NULL THEN coalesce({name(raw)}, '') END AS {name(LINE)}"
    handed = "".join(f", {name(column)}" for column in beside)
    keyed = f"SELECT *, {found} AS found FROM (SELECT *, {keys} FROM ({source}))"
    return f"SELECT {', '.join(values)}, {line}{handed} FROM ({keyed})"


def parquet(path: Path | str, *, as_text: Sequence[str] = ()) -> str:
    """A relation over one Parquet file, its columns as they are, save those that are read `as_text`."""
    casts = ", ".join(f"CAST({name(column)} AS VARCHAR) AS {name(column)}" for column in as_text)
    return f"SELECT *{f' REPLACE ({casts})' if casts else ''} FROM read_parquet({text(path)})"


def _pointer(field: str) -> str:
    """RFC 6901."""
    return "/" + field.replace("~", "~0").replace("/", "~1")


def _reader_options(limits: Limits) -> dict[str, str]:
    line_bytes_max = limits.cell_bytes_max + MIB
    return {
        "auto_detect": "false",
        "strict_mode": "true",
        "store_rejects": "true",
        "rejects_limit": str(REJECTS_MAX),
        "max_line_size": str(line_bytes_max),
        "buffer_size": str(max(32 * MIB, 2 * line_bytes_max)),
    }


def _read_csv(path: Path | str, options: dict[str, str]) -> str:
    return f"read_csv({text(path)}, {', '.join(f'{key} = {value}' for key, value in options.items())})"
