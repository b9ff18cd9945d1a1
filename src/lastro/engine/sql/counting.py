"""Table rules as SQL: for each measure one SELECT whose single row has the number as DOUBLE.

Rules:

1. Counts are exact and the same in both engines. So are sums of whole numbers and decimals, and what follows from them;
   of doubles, a sum depends on the order of the rows in its last digits, and so do a quantile between two values and
   every deviation.
2. A query's table is a sub-select named as the door names it; nothing else can be reached from it.
3. Keys are looked up in rows that are handed over by name; where none are, the rule is checked as far as it can be. If
   it is optional, and the other columns do not fit, nothing is measured.
4. Texts mean the same if they are equal without marks, in small letters, with one blank for many and none around.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from lastro.engine.sql import condition, door, infer
from lastro.engine.sql.dialect import WITHOUT_ACCENTS, Dialect, build, column, quoted, render
from lastro.model.errors import ContractError
from lastro.model.plan import (
    Breaks,
    Duplicates,
    Orphans,
    Query,
    RowCount,
    Share,
    Spellings,
    Statistic,
    StatisticKind,
    TableRule,
)
from lastro.model.schema import Decimal, Primitive, Schema, Type, type_text
from lastro.model.text import _

_WHOLE = frozenset({Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG})
_NUMBERS = _WHOLE | {Primitive.FLOAT, Primitive.DOUBLE}


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows by the SQL text that gives them, with their columns."""

    sql: str
    schema: Schema


def table_rule(
    rule: TableRule,
    schema: Schema,
    relation: str,
    *,
    table: str,
    dialect: Dialect,
    others: Mapping[str, Relation] | None = None,
) -> str:
    """A SELECT of one row with the rule's number as DOUBLE. `relation` is SQL text with the schema's columns, `table`
    the name the rule's query uses, `others` the rows of other datasets by reference. Raises `SqlRefused`,
    `ContractError`.
    """
    own = Relation(relation, schema)
    match rule.measure:
        case RowCount():
            return f"SELECT CAST(COUNT(*) AS DOUBLE) AS measured FROM {relation}"
        case Duplicates():
            return _duplicates(rule.name, rule.measure, own, dialect)
        case Query(text, name):
            tree = door.query(text, table=table, columns=schema.names, column=name, where=rule.name)
            tree = infer.days_between(tree, {field.name: field.type for field in schema.fields})
            names = ", ".join(quoted(each, dialect=dialect) for each in schema.names)
            data = quoted(door.TABLE, dialect=dialect)
            # A common table expression is visible in the query's own sub-selects too.
            return (
                f"WITH {data} AS (SELECT {names} FROM {relation}) "
                f"SELECT CAST(({render(tree, dialect)}) AS DOUBLE) AS measured"
            )
        case Orphans():
            there = {table: own, **(others or {})}
            return _orphans(rule.name, rule.measure, own, there, dialect)
        case Breaks():
            return _breaks(rule.name, rule.measure, own, dialect)
        case Statistic():
            return _statistic(rule.name, rule.measure, own, dialect)
        case Share():
            return _share(rule.name, rule.measure, own, dialect)
        case Spellings():
            return _spellings(rule.name, rule.measure, own, dialect)


def _known(rule: str, columns: Sequence[str], schema: Schema) -> None:
    unknown = [name for name in columns if name not in schema.names]
    if unknown or not columns:
        raise ContractError(
            _("the rule {rule} is about columns that do not exist: {names}").format(
                rule=rule, names=", ".join(unknown)
            ),
            where=rule,
            do=_("use some of: {names}").format(names=", ".join(schema.names[:20])),
        )


