"""Quality rules: library metrics, SQL queries and Lastro's own expressions.

Rules:

1. `nullValues`, `missingValues` and `invalidValues` look at each row; `duplicateValues` and `rowCount` at the table.
2. They stand at a column, or at the schema object with `arguments.properties` naming columns: then row metrics make one
   rule per column, `duplicateValues` one over all of them together. `rowCount` needs no column.
3. `missingValues` counts its argument of the same name; without it, NULL and the empty text.
4. `invalidValues` needs `validValues`, `pattern` or both; a missing value is not invalid.
5. The unit is rows or percent of the rows read; without policy and with severity error they fail the batch.
6. `type: sql` gives one number (or a boolean, compared as 1 and 0). `{object}` is the table, `{property}` the column;
   the spellings of other tools (`${table}`, `{model}`, `{column}`, `{field}`) are turned into these.
7. `type: custom` with `engine: lastro` takes `implementation: {expression: …}`, a boolean SQL expression over the
   cleaned row, optionally with an operator and a unit. It quarantines, unless told otherwise.
8. `type: text` and other engines' rules are kept and noted as not executed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lastro.contract.document import Node, nearest, shown
from lastro.contract.naming import rule_name
from lastro.contract.policy import VENDOR, check_own, own_policy, scope, settled, severity, table_policy, threshold
from lastro.contract.rules import check_pattern, texts
from lastro.model.finding import Policy
from lastro.model.plan import (
    AllOf,
    ColumnPlan,
    Condition,
    Duplicates,
    Holds,
    Matches,
    Measure,
    NoneOf,
    NotNull,
    OneOf,
    Operator,
    Query,
    RowCount,
    RowRule,
    TableRule,
    Threshold,
)
from lastro.model.text import _

EXPRESSION_MAX = 10_000

_ARGUMENTS = {
    "nullValues": ("properties",),
    "missingValues": ("missingValues", "properties"),
    "invalidValues": ("validValues", "pattern", "properties"),
    "duplicateValues": ("properties",),
    "rowCount": (),
}
_IMPLEMENTATION = ("expression", "unit", *(operator.value for operator in Operator))
_PLACEHOLDERS = (
    (re.compile(r"\$?\{(?:object|table|model)\}"), "{object}"),
    (re.compile(r"\$?\{(?:property|column|field)\}"), "{property}"),
)


@dataclass(frozen=True, slots=True)
class Context:
    """Where rules stand: the dataset's columns by name, the column at hand if there is one, and the general policy."""

    columns: dict[str, ColumnPlan]
    column: ColumnPlan | None
    policy: Policy | None
    note: Callable[[str], None]

    def at(self, column: ColumnPlan) -> Context:
        """The same for one column's rules."""
        return replace(self, column=column)


def quality_rules(node: Node, context: Context) -> Iterator[RowRule | TableRule]:
    """The rules under an element's `quality`, with their own names where they have any, else a kind to name them by."""
    for rule in node.sound("quality"):
        match rule.data.get("type", "library"):
            case "library":
                yield from _library(rule, context)
            case "sql":
                yield from _sql(rule, context)
            case "custom" if rule.data["engine"] == VENDOR:
                yield from _expression(rule, context)
            case kind:
                engine = rule.data.get("engine", kind)
                context.note(_("rule of {engine} kept, not executed").format(engine=shown(engine)))


def _library(rule: Node, context: Context) -> Iterator[RowRule | TableRule]:
    metric = str(rule.data.get("metric"))
    if metric not in _ARGUMENTS:
        what = _("the rule measures nothing")
        rule.refuse(what, _("add a metric, such as `metric: nullValues`, or `type: text` if it is only described"))
        return
    arguments = _arguments(rule, metric)
    limit = threshold(rule)
    columns = _columns(arguments, context, rule, metric)
    if limit is None or (not columns and metric != "rowCount"):
        return
    if metric == "rowCount":
        yield _table_rule(rule, context, RowCount(), limit, metric)
    elif metric == "duplicateValues":
        names = tuple(column.name for column in columns)
        yield _table_rule(rule, context, Duplicates(names), limit, metric)
    else:
        for column in columns:
            if condition := _condition(metric, arguments, column):
                yield _row_rule(rule, context.at(column), condition, limit, metric, default=Policy.FAIL)


def _arguments(rule: Node, metric: str) -> Node:
    node = rule.child("arguments")
    node = node if isinstance(node.data, dict) else Node({}, node.path, node.problems)
    known = _ARGUMENTS[metric]
    for key in (key for key in node.data if key not in known):
        meant = nearest(key, list(known))
        do = _("did you mean {key}?").format(key=meant) if meant else _("remove it; known are: {keys}")
        what = _("{metric} has no argument {key}").format(metric=metric, key=shown(key))
        node.child(key).refuse(what, do.format(keys=", ".join(known) or "–"))
    for key in ("missingValues", "validValues", "properties"):
        if key in node.data and not (isinstance(node.data[key], list) and node.data[key]):
            node.child(key).refuse(_("{key} is not a list").format(key=key), _("write `{key}: […]`").format(key=key))
    return node


