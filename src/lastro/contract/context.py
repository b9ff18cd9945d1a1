"""Where quality rules stand, and what all of them are made of: a name, a policy, a severity, a scope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lastro.contract.document import Node
from lastro.contract.naming import rule_name
from lastro.contract.policy import SUGGESTED, check_own, own_policy, scope, settled, severity, table_policy
from lastro.model.finding import Policy
from lastro.model.plan import ColumnPlan, Condition, Measure, RowCount, RowRule, TableRule, Threshold


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


def row_rule(
    rule: Node,
    context: Context,
    condition: Condition,
    limit: Threshold | None,
    kind: str,
    *,
    default: Policy,
) -> RowRule:
    """A rule on each row, named by its own name or by its column and kind."""
    check_own(rule, ("policy", SUGGESTED))
    level = severity(rule)
    policy = settled(own_policy(rule), context.policy, level, default=default)
    column = context.column.name if context.column else None
    return RowRule(_name(rule, kind, column), condition, policy, level, column, rule.data.get("dimension"), limit)


def table_rule(rule: Node, context: Context, measure: Measure, limit: Threshold, kind: str) -> TableRule:
    """A rule over many rows, named alike."""
    check_own(rule, ("policy", "scope", SUGGESTED))
    level = severity(rule)
    policy = table_policy(rule, own_policy(rule), context.policy, level)
    column = context.column.name if context.column and not isinstance(measure, RowCount) else None
    name = _name(rule, kind, column)
    return TableRule(name, measure, limit, policy, level, column, rule.data.get("dimension"), scope(rule))


def _name(rule: Node, kind: str, column: str | None) -> str:
    own = rule_name(str(rule.data.get("name") or ""))
    return own or (f"{column}.{kind}" if column else kind)
