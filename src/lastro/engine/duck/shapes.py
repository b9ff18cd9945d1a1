"""Shapes: the struct or list that all JSON texts of a sampled column have, if they have one.

Rules:

1. Every text must be an object, or every one an array; else the column stays text.
2. Whole numbers are long, others double, truth values boolean, all else text. What is sometimes one thing and sometimes
   another, has no value, or has no end (objects with more than `MEMBERS_MAX` names, which are data and not names) is
   kept as its JSON text. So are numbers, where one of the column's has more digits than a double.
3. Names that a table cannot hold, or that differ by capitals only, make their object text.
"""

from __future__ import annotations

import json
import re
from typing import Any

import duckdb

from lastro.engine.duck.connection import name
from lastro.model.schema import Field, ListOf, Primitive, StructOf, Type

MEMBERS_MAX = 100
LEVELS_MAX = 8
_NAME_MAX = 255
_FORBIDDEN = re.compile('[ ,;{}()\n\t=\x00-\x1f\x7f`"]')
_LEAVES = {
    "BOOLEAN": Primitive.BOOLEAN,
    "UBIGINT": Primitive.LONG,
    "BIGINT": Primitive.LONG,
    "DOUBLE": Primitive.DOUBLE,
}
_LONG_NUMBER = r"[\[:,]\s*-?[0-9][0-9.]{16}"


def shape(connection: duckdb.DuckDBPyConnection, column: str, present: int) -> Type | None:
    """The type of the column of `sampled`, of which `present` texts are not missing; None if they have no one shape."""
    value = name(column)
    first = f"substr(ltrim({value}, E' \\t\\n\\r'), 1, 1)"
    ((objects, arrays, long),) = connection.execute(
        f"SELECT count(*) FILTER ({first} = '{{'), count(*) FILTER ({first} = '['), "
        f"coalesce(bool_or(regexp_matches({value}, '{_LONG_NUMBER}')), false) FROM sampled WHERE json_valid({value})"
    ).fetchall()
    if present not in (objects, arrays):
        return None
    ((found,),) = connection.execute(
        f"SELECT json_group_structure({value}::JSON) FROM sampled WHERE {value} IS NOT NULL"
    ).fetchall()
    kind = _type(json.loads(found), exact=bool(long), level=0)
    return kind if isinstance(kind, (StructOf, ListOf)) else None


def _type(found: Any, *, exact: bool, level: int) -> Type:  # Any: DuckDB's description, of texts, lists and objects
    match found:
        case str():
            kind = _LEAVES.get(found, Primitive.STRING)
            return Primitive.STRING if exact and kind is Primitive.DOUBLE else kind
        case [item] if level < LEVELS_MAX:
            return ListOf(_type(item, exact=exact, level=level + 1))
        case dict() if level < LEVELS_MAX and _can_be_names(list(found)):
            return StructOf(
                tuple(Field(member, _type(each, exact=exact, level=level + 1)) for member, each in found.items())
            )
        case _:
            return Primitive.STRING


def _can_be_names(names: list[str]) -> bool:
    alike = {each.casefold() for each in names}
    sound = all(each and len(each) <= _NAME_MAX and not _FORBIDDEN.search(each) for each in names)
    return sound and len(alike) == len(names) <= MEMBERS_MAX
