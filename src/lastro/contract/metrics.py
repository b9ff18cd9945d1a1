"""Quality rules: library metrics, SQL queries and Lastro's own.

Rules:

1. `nullValues`, `missingValues` and `invalidValues` look at each row; `duplicateValues` and `rowCount` at the table.
2. They stand at a column, or at the schema object with `arguments.properties` naming columns: then row metrics make one
   rule per column, `duplicateValues` one over all of them together. `rowCount` needs no column.
3. `missingValues` counts its argument of the same name; without it, NULL and the empty text.
4. `invalidValues` needs `validValues`, `pattern` or both; a missing value is not invalid.
5. The unit is rows or percent of the rows read; without policy and with severity error they fail the batch.
6. `type: sql` gives one number (or a boolean, compared as 1 and 0). `{object}` is the table, `{property}` the column;
   the spellings of other tools (`${table}`, `{model}`, `{column}`, `{field}`) are turned into these.
7. `type: custom` with `engine: lastro` is one of Lastro's own (`implementations`).
8. `type: text` and other engines' rules are kept and noted as not executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lastro.contract.context import Context, row_rule, table_rule
from lastro.contract.document import Node, nearest, shown
from lastro.contract.implementations import EXPRESSION_MAX, implementation_rules
from lastro.contract.policy import VENDOR, threshold
from lastro.contract.rules import check_pattern, texts
from lastro.model.finding import Policy
from lastro.model.plan import (
    AllOf,
    ColumnPlan,
    Condition,
    Duplicates,
    Matches,
    NoneOf,
    NotNull,
    OneOf,
    Query,
    RowCount,
    RowRule,
    TableRule,
)
from lastro.model.text import _

_ARGUMENTS = {
    "nullValues": ("properties",),
    "missingValues": ("missingValues", "properties"),
    "invalidValues": ("validValues", "pattern", "properties"),
    "duplicateValues": ("properties",),
    "rowCount": (),
}
_PLACEHOLDERS = (
    (re.compile(r"\$?\{(?:object|table|model)\}"), "{object}"),
    (re.compile(r"\$?\{(?:property|column|field)\}"), "{property}"),
)


def quality_rules(node: Node, context: Context) -> Iterator[RowRule | TableRule]:
    """The rules under an element's `quality`, with their own names where they have any, else a kind to name them by."""
    for rule in node.sound("quality"):
        match rule.data.get("type", "library"):
            case "library":
                yield from _library(rule, context)
            case "sql":
                yield from _sql(rule, context)
            case "custom" if rule.data["engine"] == VENDOR:
                yield from implementation_rules(rule, context)
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
        yield table_rule(rule, context, RowCount(), limit, metric)
    elif metric == "duplicateValues":
        names = tuple(column.name for column in columns)
        yield table_rule(rule, context, Duplicates(names), limit, metric)
    else:
        for column in columns:
            if condition := _condition(metric, arguments, column):
                yield row_rule(rule, context.at(column), condition, limit, metric, default=Policy.FAIL)


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
        yield table_rule(rule, context, Query(text.strip(), column), limit, "sql")