def _columns(arguments: Node, context: Context, rule: Node, metric: str) -> list[ColumnPlan]:
    """The columns a rule is about: those it names, else the column it stands at."""
    if arguments.problems.within(arguments.path):
        return []
    named = arguments.child("properties")
    if named.data is None:
        if context.column is None and metric != "rowCount":
            rule.refuse(_("the rule names no column"), _("move it to a column, or add `arguments: {properties: […]}`"))
        return [context.column] if context.column else []
    found = []
    for index, name in enumerate(named.data):
        if isinstance(name, str) and name in context.columns:
            found.append(context.columns[name])
            continue
        meant = nearest(str(name), list(context.columns))
        do = _("did you mean {key}?").format(key=meant) if meant else _("name a column of this dataset")
        named.child(index).refuse(_("there is no column {name}").format(name=shown(name)), do)
    return found


def _condition(metric: str, arguments: Node, column: ColumnPlan) -> Condition | None:
    if metric == "nullValues":
        return NotNull(column.name)
    if metric == "missingValues":
        values = arguments.child("missingValues")
        if values.data is None:
            return NoneOf(column.name, ("",), null_is_missing=True)
        return NoneOf(column.name, texts(values, column, loose=True), null_is_missing=None in values.data)
    return _validity(arguments, column)


def _validity(arguments: Node, column: ColumnPlan) -> Condition | None:
    conditions: list[Condition] = []
    if (valid := arguments.child("validValues")).data:
        conditions.append(OneOf(column.name, texts(valid, column)))
    if (pattern := arguments.child("pattern")).data:
        if not check_pattern(pattern):
            return None
        conditions.append(Matches(column.name, str(pattern.data)))
    if not conditions:
        what = _("invalidValues says not what is valid")
        arguments.refuse(what, _("add `arguments: {validValues: […]}` or `arguments: {pattern: …}`"))
        return None
    return conditions[0] if len(conditions) == 1 else AllOf(tuple(conditions))


def _sql(rule: Node, context: Context) -> Iterator[TableRule]:
    text = rule.data["query"]
    for found, standard in _PLACEHOLDERS:
        text = found.sub(standard, text)
    query = rule.child("query")
    if not text.strip() or len(text) > EXPRESSION_MAX:
        query.refuse(_("the query is empty or too long"), _("write one SELECT that gives one number"))
    if "{property}" in text and context.column is None:
        query.refuse(_("the query means a column, but stands at none"), _("write the column's name, or move the rule"))
    limit = threshold(rule, free_unit=True)
    if limit is not None:
        column = context.column.name if context.column else None
        yield _table_rule(rule, context, Query(text.strip(), column), limit, "sql")


def _expression(rule: Node, context: Context) -> Iterator[RowRule]:
    node = rule.child("implementation")
    if not isinstance(node.data, dict):
        node.refuse(_("the implementation is text"), _("write `implementation: {expression: amount > 0}`"))
        return
    for key in (key for key in node.data if key not in _IMPLEMENTATION):
        meant = nearest(key, list(_IMPLEMENTATION)) or "expression"
        what = _("the key {key} is unknown here").format(key=shown(key))
        node.child(key).refuse(what, _("did you mean {key}?").format(key=meant))
    if node.problems.within(node.path):
        return
    text = node.data.get("expression")
    if not isinstance(text, str) or not text.strip() or len(text) > EXPRESSION_MAX:
        node.refuse(_("the rule has no expression"), _("add `expression: amount > 0`, a condition over the row"))
        return
    yield _row_rule(rule, context, Holds(text.strip()), threshold(node), "expression", default=Policy.QUARANTINE)


def _row_rule(
    rule: Node,
    context: Context,
    condition: Condition,
    limit: Threshold | None,
    kind: str,
    *,
    default: Policy,
) -> RowRule:
    check_own(rule, ("policy",))
    level = severity(rule)
    policy = settled(own_policy(rule), context.policy, level, default=default)
    column = context.column.name if context.column else None
    return RowRule(_name(rule, kind, column), condition, policy, level, column, rule.data.get("dimension"), limit)


def _table_rule(rule: Node, context: Context, measure: Measure, limit: Threshold, kind: str) -> TableRule:
    check_own(rule, ("policy", "scope"))
    level = severity(rule)
    policy = table_policy(rule, own_policy(rule), context.policy, level)
    column = context.column.name if context.column and not isinstance(measure, RowCount) else None
    name = _name(rule, kind, column)
    return TableRule(name, measure, limit, policy, level, column, rule.data.get("dimension"), scope(rule))


def _name(rule: Node, kind: str, column: str | None) -> str:
    own = rule_name(str(rule.data.get("name") or ""))
    return own or (f"{column}.{kind}" if column else kind)
