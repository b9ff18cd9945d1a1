"""The SELECT that makes a row of each element of a list, as a person would write it and may go on from.

Rules:

1. A list that is NULL or empty gives no row; an element that is NULL gives a row whose members are NULL.
2. Positions count from 1, as everywhere in SQL.
3. Names stand in double quotes unless they are plain words that neither DuckDB nor sqlglot reads as anything else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot.dialects.duckdb import DuckDB

from lastro.engine.sql.dialect import quoted

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
_RESERVED = (
    "ANALYSE ASYMMETRIC AT AUTHORIZATION BOTH BY CAST CHECK COLLATION CONCURRENTLY DEFERRABLE DO FOREIGN FREEZE GROUP"
    " INITIALLY LAMBDA LEADING ORDER PIVOT_LONGER PLACING PRIMARY SIMILAR SYMMETRIC TO TRAILING UNPACK VARIADIC VERBOSE"
)
"""Words of DuckDB that sqlglot's tokenizer does not know."""


def elements(
    table: str,
    path: Sequence[str],
    *,
    keys: Sequence[tuple[str, str]],
    position: str,
    members: Sequence[tuple[Sequence[str], str]],
) -> str:
    """One SELECT over a table: its `keys`, the element's `position`, and its `members` by their paths within it.

    Keys and members come with the names they shall have; an empty path is the element itself.
    """
    element = "element"
    while element in {name.casefold() for name in (*(name for _, name in keys), position)}:
        element += "_"
    found = _path(["parent", *path])
    taken = [_as(_path(["parent", source]), name) for source, name in keys]
    outer = [word(name) for _, name in keys] + [word(position)]
    outer += [_as(_path([element, *place]), name) for place, name in members]
    inner = [*taken, _as(f"generate_subscripts({found}, 1)", position), f"unnest({found}) AS {element}"]
    return (
        f"SELECT\n  {_listed(outer, 2)}\nFROM (\n  SELECT\n    {_listed(inner, 4)}\n  FROM {word(table)} AS parent\n)\n"
    )


def word(name: str) -> str:
    """The name as it may stand in SQL (rule 3)."""
    upper = name.upper()
    is_plain = _PLAIN.fullmatch(name) and upper not in {*_RESERVED.split(), *DuckDB.Tokenizer.KEYWORDS}
    return name if is_plain else quoted(name)


def _path(names: Sequence[str]) -> str:
    return ".".join(map(word, names))


def _as(expression: str, name: str) -> str:
    return f"{expression} AS {word(name)}"


def _listed(items: Sequence[str], indent: int) -> str:
    return (",\n" + " " * indent).join(items)
