"""Rules over rows that are there already: the door to what `engine.sql.stored` knows, which loads when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lastro.engine.sql.stored import StoredPlan
    from lastro.model.plan import Plan, RowRule, TableRule
    from lastro.model.schema import Schema


def stored_plan(plan: Plan, stored: Schema) -> StoredPlan:
    """A contract's plan for rows that are stored with these columns, and which rules cannot be judged on them.

    Raises `SqlRefused`.
    """
    from lastro.engine.sql import stored as rows

    return rows.restate(plan, stored)


def source_plan(plan: Plan, source: Schema, *, cleaned: bool) -> StoredPlan:
    """A contract's plan for rows as a source gives them, with these columns; `cleaned` says whether the contract's
    expressions are applied first. Raises `SqlRefused`.
    """
    from lastro.engine.sql import stored as rows

    return rows.at_source(plan, source, cleaned=cleaned)


def columns_read(plan: Plan, *, cleaned: bool) -> tuple[str, ...]:
    """The source's columns that `source_plan` looks at, in the plan's order. Raises `SqlRefused`."""
    from lastro.engine.sql.compile import read_columns

    if cleaned:
        return read_columns(plan)
    return tuple(dict.fromkeys(each.source for each in plan.columns))


def read_by(rule: RowRule | TableRule, plan: Plan) -> tuple[str, ...]:
    """The plan's columns that a rule reads, in the plan's order. Raises `SqlRefused`."""
    from lastro.engine.sql import stored as rows

    return rows.reads(rule, plan)


def tells_values(rule: RowRule | TableRule, plan: Plan) -> bool:
    """True if a rule's number may be a value of a column, or be made of some. Raises `SqlRefused`."""
    from lastro.engine.sql import stored as rows

    return rows.tells_values(rule, plan)
