"""Sampling: what a contract's author would want to know of each source column, from its first rows.

Rules:

1. Text is narrowed to the first of boolean, long, decimal, double, date, moment that reads every value, by the very
   casts that a plan uses; else it stays text. Columns that have a type keep it.
2. Digits with leading zeros are codes, and stay text. Only words (`true`, `yes`, …) make a boolean: 0 and 1 do not.
3. A decimal is inferred where every value has the same number of places (at most 4), with room for larger ones, and for
   whole numbers that no long holds. Numbers written out in more digits than a double keeps stay text; an exponent says
   that a double is meant.
4. Numbers with a decimal comma (`1.234,56`) are numbers, cleaned by an expression, where every value is written so and
   one proves it: by a dot as well, or by other than three places. What is written otherwise later is set aside or
   read by its dot; it never becomes another number. Where each point or comma of all numbers may as well stand between
   thousands (`1.234`, `950`), that is told.
5. Day first comes before month first; a format is given where ISO 8601 does not read the values. Where both read all of
   them, the other format is told, too.
6. JSON objects and arrays become structs and lists where every value has one shape (see `shapes`).
7. Lines of logs know more ways to write a moment, and are told how some columns do: that is tried first. Where they
   know a zone, a time without one is a moment.
8. At most `sample_rows` rows and about `sample_bytes` are held.
9. Of texts and numbers some distinct values are handed on, cut and the same ones each time, so that others can tell
   what kind of values they are: `LOOKED_AT` of a column, fewer of each where there are many columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from lastro.engine.duck import opening, shapes
from lastro.engine.duck.arrow import from_arrow
from lastro.engine.duck.connection import name, session
from lastro.engine.duck.failure import refuse
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.relations import LINE
from lastro.engine.scan import FileFormat, Lines, Parquet, Span
from lastro.engine.sql import clockform
from lastro.engine.sql.compile import compile_batch
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.sample import Also, Sample
from lastro.model.schema import Decimal, Field, Primitive, Schema, Type

VALUES_MAX = 20
LOOKED_AT, LOOKED_AT_IN_ALL, LOOKED_AT_LENGTH = 400, 40_000, 300
BATCH_ROWS = 8_192
DOUBLE_DIGITS = 17
"""As many digits as it takes to write any double."""
DATES = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%m/%d/%Y", "%m-%d-%Y")
MOMENTS = (
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
)  # fmt: skip
ZONED = ("%d/%b/%Y:%H:%M:%S %z", "%d/%m/%Y %H:%M:%S %z")
LOGGED = (
    "%Y-%m-%d %H:%M:%S,%f", "%Y-%m-%dT%H:%M:%S,%f", "%Y/%m/%d %H:%M:%S.%f", "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S.%f %Y", "%d/%b/%Y %H:%M:%S", "%b %d, %Y %H:%M:%S", "%Y-%m-%d-%H.%M.%S.%f",
)  # fmt: skip
LOGGED_ZONED = (
    "%Y-%m-%d %H:%M:%S,%f%z", "%Y-%m-%dT%H:%M:%S,%f%z", "%a, %d %b %Y %H:%M:%S %z", "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S.%f %z", "%Y-%m-%d %H:%M:%S,%f %z", "%Y/%m/%d %H:%M:%S %z",
)  # fmt: skip
"""How programs write moments into logs, beside those above."""
COMMA = " *[+-]?(0|[1-9][0-9]{0,2}([.][0-9]{3})*|[1-9][0-9]*)(,[0-9]+)? *"
GROUPED = "[+-]?(0|[1-9][0-9]{{0,2}}([{}][0-9]{{3}})?)"
"""A whole number below a million, with or without its sign between thousands."""
TWINS = frozenset(form for form in (*DATES, *MOMENTS, *ZONED) if form.startswith(("%d", "%m")) and "%m" in form)
"""The formats that say other days with day and month the other way round."""
_ORDERED = (*(kind for kind in Primitive if kind not in (Primitive.STRING, Primitive.BINARY, Primitive.BOOLEAN)),)


class Seen(msgspec.Struct, frozen=True):
    """A `Sample` on its way from the child; the type as a Delta schema of one column."""

    column: str
    rows: int
    nulls: int
    distinct: int
    minimum: str | None
    maximum: str | None
    length_max: int | None
    values: tuple[str, ...]
    format: str | None
    all_read: bool
    expression: str | None
    zone: str | None = None
    looked_at: tuple[str, ...] = ()
    also: Also | None = None
    also_format: str | None = None

    def sample(self) -> Sample:
        """As the protocol has it."""
        field = Schema.from_delta(self.column).fields[0]
        unique = self.distinct > 0 and self.distinct == self.rows - self.nulls
        return Sample(
            column=field,
            rows=self.rows,
            nulls=self.nulls,
            distinct=self.distinct,
            unique=unique,
            minimum=self.minimum,
            maximum=self.maximum,
            length_max=self.length_max,
            values=self.values,
            format=self.format,
            all_read=self.all_read,
            expression=self.expression,
            zone=self.zone,
            looked_at=self.looked_at,
            also=self.also,
            also_format=self.also_format,
        )


def of_files(
    parts: Sequence[tuple[Path, Span | None]], kind: FileFormat, limits: Limits, temp: Path
) -> tuple[Seen, ...]:
    """What the files' first rows hold; in the child. Raises `Refused`."""
    schemas = [opening.schema(path, kind, limits, temp, ()) for path, _span in parts]
    names = tuple(dict.fromkeys(column for schema in schemas for column in schema.names))
    opening.refuse_alike(names, parts[0][0])
    held: list[pa.Table] = []
    every = True
    for (path, span), schema in zip(parts, schemas, strict=True):
        room = limits.sample_rows - sum(table.num_rows for table in held)
        if room <= 0:
            every = False
            break
        with opening.opened(path, kind, schema.names, limits, temp, span=span) as file:
            batches = file.connection.sql(f"SELECT * FROM {opening.RAW}").to_arrow_reader(BATCH_ROWS)
            table, whole = gather(batches, room, limits.sample_bytes)
            every = every and whole
            held.append(table)
    table = pa.concat_tables(held, promote_options="permissive")
    if LINE in table.column_names:
        table = table.filter(pa.compute.is_null(table.column(LINE))).select(names)
        if table.num_rows == 0:
            refuse("no_objects", str(parts[0][0]))
    lines = kind if isinstance(kind, Lines) else None
    narrow = not isinstance(kind, Parquet)
    return tuple(seen(table.select(names), limits, temp, narrow=narrow, all_read=every, lines=lines))


