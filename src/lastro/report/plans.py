"""A plan in words: what would be done to each column, which rows would be refused, what must hold for the whole."""

from __future__ import annotations

import re
from typing import Any

from lastro.model.plan import (
    AllOf,
    Breaks,
    CastHolds,
    CleanText,
    ColumnPlan,
    Condition,
    Duplicates,
    Foreseen,
    Holds,
    Identifier,
    IdentifierKind,
    LengthWithin,
    Matches,
    Measure,
    MultipleOf,
    NoneOf,
    NotNull,
    OneOf,
    Orphans,
    Plan,
    Query,
    RowCount,
    Share,
    Spellings,
    Statistic,
    StatisticKind,
    Within,
)
from lastro.model.schema import type_text
from lastro.model.text import _
from lastro.quality.judge import in_words
from lastro.report.blocks import Block, Blocks, Code, Column, Line, Title, table
from lastro.report.numbers import NOTHING, short_digest

_VALUES_SHOWN = 6
_POINTED = re.compile(r"-?[0-9]+\.[0-9]+", re.ASCII)


def plan_blocks(plan: Plan, sql: str) -> Blocks:
    """The whole plan; `sql` is what an engine would run."""
    blocks: list[Block] = [Title(_("Columns")), _columns(plan)]
    if plan.row_rules:
        blocks += [Title(_("Rules for each row")), _row_rules(plan)]
    if plan.table_rules:
        blocks += [Title(_("Rules for the whole table")), _table_rules(plan)]
    blocks += [Title(_("Limits")), *(Line("  " + line) for line in _limits(plan))]
    if sql:
        blocks += [Title("SQL"), Code(sql)]
    return tuple(blocks)


def plan_values(plan: Plan) -> dict[str, Any]:  # Any: values for `report.json_values`
    """The plan as plain values, conditions and thresholds in words."""
    return {
        "contract_digest": plan.contract_digest,
        "primary_key": plan.primary_key,
        "quarantined_max": in_words(plan.quarantined_max) if plan.quarantined_max else None,
        "columns": [
            {
                "name": column.name,
                "source": column.source,
                "type": type_text(column.type),
                "nullable": column.nullable,
                "expression": column.expression,
                "format": column.format,
                "zone": column.zone,
            }
            for column in plan.columns
        ],
        "row_rules": [
            {
                "rule": rule.name,
                "condition": condition_text(rule.condition),
                "policy": rule.policy,
                "severity": rule.severity,
                "column": rule.column,
                "allowed": in_words(rule.threshold) if rule.threshold else None,
            }
            for rule in plan.row_rules
        ],
        "table_rules": [
            {
                "rule": rule.name,
                "measure": _measure(rule.measure),
                "policy": rule.policy,
                "severity": rule.severity,
                "column": rule.column,
                "allowed": in_words(rule.threshold),
            }
            for rule in plan.table_rules
        ],
    }


def condition_text(condition: Condition) -> str:
    """A row rule's condition in words."""
    match condition:
        case NotNull(column):
            return _("{column} has a value").format(column=column)
        case CastHolds(column):
            return _("{column} can be read as its type").format(column=column)
        case OneOf(column, values):
            return _("{column} is one of {values}").format(column=column, values=_listed(values))
        case NoneOf(column, values):
            return _("{column} is none of {values}").format(column=column, values=_listed(values))
        case Matches(column, pattern):
            return _("{column} matches {pattern}").format(column=column, pattern=pattern)
        case MultipleOf(column, factor):
            return _("{column} is a multiple of {factor}").format(column=column, factor=factor)
        case Holds(expression):
            return expression
        case Identifier(column, kind):
            return _("{column} is a valid {kind}").format(column=column, kind=_kind(kind))
        case CleanText(column):
            return _("{column} shows no trace of a wrong encoding").format(column=column)
        case Foreseen():
            return _("no value stands in a column that the contract does not read")
        case AllOf(conditions):
            return _(" and ").join(condition_text(part) for part in conditions)
        case Within() | LengthWithin():
            return _bounds_text(condition)


def _kind(kind: IdentifierKind) -> str:
    names = {IdentifierKind.EMAIL: _("e-mail address"), IdentifierKind.CARD: _("card number")}
    return names.get(kind, kind.value.upper())