def _duplicates(rule: str, measure: Duplicates, own: Relation, dialect: Dialect) -> str:
    _known(rule, measure.columns, own.schema)
    names = [quoted(name, dialect=dialect) for name in measure.columns]
    present = " AND ".join(f"{name} IS NOT NULL" for name in names)
    keys = names
    if measure.approximate:
        fields = [own.schema.field(name) for name in measure.columns]
        keys = [
            render(_meaning(field.name), dialect) if field.type == Primitive.STRING else name
            for field, name in zip(fields, names, strict=True)
        ]
    groups = f"SELECT COUNT(*) AS times FROM {own.sql} WHERE {present} GROUP BY {', '.join(keys)}"
    return f"SELECT CAST(COALESCE(SUM(times - 1), 0) AS DOUBLE) AS measured FROM ({groups}) AS repeated"


def _orphans(rule: str, measure: Orphans, own: Relation, there: Mapping[str, Relation], dialect: Dialect) -> str:
    _known(rule, [mine for mine, _their in measure.columns], own.schema)
    other = there.get(measure.dataset)
    if other is None or (measure.optional and not _fit(measure, own.schema, other.schema)):
        # Before anything is read, the other rows are not known yet.
        return "SELECT CAST(NULL AS DOUBLE) AS measured"
    _known(rule, [their for _mine, their in measure.columns], other.schema)
    for mine, their in measure.columns:
        kinds = own.schema.field(mine).type, other.schema.field(their).type
        if not _comparable(*kinds):
            raise ContractError(
                _("{mine} and {their} have types that cannot be equal: {first} and {second}").format(
                    mine=mine, their=f"{measure.dataset}.{their}", first=type_text(kinds[0]), second=type_text(kinds[1])
                ),
                where=rule,
                do=_("give both columns the same type"),
            )
    # Columns of both sides get names of their own: a column may be called like a table of this query.
    names = [quoted(mine, dialect=dialect) for mine, _their in measure.columns]
    keys = ", ".join(f"{name} AS own_{index}" for index, name in enumerate(names))
    present = " AND ".join(f"{name} IS NOT NULL" for name in names)
    others = [quoted(their, dialect=dialect) for _mine, their in measure.columns]
    theirs = ", ".join(f"{name} AS their_{index}" for index, name in enumerate(others))
    equal = " AND ".join(f"their_{index} = own_{index}" for index in range(len(names)))
    return (
        f"SELECT CAST(COUNT(*) AS DOUBLE) AS measured FROM (SELECT {keys} FROM {own.sql} WHERE {present}) AS own_keys "
        f"WHERE NOT EXISTS (SELECT 1 FROM (SELECT {theirs} FROM {other.sql}) AS their_keys WHERE {equal})"
    )


def _fit(measure: Orphans, own: Schema, other: Schema) -> bool:
    """Whether the other columns are there, of types that can be equal."""
    return all(
        their in other.names and _comparable(own.field(mine).type, other.field(their).type)
        for mine, their in measure.columns
    )


def _comparable(first: Type, second: Type) -> bool:
    def is_number(kind: Type) -> bool:
        return kind in _NUMBERS or isinstance(kind, Decimal)

    return first == second or (is_number(first) and is_number(second))


def _breaks(rule: str, measure: Breaks, own: Relation, dialect: Dialect) -> str:
    by = measure.by or measure.column
    _known(rule, [measure.column, by], own.schema)
    kind = own.schema.field(measure.column).type
    value, order = quoted(measure.column, dialect=dialect), quoted(by, dialect=dialect)
    rows = (
        f"SELECT {value} AS later, LAG({value}) OVER (ORDER BY {order}, {value}) AS earlier FROM {own.sql} "
        f"WHERE {value} IS NOT NULL AND {order} IS NOT NULL"
    )
    broken = "later <= earlier" if measure.step is None else _not_apart(rule, measure, kind, dialect)
    return f"SELECT CAST(COUNT(*) AS DOUBLE) AS measured FROM ({rows}) AS row WHERE earlier IS NOT NULL AND {broken}"


