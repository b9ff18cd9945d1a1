"""The two sides of a training set, counted: what they have in common, and what tells the target.

Rules:

1. Rows, and keys, meet by grouping both sides together, which spills. A row equals another by all columns but the key,
   a NULL equals a NULL; a key with a NULL in it is none.
2. Rows are near each other if they are equal in text without capitals, accents and doubled blanks, in numbers with a
   point to three digits, and in moments to the day. Numbers beside an edge of rounding are missed.
3. A target is guessed for each row from the others, as most of those with the same value have it (leave one out, which
   follows from the counts alone); a tie, or a value that stands alone, is a wrong guess.
4. Numbers and moments of many values are taken in `BINS` ranges between different values; a target of many numbers in
   `TARGETS`. The ranges come from a part of the values that depends on nothing else, so that counts are the same each
   time.
5. By chance, a row of the second side meets none of the n rows of the first with the chance (1 - p)^n, where p is the
   product over the columns of the share of pairs that are equal in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from lastro.engine.duck.connection import name, session
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.stored import relation, told
from lastro.model.leakage import Guessed, Met, Sides
from lastro.model.schema import Decimal, Field, Primitive, Schema

BINS, TARGETS = 50, 10
VALUES_MAX = {BINS: 64, TARGETS: 20}
"""So many different values are taken each."""
SAMPLE = 20_000
_WHOLE = frozenset({Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG})
_BROKEN = frozenset({Primitive.FLOAT, Primitive.DOUBLE})
_MOMENTS = frozenset({Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ, Primitive.DATE})


def sides(
    first: Sequence[Path],
    second: Sequence[Path],
    schema: Schema,
    *,
    key: Sequence[str],
    target: str | None,
    limits: Limits,
    temp: Path | None,
) -> Sides:
    """The counts of two sets of verified files, by the columns of a schema. Raises `Corrupted`, `EngineError`."""
    with told([*first, *second]), session(limits, readable=[*first, *second], temp=temp) as connection:
        both = (relation(connection, first, schema), relation(connection, second, schema))
        rows = [_number(connection, f"SELECT count(*) FROM {side}") for side in both]
        fields = [field for field in schema.fields if field.name not in key]
        found = Sides(
            first=rows[0],
            second=rows[1],
            equal=_with_chance(connection, both, [name(field.name) for field in fields], rows),
            near=_with_chance(connection, both, [_near(field) for field in fields], rows),
            key=_met(connection, both, [name(each) for each in key], present=True) if key else None,
        )
        if target is None:
            return found
        return _with_target(connection, both[0], fields, schema.field(target), found)


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    ((found,),) = connection.execute(query).fetchall()
    return int(found or 0)


def _met(
    connection: duckdb.DuckDBPyConnection, both: tuple[str, str], items: Sequence[str], *, present: bool = False
) -> Met:
    """How many rows meet an equal on the other side by these expressions; with `present`, NULL equals nothing."""
    if not items:
        return Met()
    listed = ", ".join(f"{item} AS c{place}" for place, item in enumerate(items))
    names = ", ".join(f"c{place}" for place in range(len(items)))
    there = " WHERE " + " AND ".join(f"{item} IS NOT NULL" for item in items) if present else ""
    rows = " UNION ALL ".join(f"SELECT {side} AS side, {listed} FROM {both[side]}{there}" for side in (0, 1))
    groups = (
        f"SELECT count(*) FILTER (side = 0) AS a, count(*) FILTER (side = 1) AS b FROM ({rows}) "
        f"GROUP BY {names} HAVING a > 0 AND b > 0"
    )
    ((first, second, different),) = connection.execute(f"SELECT sum(a), sum(b), count(*) FROM ({groups})").fetchall()
    return Met(int(first or 0), int(second or 0), int(different))


def _with_chance(
    connection: duckdb.DuckDBPyConnection, both: tuple[str, str], items: Sequence[str], rows: Sequence[int]
) -> Met:
    """As `_met`, and how many rows of the second side would meet an equal by chance (rule 5)."""
    found = _met(connection, both, items)
    if not found.second:
        return found
    chance = math.prod(_chance(connection, both, item) / (rows[0] * rows[1]) for item in items)
    missed = rows[0] * math.log1p(-chance) if chance < 1 else -math.inf
    return replace(found, by_chance=-rows[1] * math.expm1(missed))


def _chance(connection: duckdb.DuckDBPyConnection, both: tuple[str, str], item: str) -> float:
    """How many pairs of a row of either side are equal in one column."""
    rows = " UNION ALL ".join(f"SELECT {side} AS side, {item} AS c FROM {both[side]}" for side in (0, 1))
    groups = (
        "SELECT CAST(count(*) FILTER (side = 0) AS DOUBLE) * count(*) FILTER (side = 1) AS pairs "
        f"FROM ({rows}) GROUP BY c"
    )
    ((found,),) = connection.execute(f"SELECT sum(pairs) FROM ({groups})").fetchall()
    return float(found or 0)


def _near(field: Field) -> str:
    value = name(field.name)
    if field.type is Primitive.STRING:
        return f"strip_accents(lower(trim(regexp_replace({value}, '\\s+', ' ', 'g'))))"
    if field.type in (Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ):
        return f"date_trunc('day', {value})"
    if field.type in _BROKEN or isinstance(field.type, Decimal):
        number = f"CAST({value} AS DOUBLE)"
        digits = f"CAST(2 - floor(log10(abs({number}))) AS INTEGER)"
        return f"CASE WHEN {number} = 0 OR NOT isfinite({number}) THEN {number} ELSE round({number}, {digits}) END"
    return value


def _with_target(
    connection: duckdb.DuckDBPyConnection, rows: str, fields: Sequence[Field], target: Field, found: Sides
) -> Sides:
    answer = _binned(connection, rows, target, TARGETS)
    known = f"(SELECT *, {answer} AS {_TARGET} FROM {rows} WHERE {name(target.name)} IS NOT NULL)"
    query = f"SELECT sum(n), max(n) FROM (SELECT count(*) AS n FROM {known} GROUP BY {_TARGET})"
    ((count, most),) = connection.execute(query).fetchall()
    guessed = [_guessed(connection, known, field) for field in fields if field.name != target.name and _is_plain(field)]
    return replace(found, known=int(count or 0), most=int(most or 0), guessed=tuple(guessed))


_TARGET = '"_lastro_target"'


def _is_plain(field: Field) -> bool:
    return isinstance(field.type, Primitive | Decimal) and field.type is not Primitive.BINARY


def _guessed(connection: duckdb.DuckDBPyConnection, known: str, field: Field) -> Guessed:
    value = _binned(connection, known, field, BINS)
    return Guessed(
        field.name, _right(connection, known, value), _right(connection, known, f"{name(field.name)} IS NULL")
    )


def _right(connection: duckdb.DuckDBPyConnection, known: str, value: str) -> int:
    """How many rows are guessed right from the others with the same value (rule 3).

    Only rows with their value's most frequent target can be; they are if it leads without them, too.
    """
    # Grouped by place, since a column of the rows may be named as one of these.
    counts = f"SELECT {value} AS v, {_TARGET} AS y, count(*) AS n FROM {known} GROUP BY 1, 2"
    ranked = f"SELECT v, n, row_number() OVER (PARTITION BY v ORDER BY n DESC) AS place FROM ({counts})"
    leading = (
        "SELECT max(n) FILTER (place = 1) AS best, coalesce(max(n) FILTER (place = 2), 0) AS next "
        f"FROM ({ranked}) GROUP BY v"
    )
    return _number(connection, f"SELECT sum(best) FILTER (best - 1 > next) FROM ({leading})")


def _binned(connection: duckdb.DuckDBPyConnection, rows: str, field: Field, bins: int) -> str:
    """An expression for the value, or for the range in which it lies (rule 4)."""
    value = name(field.name)
    if field.type in _MOMENTS:
        number = f"CAST(epoch({value}) AS DOUBLE)"
    elif field.type in _WHOLE | _BROKEN or isinstance(field.type, Decimal):
        number = f"CAST({value} AS DOUBLE)"
    else:
        return value
    different = f"SELECT DISTINCT {number} AS v FROM {rows} WHERE {value} IS NOT NULL AND isfinite({number})"
    some = f"SELECT v FROM ({different}) ORDER BY hash(v), v LIMIT {SAMPLE}"
    shares = ", ".join(f"{place / bins!r}" for place in range(1, bins))
    query = f"SELECT count(*), quantile_disc(v, [{shares}]) FROM ({some})"
    ((count, edges),) = connection.execute(query).fetchall()
    if count <= VALUES_MAX[bins]:
        return number
    above = " + ".join(f"CAST({number} > {edge!r} AS INTEGER)" for edge in sorted(set(edges)))
    return f"({above})"
