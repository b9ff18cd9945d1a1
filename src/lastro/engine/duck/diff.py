"""Differences between two sets of stored files.

Rules:

1. A file that stands on both sides holds the same rows on both: it is not read.
2. With a key, rows are matched by it (a NULL matches a NULL); without one, equal rows are counted on either side.
3. At most `limit` examples, in the key's order, so that the same question has the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from lastro.engine.duck.connection import name, session
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.stored import relation, told
from lastro.engine.protocol import KeyDiff
from lastro.model.schema import Schema

Example = Mapping[str, Any]  # Any: column values


def diff(
    before: Sequence[Path],
    after: Sequence[Path],
    schema: Schema,
    key: Sequence[str],
    limit: int,
    limits: Limits,
    temp: Path | None,
) -> KeyDiff:
    """Rows added, removed and changed. Raises `Corrupted`, `EngineError`."""
    old = [path for path in before if path not in set(after)]
    new = [path for path in after if path not in set(before)]
    with told([*old, *new]), session(limits, readable=[*old, *new], temp=temp) as connection:
        sides = (relation(connection, old, schema), relation(connection, new, schema))
        if key:
            return _by_key(connection, sides, schema, key, limit)
        return _as_multiset(connection, sides, schema, limit)


def _by_key(
    connection: duckdb.DuckDBPyConnection, sides: tuple[str, str], schema: Schema, key: Sequence[str], limit: int
) -> KeyDiff:
    others = [column for column in schema.names if column not in key]
    same = " AND ".join(f"b.{name(column)} IS NOT DISTINCT FROM a.{name(column)}" for column in key)
    joined = (
        f"(SELECT b, a FROM (SELECT *, true AS {_HERE} FROM {sides[0]}) AS b FULL JOIN "
        f"(SELECT *, true AS {_HERE} FROM {sides[1]}) AS a ON {same})"
    )
    differs = {column: f"b.{name(column)} IS DISTINCT FROM a.{name(column)}" for column in others}
    added, removed = f"b.{_HERE} IS NULL", f"a.{_HERE} IS NULL"
    both = f"b.{_HERE} AND a.{_HERE}"
    changed = f"{both} AND ({' OR '.join(differs.values()) or 'false'})"
    counts = [_count(added), _count(removed), _count(changed)]
    cells = [_count(f"{both} AND {test}") for test in differs.values()]
    ((*row,),) = connection.execute(f"SELECT {', '.join(counts + cells)} FROM {joined}").fetchall()
    found = {column: int(count) for column, count in zip(others, row[3:], strict=True) if count}
    examples: tuple[Example, ...] = ()
    if limit > 0 and any(row[:3]):
        order = ", ".join(f"coalesce(b.{name(column)}, a.{name(column)})" for column in key)
        query = (
            f"SELECT CASE WHEN {added} THEN 'added' WHEN {removed} THEN 'removed' ELSE 'changed' END, "
            f"{_columns('b', schema.names)}, {_columns('a', schema.names)} FROM {joined} "
            f"WHERE {added} OR {removed} OR {changed} ORDER BY {order} LIMIT {int(limit)}"
        )
        examples = tuple(_example(each, schema.names, key) for each in connection.execute(query).fetchall())
    return KeyDiff(int(row[0] or 0), int(row[1] or 0), int(row[2] or 0), found, examples)  # NULL: no file differs


_HERE = '"_lastro_here"'


def _count(condition: str) -> str:
    return f"count(*) FILTER ({condition})"


def _columns(side: str, names: Sequence[str]) -> str:
    return ", ".join(f"{side}.{name(column)}" for column in names)


def _example(row: Sequence[Any], names: Sequence[str], key: Sequence[str]) -> Example:  # Any: column values
    change, values = row[0], row[1:]
    before = dict(zip(names, values[: len(names)], strict=True)) if change != "added" else {}
    after = dict(zip(names, values[len(names) :], strict=True)) if change != "removed" else {}
    known = before or after
    return {"change": change, "key": {column: known[column] for column in key}, "before": before, "after": after}


def _as_multiset(connection: duckdb.DuckDBPyConnection, sides: tuple[str, str], schema: Schema, limit: int) -> KeyDiff:
    columns = ", ".join(name(column) for column in schema.names)
    surplus = (
        f"(SELECT {columns}, sum(side) AS {_HERE} FROM (SELECT {columns}, -1 AS side FROM {sides[0]} "
        f"UNION ALL SELECT {columns}, 1 AS side FROM {sides[1]}) GROUP BY {columns} HAVING sum(side) <> 0)"
    )
    counts = f"SELECT coalesce(sum({_HERE}) FILTER ({_HERE} > 0), 0), coalesce(-sum({_HERE}) FILTER ({_HERE} < 0), 0)"
    ((*row,),) = connection.execute(f"{counts} FROM {surplus}").fetchall()
    examples: list[Example] = []
    if limit > 0 and any(row):
        query = f"SELECT {_HERE}, {columns} FROM {surplus} ORDER BY {columns} LIMIT {int(limit)}"
        for surplus_count, *values in connection.execute(query).fetchall():
            content = dict(zip(schema.names, values, strict=True))
            change, side = ("added", "after") if surplus_count > 0 else ("removed", "before")
            examples.append({"change": change, "key": {}, "before": {}, "after": {}, side: content})
    return KeyDiff(int(row[0]), int(row[1]), 0, {}, tuple(examples))