def _not_apart(rule: str, measure: Breaks, kind: Type, dialect: Dialect) -> str:
    if kind == Primitive.DATE:
        days = build("date_diff('day', :a, :b)", a=exp.column("earlier"), b=exp.column("later"))
        return f"{render(days, dialect)} <> {int(measure.step or 0)}"
    if kind in _WHOLE:
        kind = Decimal(20, 0)
    elif not isinstance(kind, Decimal):
        raise condition.unfit(rule, measure.column, kind)
    wide = f"DECIMAL({min(38, kind.precision + 1)}, {kind.scale})"
    return f"CAST(later AS {wide}) - CAST(earlier AS {wide}) <> CAST('{measure.step}' AS DECIMAL(38, {kind.scale}))"


def _statistic(rule: str, measure: Statistic, own: Relation, dialect: Dialect) -> str:
    _known(rule, [measure.column], own.schema)
    kind = own.schema.field(measure.column).type
    if kind not in _NUMBERS and not isinstance(kind, Decimal):
        raise condition.unfit(rule, measure.column, kind)
    value = quoted(measure.column, dialect=dialect)
    number = f"CAST({value} AS DOUBLE)"
    # Spark adds 64-bit numbers in 64 bits.
    total = f"SUM(CAST({value} AS DECIMAL(28, 0)))" if kind in _WHOLE else f"SUM({value})"
    match measure.kind:
        case StatisticKind.MEAN if kind in _WHOLE or isinstance(kind, Decimal):
            found = f"CAST({total} AS DOUBLE) / NULLIF(COUNT({value}), 0)"
        case StatisticKind.MEAN:
            found = f"AVG({number})"
        case StatisticKind.SUM:
            found = total
        case StatisticKind.MINIMUM:
            found = f"MIN({value})"
        case StatisticKind.MAXIMUM:
            found = f"MAX({value})"
        case StatisticKind.DEVIATION:
            # Of infinities there is no deviation; DuckDB would stop at them.
            finite = f"CASE WHEN {number} - {number} = 0 THEN {number} END"
            found = f"CASE WHEN COUNT({finite}) = COUNT({value}) THEN STDDEV_SAMP({finite}) END"
        case StatisticKind.MEDIAN | StatisticKind.QUANTILE:
            place = 0.5 if measure.quantile is None else measure.quantile
            name = "QUANTILE_CONT" if dialect == "duckdb" else "PERCENTILE"
            found = f"{name}({number}, {place!r})"
    return f"SELECT CAST({found} AS DOUBLE) AS measured FROM {own.sql}"


def _share(rule: str, measure: Share, own: Relation, dialect: Dialect) -> str:
    _known(rule, [measure.column], own.schema)
    literal = condition.equal_literal(measure.value, own.schema.field(measure.column).type)
    equal = build(":c = :l", c=column(measure.column), l=literal) if literal is not None else exp.false()
    return f"SELECT CAST(COUNT(*) AS DOUBLE) AS measured FROM {own.sql} WHERE {render(equal, dialect)}"


def _spellings(rule: str, measure: Spellings, own: Relation, dialect: Dialect) -> str:
    _known(rule, [measure.column], own.schema)
    if (kind := own.schema.field(measure.column).type) != Primitive.STRING:
        raise condition.unfit(rule, measure.column, kind)
    value = quoted(measure.column, dialect=dialect)
    spelled = f"SELECT {value} AS spelling, COUNT(*) AS times FROM {own.sql} WHERE {value} IS NOT NULL GROUP BY {value}"
    meaning = render(_meaning("spelling"), dialect)
    meant = f"SELECT SUM(times) - MAX(times) AS rarer FROM ({spelled}) AS spelled GROUP BY {meaning}"
    return f"SELECT CAST(COALESCE(SUM(rarer), 0) AS DOUBLE) AS measured FROM ({meant}) AS meant"


def _meaning(name: str) -> exp.Expr:
    """A column's text, the same for all spellings of it."""
    bare = exp.Anonymous(this=WITHOUT_ACCENTS, expressions=[column(name)])
    small = build("REPLACE(LOWER(:b), 'ς', 'σ')", b=bare)
    return build(r"TRIM(REGEXP_REPLACE(:s, '[\pZ\s\x0B\x85]+', ' ', 'g'), ' ')", s=small)
