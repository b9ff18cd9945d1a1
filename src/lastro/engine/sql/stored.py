"""A contract's plan restated for rows that are stored already, or that lie at their source.

Rules:

1. A stored column reads itself: no expression cleans it again, no format is read. Where its type is another than the
   contract's, because the contract has changed since, it is cast as a source's column would be.
2. A column that the files do not have, or whose type cannot become the contract's, is no column of the restated plan.
3. A rule that reads such a column cannot be judged. It is named with these columns, and never counted as kept.
4. What only a source can break (`Foreseen`) is no rule of stored rows.
5. At their source, columns have the source's names, and are read as on the way in. Where cleaning is not asked for, no
   expression is applied: a column reads what the source has under its name. One that only its expression makes is not
   missing then; it is there only after cleaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlglot import exp

from lastro.engine.sql import cast, door
from lastro.engine.sql.compile import CompiledBatch, compile_batch, read_columns
from lastro.engine.sql.dialect import column
from lastro.model.errors import ContractError, SourceBroken
from lastro.model.plan import (
    AllOf,
    Breaks,
    ColumnPlan,
    Condition,
    Duplicates,
    Foreseen,
    Holds,
    Orphans,
    Plan,
    Query,
    RowCount,
    RowRule,
    Share,
    Spellings,
    Statistic,
    TableRule,
)
from lastro.model.schema import Field, Primitive, Schema, Type


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """The plan that stored files can be held to. `missing` are the contract's columns that the files do not have,
    `unfit` those that they have under a type that cannot become the contract's. `unjudged` maps the rules that read
    any of them to those columns. `made` are columns that only cleaning makes, where it is not applied.
    """

    plan: Plan
    missing: tuple[str, ...]
    unfit: tuple[str, ...]
    unjudged: Mapping[str, tuple[str, ...]]
    made: tuple[str, ...] = ()


class _Lost(StrEnum):
    """Why a column is no column of the restated plan."""

    MISSING = "missing"
    UNFIT = "unfit"
    MADE = "made"


def restate(plan: Plan, stored: Schema) -> StoredPlan:
    """The plan for files of this schema. Raises `SqlRefused` for SQL that the door refuses."""
    there = {field.name.casefold(): field for field in stored.fields}

    def own(each: ColumnPlan) -> ColumnPlan | _Lost:
        field = there.get(each.name.casefold())
        return _Lost.MISSING if field is None else _reading_itself(each, field) or _Lost.UNFIT

    return _restated(plan, own)


def at_source(plan: Plan, source: Schema, *, cleaned: bool) -> StoredPlan:
    """The plan for rows that a source gives with these columns (rule 5). Raises `SqlRefused`."""
    there = {field.name: field for field in source.fields}

    def own(each: ColumnPlan) -> ColumnPlan | _Lost:
        if cleaned and each.expression is not None:
            return _cleaned(plan, each, source)
        field = there.get(each.source)
        if field is None:
            return _Lost.MISSING if each.expression is None else _Lost.MADE
        plain = replace(each, expression=None)
        return plain if _can_be(plain, field.type) else _Lost.UNFIT

    return _restated(plan, own)


def _restated(plan: Plan, own: Callable[[ColumnPlan], ColumnPlan | _Lost]) -> StoredPlan:
    columns: list[ColumnPlan] = []
    gone: dict[str, _Lost] = {}
    for each in plan.columns:
        found = own(each)
        if isinstance(found, _Lost):
            gone[each.name] = found
        else:
            columns.append(found)
    rules = [rule for rule in plan.row_rules if not isinstance(rule.condition, Foreseen)]
    lost = frozenset(gone)
    every: tuple[RowRule | TableRule, ...] = (*rules, *plan.table_rules)
    unjudged = {rule.name: names for rule in every if (names := _lost(rule, plan, lost))}
    restated = replace(
        plan,
        columns=tuple(columns),
        row_rules=tuple(rule for rule in rules if rule.name not in unjudged),
        table_rules=tuple(rule for rule in plan.table_rules if rule.name not in unjudged),
        absent=frozenset(),
    )
    missing, unfit, made = (tuple(name for name, why in gone.items() if why is each) for each in _Lost)
    return StoredPlan(restated, missing, unfit, unjudged, made)


def reads(rule: RowRule | TableRule, plan: Plan) -> tuple[str, ...]:
    """The plan's columns that a rule reads, in the plan's order; of `COUNT(*)` and the like, none."""
    match rule:
        case RowRule(condition=condition):
            found = frozenset(_of_condition(condition, plan, rule.name))
        case TableRule(measure=Duplicates(columns)):
            found = frozenset(columns)
        case TableRule(measure=Orphans(columns=pairs)):
            found = frozenset(own for own, _other in pairs)
        case TableRule(measure=Breaks(of, by=by)):
            found = frozenset((of, by or of))
        case TableRule(measure=Statistic(of) | Share(of) | Spellings(of)):
            found = frozenset((of,))
        case TableRule(measure=RowCount()):
            found = frozenset()
        case TableRule(measure=Query(text, of)):
            names = plan.schema.names
            tree = door.query(text, table=plan.dataset, columns=names, column=of, where=rule.name)
            found = frozenset(_columns(tree))
    return tuple(name for name in plan.schema.names if name in found)


def tells_values(rule: RowRule | TableRule, plan: Plan) -> bool:
    """True if a rule's number may be a value of a column, or be made of some; not if it only counts."""
    if isinstance(rule, TableRule) and isinstance(rule.measure, Statistic):
        return True
    if not isinstance(rule, TableRule) or not isinstance(rule.measure, Query):
        return False
    tree = door.query(
        rule.measure.text, table=plan.dataset, columns=plan.schema.names, column=rule.measure.column, where=rule.name
    )
    inner = tree.expressions[0].walk(prune=_is_count)
    return any(isinstance(node, (exp.Column, exp.Select)) for node in inner if not _is_count(node))


