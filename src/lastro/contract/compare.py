"""The differences between two contracts of a dataset, field by field: compatible or breaking.

Rules:

1. Breaking is what stored rows, or those who read them, cannot live with: another dataset, a column removed, a narrower
   or another type, a required column that was not, a new column that is required, a changed key, a value less in
   `enum`, tighter or other bounds, lengths, patterns and multiples, a new `unique`.
2. Compatible is what only adds or loosens: a wider type, a new column that may be missing, a longer `enum`, looser
   bounds.
3. Where and how values are read (`source`, `format`, `expression`), policies, quality rules and all that only describes
   is compatible: it concerns the next batch.
4. What a wider type is, `model.widening` says; it is what a stored table accepts, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lastro.contract.contract import Contract
from lastro.contract.literals import order
from lastro.model.plan import (
    ColumnPlan,
    Condition,
    LengthWithin,
    Matches,
    MultipleOf,
    OneOf,
    Plan,
    RowRule,
    TableRule,
    Within,
)
from lastro.model.schema import Type, type_text
from lastro.model.text import _
from lastro.model.widening import is_wider

_KINDS = {"enum": OneOf, "range": Within, "length": LengthWithin, "pattern": Matches, "multipleOf": MultipleOf}
_COMPILED = frozenset(
    {
        *("name", "logicalType", "logicalTypeOptions", "physicalType", "physicalName", "transformLogic", "required"),
        *("unique", "primaryKey", "primaryKeyPosition", "enum", "quality", "items", "properties", "map"),
    }
)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: the column (None for the contract itself), the field, and both states as text."""

    column: str | None
    field: str
    before: str | None
    after: str | None
    breaking: bool

    def to_dict(self) -> dict[str, str | bool | None]:
        """The change as plain values."""
        return {
            "column": self.column,
            "field": self.field,
            "before": self.before,
            "after": self.after,
            "breaking": self.breaking,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences between two contracts, in the columns' order; `before` and `after` are the contracts' digests."""

    before: str
    after: str
    changes: tuple[Change, ...]

    @property
    def breaking(self) -> bool:
        """True if at least one change is."""
        return any(change.breaking for change in self.changes)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The comparison as plain values."""
        return {
            "before": self.before,
            "after": self.after,
            "breaking": self.breaking,
            "changes": [change.to_dict() for change in self.changes],
        }


def compare(before: Contract, after: Contract) -> Comparison:
    """What changed from one contract to the next."""
    old, new = before.plan(), after.plan()
    changes = [
        *_contract_changes(before, after),
        *_column_changes(before, after),
        *_rule_changes(old, new),
    ]
    return Comparison(before.digest, after.digest, tuple(changes))


def _contract_changes(before: Contract, after: Contract) -> Iterator[Change]:
    old, new = before.plan(), after.plan()
    yield from _changed(None, "dataset", old.dataset, new.dataset, breaking=True)
    key = ", ".join(old.primary_key) or None, ", ".join(new.primary_key) or None
    yield from _changed(None, "primaryKey", *key, breaking=True)
    yield from _changed(None, "quarantinedMax", _shown(old.quarantined_max), _shown(new.quarantined_max))
    for name in sorted((before.document.keys() | after.document.keys()) - {"schema"}):
        yield from _changed(None, name, _shown(before.document.get(name)), _shown(after.document.get(name)))
    yield from _described(None, _object(before), _object(after), skip=frozenset({"name", "properties", "quality"}))


def _column_changes(before: Contract, after: Contract) -> Iterator[Change]:
    old = {column.name: column for column in before.plan().columns}
    new = {column.name: column for column in after.plan().columns}
    for name, column in old.items():
        if name not in new:
            yield Change(name, "column", type_text(column.type), None, breaking=True)
            continue
        yield from _one_column(column, new[name])
        yield from _limits(column, new[name], _conditions(before.plan(), name), _conditions(after.plan(), name))
        yield from _described(name, _property(before, name), _property(after, name), skip=_COMPILED)
    for name, column in new.items():
        if name not in old:
            yield Change(name, "column", None, type_text(column.type), breaking=not column.nullable)
    shared = [name for name in old if name in new]
    if shared != [name for name in new if name in old]:
        yield from _changed(None, "columns", ", ".join(old), ", ".join(new))


def _one_column(old: ColumnPlan, new: ColumnPlan) -> Iterator[Change]:
    types = type_text(old.type), type_text(new.type)
    yield from _changed(old.name, "type", *types, breaking=not is_wider(old.type, new.type))
    required = str(not old.nullable).lower(), str(not new.nullable).lower()
    yield from _changed(old.name, "required", *required, breaking=not new.nullable)
    yield from _changed(old.name, "isTime", str(old.is_time).lower(), str(new.is_time).lower(), breaking=True)
    for field in ("source", "expression", "format", "zone"):
        yield from _changed(old.name, field, getattr(old, field), getattr(new, field))


def _conditions(plan: Plan, column: str) -> dict[str, Condition]:
    """The built-in limits of a column, by kind."""
    found: dict[str, Condition] = {}
    for rule in plan.row_rules:
        for kind, condition in _KINDS.items():
            if rule.name == f"{column}.{kind}" and isinstance(rule.condition, condition) and rule.threshold is None:
                found[kind] = rule.condition
    return found


def _limits(
    before: ColumnPlan, after: ColumnPlan, old: dict[str, Condition], new: dict[str, Condition]
) -> Iterator[Change]:
    comparable = is_wider(before.type, after.type)
    for field in _KINDS:
        first, second = old.get(field), new.get(field)
        if first == second:
            continue
        looser = second is None or (first is not None and comparable and _is_looser(first, second, before.type))
        yield Change(before.name, field, _limit_text(first), _limit_text(second), breaking=not looser)


def _is_looser(old: Condition, new: Condition, kind: Type) -> bool:
    match old, new:
        case OneOf(), OneOf():
            return set(old.values) <= set(new.values)
        case LengthWithin(), LengthWithin():
            low = new.minimum is None or (old.minimum is not None and new.minimum <= old.minimum)
            return low and (new.maximum is None or (old.maximum is not None and new.maximum >= old.maximum))
        case Within(), Within():
            return _bound_looser(
                (old.minimum, old.exclusive_minimum), (new.minimum, new.exclusive_minimum), kind, sign=1
            ) and _bound_looser(
                (old.maximum, old.exclusive_maximum), (new.maximum, new.exclusive_maximum), kind, sign=-1
            )
        case _:
            return False


def _bound_looser(old: tuple[str | None, bool], new: tuple[str | None, bool], kind: Type, *, sign: int) -> bool:
    (first, first_open), (second, second_open) = old, new
    if second is None or first is None:
        return second is None
    left, right = order(first, kind), order(second, kind)
    if left == right:
        return first_open or not second_open
    return right < left if sign > 0 else right > left


def _rule_changes(old: Plan, new: Plan) -> Iterator[Change]:
    before, after = _rules(old), _rules(new)
    for name in (*before, *(name for name in after if name not in before)):
        first, second = before.get(name), after.get(name)
        either = first or after[name]
        if first == second or _is_limit(either):
            continue
        column = either.column
        breaking = first is None and name == f"{column}.unique"
        yield Change(column, f"rule {name}", _rule_text(first), _rule_text(second), breaking)


def _rules(plan: Plan) -> dict[str, RowRule | TableRule]:
    rules: tuple[RowRule | TableRule, ...] = (*plan.row_rules, *plan.table_rules)
    return {rule.name: rule for rule in rules}


def _is_limit(rule: RowRule | TableRule) -> bool:
    """True for rules whose changes are told by their column's fields already."""
    if not isinstance(rule, RowRule) or rule.column is None:
        return False
    return rule.name in {f"{rule.column}.{kind}" for kind in (*_KINDS, "type", "required")}


def _rule_text(rule: RowRule | TableRule | None) -> str | None:
    if rule is None:
        return None
    what = rule.condition if isinstance(rule, RowRule) else rule.measure
    return f"{what} {_shown(rule.threshold) or ''} {rule.policy.value}".replace("  ", " ")


def _limit_text(condition: Condition | None) -> str | None:
    match condition:
        case None:
            return None
        case OneOf(_column, values):
            return ", ".join(values)
        case Within():
            low = f"{'>' if condition.exclusive_minimum else '>='} {condition.minimum}" if condition.minimum else ""
            high = f"{'<' if condition.exclusive_maximum else '<='} {condition.maximum}" if condition.maximum else ""
            return _(" and ").join(part for part in (low, high) if part)
        case LengthWithin(_column, minimum, maximum):
            return f"{minimum if minimum is not None else 0} … {maximum if maximum is not None else '∞'}"
        case Matches(_column, pattern):
            return pattern
        case MultipleOf(_column, factor):
            return factor
        case _:
            return str(condition)


def _described(
    column: str | None,
    old: dict[str, Any],  # Any: JSON values
    new: dict[str, Any],  # Any: JSON values
    *,
    skip: frozenset[str],
) -> Iterator[Change]:
    for key in sorted((old.keys() | new.keys()) - skip):
        yield from _changed(column, key, _shown(old.get(key)), _shown(new.get(key)))


def _object(contract: Contract) -> dict[str, Any]:  # Any: JSON values
    return dict(next(item for item in contract.document["schema"] if item["name"] == contract.dataset))


def _property(contract: Contract, name: str) -> dict[str, Any]:  # Any: JSON values
    return dict(next(item for item in _object(contract)["properties"] if item["name"] == name))


def _changed(
    column: str | None, field: str, before: str | None, after: str | None, *, breaking: bool = False
) -> Iterator[Change]:
    if before != after:
        yield Change(column, field, before, after, breaking)


def _shown(value: object) -> str | None:
    return None if value is None else str(value)