def _bounds_text(condition: Within | LengthWithin) -> str:
    match condition:
        case Within(column, minimum, maximum, above, below):
            what = column
        case LengthWithin(column, minimum, maximum):
            what, above, below = _("length of {column}").format(column=column), False, False
    low, high = (None if each is None else _short(str(each)) for each in (minimum, maximum))
    if high is None:
        return f"{what} {'>' if above else '≥'} {low}"
    under = f"{what} {'<' if below else '≤'} {high}"
    return under if low is None else f"{low} {'<' if above else '≤'} {under}"


def _short(number: str) -> str:
    """A number without zeros behind the point, which say nothing; other texts as they are."""
    return number.rstrip("0").rstrip(".") if _POINTED.fullmatch(number) else number


def _listed(values: tuple[str, ...]) -> str:
    shown = ", ".join(values[:_VALUES_SHOWN])
    return f"{shown}, …" if len(values) > _VALUES_SHOWN else shown


def _columns(plan: Plan) -> Block:
    headings = (Column(_("column")), Column(_("type"), fixed=True), Column(_("from")), Column(_("empty allowed")))
    return table(headings, (_column(column) for column in plan.columns))


def _column(column: ColumnPlan) -> tuple[str, ...]:
    origin = column.expression or column.source
    if written := ", ".join(filter(None, (column.format, column.zone))):
        origin = f"{origin} ({written})"
    return column.name, type_text(column.type), origin, _("yes") if column.nullable else _("no")


def _row_rules(plan: Plan) -> Block:
    headings = (Column(_("rule")), Column(_("condition")), Column(_("otherwise")), Column(_("allowed")))
    rows = (
        (
            rule.name,
            condition_text(rule.condition),
            _policy(rule.policy.value),
            in_words(rule.threshold) if rule.threshold else NOTHING,
        )
        for rule in plan.row_rules
    )
    return table(headings, rows)


def _table_rules(plan: Plan) -> Block:
    headings = (Column(_("rule")), Column(_("measure")), Column(_("must be")), Column(_("otherwise")))
    rows = (
        (rule.name, _measure(rule.measure), in_words(rule.threshold), _policy(rule.policy.value))
        for rule in plan.table_rules
    )
    return table(headings, rows)


def _policy(name: str) -> str:
    return {
        "fail": _("the batch fails"),
        "quarantine": _("the row is set aside"),
        "warn": _("a warning"),
    }[name]


def _measure(measure: Measure) -> str:
    match measure:
        case Duplicates(columns, approximate=False):
            return _("rows that repeat {columns}").format(columns=", ".join(columns))
        case Duplicates(columns):
            return _("rows that repeat {columns} but for case, accents and blanks").format(columns=", ".join(columns))
        case Orphans(dataset, columns=pairs):
            names = ", ".join(own for own, _their in pairs)
            return _("rows whose {columns} is not in {dataset}").format(columns=names, dataset=dataset)
        case Breaks(column, step, by):
            return _breaks(column, step, by)
        case Statistic(column, kind, quantile):
            name = _statistic(kind) if quantile is None else f"{_statistic(kind)} {quantile:g}"
            return _("{statistic} of {column}").format(statistic=name, column=column)
        case Share(column, value):
            return _("rows with {column} = {value}").format(column=column, value=value)
        case Spellings(column):
            return _("rows with a rarer spelling of {column}").format(column=column)
        case RowCount():
            return _("number of rows")
        case Query(text):
            return text


def _breaks(column: str, step: str | None, by: str | None) -> str:
    order = by or column
    if step is None:
        return _("rows whose {column} is not above the one before, by {order}").format(column=column, order=order)
    return _("rows whose {column} is not {step} above the one before, by {order}").format(
        column=column, step=step, order=order
    )


def _statistic(kind: StatisticKind) -> str:
    return {
        StatisticKind.MEAN: _("mean"),
        StatisticKind.MEDIAN: _("median"),
        StatisticKind.QUANTILE: _("quantile"),
        StatisticKind.DEVIATION: _("deviation"),
        StatisticKind.SUM: _("sum"),
        StatisticKind.MINIMUM: _("minimum"),
        StatisticKind.MAXIMUM: _("maximum"),
    }[kind]


def _limits(plan: Plan) -> list[str]:
    key = ", ".join(plan.primary_key)
    lines = [_("primary key: {key}").format(key=key) if key else _("no primary key")]
    if plan.quarantined_max is not None:
        lines.append(_("rows set aside: {bound}").format(bound=in_words(plan.quarantined_max)))
    lines.append(_("contract: {digest}").format(digest=short_digest(plan.contract_digest)))
    return lines