def gather(batches: pa.RecordBatchReader, rows: int, size: int) -> tuple[pa.Table, bool]:
    """The first rows, and whether they are all."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if sum(each.num_rows for each in held) >= rows or sum(each.nbytes for each in held) >= size:
            return pa.Table.from_batches(held, batches.schema).slice(0, rows), False
        held.append(batch)
    table = pa.Table.from_batches(held, batches.schema)
    return table.slice(0, rows), table.num_rows <= rows


def seen(
    table: pa.Table, limits: Limits, temp: Path | None, *, narrow: bool, all_read: bool, lines: Lines | None = None
) -> Iterator[Seen]:
    """What there is to know of each column; `lines`: how they were taken apart, if they were lines."""
    with session(limits, temp=temp) as connection:
        connection.register("sampled", table)
        for field in from_arrow(table.schema).fields:
            made = _column(connection, field, table.num_rows, narrow=narrow, all_read=all_read, lines=lines)
            yield made if lines is None or lines.zone is None else _in_zone(made, lines.zone)


def _in_zone(made: Seen, zone: str) -> Seen:
    field = Schema.from_delta(made.column).fields[0]
    if field.type is not Primitive.TIMESTAMP_NTZ and (field.type is not Primitive.TIMESTAMP or made.format):
        return made
    column = Schema((replace(field, type=Primitive.TIMESTAMP),)).to_delta()
    return msgspec.structs.replace(made, column=column, zone=zone, minimum=None, maximum=None)


def _column(
    connection: duckdb.DuckDBPyConnection,
    field: Field,
    rows: int,
    *,
    narrow: bool,
    all_read: bool,
    lines: Lines | None = None,
) -> Seen:
    column = name(field.name)
    row = _one(
        connection, f"SELECT count({column}), count(DISTINCT {column}), max(length({column}::VARCHAR)) FROM sampled"
    )
    present, distinct, longest = int(row[0]), int(row[1]), row[2]
    kind, form, made = field.type, None, None
    also, also_format = None, None
    if narrow and kind is Primitive.STRING and present:
        kind, form, made = _narrowed(connection, field.name, present, lines)
        also, also_format = (
            _also(connection, field.name, present, kind, made),
            _twin(connection, field.name, present, form),
        )
    low, high = _range(connection, field, kind, form, made)
    looked_at = _looked_at(connection, column) if isinstance(kind, Primitive | Decimal) else ()
    values: tuple[str, ...] = ()
    if 0 < distinct <= VALUES_MAX:
        query = f"SELECT DISTINCT {column}::VARCHAR FROM sampled WHERE {column} IS NOT NULL ORDER BY 1"
        values = tuple(value for (value,) in connection.execute(query).fetchall())
    return Seen(
        column=Schema((Field(field.name, kind, nullable=present < rows),)).to_delta(),
        rows=rows,
        nulls=rows - present,
        distinct=distinct,
        minimum=low,
        maximum=high,
        length_max=int(longest) if kind is Primitive.STRING and longest is not None else None,
        values=values,
        format=form,
        all_read=all_read,
        expression=made,
        looked_at=looked_at,
        also=also,
        also_format=also_format,
    )


def _looked_at(connection: duckdb.DuckDBPyConnection, column: str) -> tuple[str, ...]:
    """Some distinct values as they came (rule 9)."""
    columns = _one(connection, "SELECT count(*) FROM (DESCRIBE sampled)")[0]
    count = max(1, min(LOOKED_AT, LOOKED_AT_IN_ALL // max(1, columns)))
    value = f"left({column}::VARCHAR, {LOOKED_AT_LENGTH})"
    query = f"SELECT DISTINCT {value} AS value FROM sampled WHERE {column} IS NOT NULL"
    found = connection.execute(f"SELECT value FROM ({query}) ORDER BY hash(value), value LIMIT {count}").fetchall()
    return tuple(value for (value,) in found)


def _also(
    connection: duckdb.DuckDBPyConnection, column: str, present: int, kind: Type, made: str | None
) -> Also | None:
    """What the points of numbers, or the commas of a text, may stand for as well; None if there is no doubt."""
    is_fraction = isinstance(kind, Decimal) or kind is Primitive.DOUBLE
    if made is not None or not (is_fraction or kind is Primitive.STRING):
        return None
    value, sign = f"trim({name(column)})", "." if is_fraction else ","
    count = f"SELECT count(*), count(*) FILTER (contains({value}, '{sign}')) FROM sampled"
    found = _one(connection, f"{count} WHERE regexp_full_match({value}, '{GROUPED.format(sign)}')")
    if found[0] != present or not found[1]:
        return None
    return Also.POINTS if is_fraction else Also.COMMAS


def _twin(connection: duckdb.DuckDBPyConnection, column: str, present: int, form: str | None) -> str | None:
    """The format with day and month the other way round, if it reads all values and tells other days of some."""
    if form not in TWINS:
        return None
    twin = form.translate({ord("d"): "m", ord("m"): "d"})
    kind = Primitive.DATE if form in DATES else Primitive.TIMESTAMP if form in ZONED else Primitive.TIMESTAMP_NTZ
    casts = [_cast(column, Primitive.STRING, kind, one, None) for one in (form, twin)]
    found = _one(connection, f"SELECT count({casts[1]}), bool_or({casts[0]} <> {casts[1]}) FROM sampled")
    return twin if found[0] == present and found[1] else None


def _narrowed(
    connection: duckdb.DuckDBPyConnection, column: str, present: int, lines: Lines | None
) -> tuple[Type, str | None, str | None]:
    """The narrowest type that reads all values of a text column, its format, and the expression that cleans them."""
    candidates = _candidates(connection, column, present)
    for kind, form, condition in candidates if lines is None else chain(_told(lines, column), candidates, _logged()):
        cast = _cast(column, Primitive.STRING, kind, form, None)
        found = _one(
            connection, f"SELECT count({cast}), bool_and({condition}) FILTER ({name(column)} IS NOT NULL) FROM sampled"
        )
        if int(found[0]) == present and found[1]:
            return kind, form, None
    if comma := _with_comma(connection, column, present):
        kind, made = comma
        cast = _cast(column, Primitive.STRING, kind, None, made)
        if int(_one(connection, f"SELECT count({cast}) FROM sampled")[0]) == present:
            return kind, None, made
    if shape := shapes.shape(connection, column, present):
        cast = _cast(column, Primitive.STRING, shape, None, None)
        if int(_one(connection, f"SELECT count({cast}) FROM sampled")[0]) == present:
            return shape, None, None
    return Primitive.STRING, None, None


def _with_comma(connection: duckdb.DuckDBPyConnection, column: str, present: int) -> tuple[Type, str] | None:
    """The type of a text column whose numbers all have a decimal comma, and the expression that makes it a point."""
    value = name(column)
    places = f"length(split_part(trim({value}), ',', 2))"
    found = _one(
        connection,
        f"SELECT count(*), count(*) FILTER (contains({value}, ',')), bool_or(contains({value}, '.')), "
        f"bool_or(contains({value}, ',') AND {places} <> 3), count(DISTINCT {places}), max({places}), "
        f"max(length({value})) FROM sampled WHERE regexp_full_match({value}, '{COMMA}')",
    )
    written, commas, dots, odd = found[:4]
    if written != present or not commas or not (dots or odd):
        return None
    same, most, longest = found[4:]
    kind = Decimal(18 if longest <= 16 else 38, most) if same == 1 and most <= 4 and longest <= 38 else Primitive.DOUBLE
    made = f"replace({value}, ',', '.')"
    if dots:
        bare = f"replace(replace({value}, '.', ''), ',', '.')"
        made = f"CASE WHEN regexp_full_match({value}, '{COMMA}') THEN {bare} ELSE {made} END"
    return kind, made


Candidate = tuple[Type, str | None, str]


def _told(lines: Lines, column: str) -> Iterator[Candidate]:
    for form in (moment.format for moment in lines.moments if moment.column == column):
        if form == clockform.ISO_NS:
            yield Primitive.TIMESTAMP_NTZ, form, "true"
        is_moment = form in clockform.WORDS or clockform.read(form, where=column).has_zone
        yield Primitive.TIMESTAMP if is_moment else Primitive.TIMESTAMP_NTZ, form, "true"


def _logged() -> Iterator[Candidate]:
    yield Primitive.TIMESTAMP_NTZ, clockform.ISO_NS, "true"
    yield Primitive.TIMESTAMP, clockform.ISO_NS, "true"
    yield from ((Primitive.TIMESTAMP_NTZ, form, "true") for form in LOGGED)
    yield from ((Primitive.TIMESTAMP, form, "true") for form in LOGGED_ZONED)


def _candidates(connection: duckdb.DuckDBPyConnection, column: str, present: int) -> Iterator[Candidate]:
    value = f"trim({name(column)})"
    yield Primitive.BOOLEAN, None, f"lower({value}) NOT IN ('0', '1')"
    plain = f"NOT regexp_matches({value}, '^[+-]?0[0-9]')"
    yield Primitive.LONG, None, f"{plain} AND NOT starts_with({value}, '+')"
    places = (
        f"SELECT count(DISTINCT places), min(places), max(digits), count(places) FROM (SELECT "
        f"length(split_part({value}, '.', 2)) AS places, length(regexp_replace({value}, '[^0-9]', '', 'g')) AS digits "
        f"FROM sampled WHERE regexp_full_match({value}, '-?[0-9]+\\.[0-9]+'))"
    )
    found = _one(connection, places)
    if found[0] == 1 and found[3] == present and found[1] <= 4 and found[2] <= 38:
        yield Decimal(18 if found[2] <= 16 else 38, int(found[1])), None, plain
    whole = f"SELECT count(*) FROM sampled WHERE regexp_full_match({value}, '-?[0-9]{{1,38}}')"
    if _one(connection, whole)[0] == present:
        yield Decimal(38, 0), None, plain
    yield Primitive.DOUBLE, None, f"{plain} AND NOT starts_with({value}, '+') AND {_fits_a_double(value)}"
    yield Primitive.DATE, None, "true"
    yield Primitive.TIMESTAMP_NTZ, None, "true"
    yield Primitive.TIMESTAMP, None, "true"
    yield from ((Primitive.DATE, form, "true") for form in DATES)
    yield from ((Primitive.TIMESTAMP_NTZ, form, "true") for form in MOMENTS)
    yield from ((Primitive.TIMESTAMP, form, "true") for form in ZONED)


def _fits_a_double(value: str) -> str:
    """True for a text that a double can be read from without loss (rule 3), as SQL."""
    digits = f"ltrim(regexp_replace({value}, '[^0-9]', '', 'g'), '0')"
    return f"(length({digits}) <= {DOUBLE_DIGITS} OR regexp_matches({value}, '[eE]'))"


def _cast(column: str, origin: Type, kind: Type, form: str | None, made: str | None) -> str:
    """A plan's cast of one column, as an expression over it."""
    plan = Plan("sample", "", (ColumnPlan("value", column, kind, expression=made, format=form),))
    return compile_batch(plan, Schema((Field(column, origin),)), dialect="duckdb").cleaned[0][1]


def _range(
    connection: duckdb.DuckDBPyConnection, field: Field, kind: Type, form: str | None, made: str | None
) -> tuple[str | None, str | None]:
    if kind not in _ORDERED and not isinstance(kind, Decimal):
        return None, None
    cast = name(field.name) if kind == field.type else _cast(field.name, field.type, kind, form, made)
    row = _one(connection, f"SELECT min({cast})::VARCHAR, max({cast})::VARCHAR FROM sampled")
    return row[0], row[1]


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:  # Any: DuckDB's values
    ((*row,),) = connection.execute(query).fetchall()
    return tuple(row)