def _is_count(node: exp.Expr) -> bool:
    return isinstance(node.this if isinstance(node, exp.Filter) else node, (exp.Count, exp.CountIf))


def table(plan: Plan, stored: Schema, batch: CompiledBatch, relation: str) -> tuple[Schema, str]:
    """What table rules see of a relation with the stored columns: a schema, and SQL text of a relation that has it.

    The plan's columns are as the contract says; what is stored beside them, such as a history's, is there as it is.
    """
    kinds = {field.name: field.type for field in stored.fields}
    if all(each.source == each.name and kinds.get(each.name) == each.type for each in plan.columns):
        return stored, relation
    taken = {name.casefold() for name in plan.schema.names}
    others = tuple(field for field in stored.fields if field.name.casefold() not in taken)
    names = [field.name for field in others]
    return Schema((*plan.schema.fields, *others)), f"({batch.tidied(relation, carry=names)})"


def _lost(rule: RowRule | TableRule, plan: Plan, lost: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in reads(rule, plan) if name in lost) if lost else ()


def _reading_itself(each: ColumnPlan, stored: Field) -> ColumnPlan | None:
    """The column as one of the files; None if its type cannot become the contract's."""
    is_time = each.is_time and stored.type == Primitive.STRING
    own = ColumnPlan(each.name, stored.name, each.type, nullable=each.nullable, is_time=is_time, zone=each.zone)
    if each.is_time and not is_time:
        return None
    return own if _can_be(own, stored.type) else None


def _cleaned(plan: Plan, each: ColumnPlan, source: Schema) -> ColumnPlan | _Lost:
    """The column as its expression makes it of the source's, if it can."""
    alone = replace(plan, columns=(each,), row_rules=(), table_rules=(), primary_key=())
    if set(read_columns(alone)) - set(source.names):
        return _Lost.MISSING
    try:
        compile_batch(alone, source, dialect="duckdb")
    except (SourceBroken, ContractError):
        return _Lost.UNFIT
    return each


def _can_be(each: ColumnPlan, kind: Type) -> bool:
    """True if there is a cast from values of this type to the column."""
    try:
        cast.strict(column(each.source), kind, each, trial=column("trial"), dialect="duckdb")
    except (SourceBroken, ContractError):
        return False
    return True


def _of_condition(condition: Condition, plan: Plan, where: str) -> Iterable[str]:
    match condition:
        case AllOf(conditions):
            return [name for each in conditions for name in _of_condition(each, plan, where)]
        case Holds(expression):
            return _columns(door.expression(expression, columns=plan.schema.names, where=where))
        case Foreseen():
            return ()
        case _:
            return (condition.column,)


def _columns(tree: exp.Expr) -> Iterable[str]:
    return [found.name for found in tree.find_all(exp.Column)]
