"""Suggestions: what a rule that profiles speak for is, and which rules of that kind a contract has already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from lastro.model.plan import (
    AllOf,
    Condition,
    Duplicates,
    Holds,
    LengthWithin,
    Matches,
    NoneOf,
    NotNull,
    OneOf,
    Plan,
    RowCount,
    Within,
)
from lastro.model.profile import Profile

_RANGE = re.compile(r'"[^"]+" (?:BETWEEN|>=|<=|=) .*')
_LENGTH = re.compile(r'length\("[^"]+"\) .*')


class Kind(StrEnum):
    """What a suggested rule is about."""

    REQUIRED = "required"
    MISSING = "missing"
    ENUM = "enum"
    RANGE = "range"
    LENGTH = "length"
    PATTERN = "pattern"
    UNIQUE = "unique"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Observed:
    """One version as a witness: its reference, its profile, and for columns that may be unique how many rows repeat an
    earlier value.
    """

    reference: str
    profile: Profile
    repeated: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule, as ODCS has it, for a column or (None) for all rows; `why` are the counts that speak for it, in words."""

    kind: Kind
    column: str | None
    rule: dict[str, Any]  # Any: JSON values
    why: str

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The suggestion as plain values."""
        return {"kind": self.kind.value, "column": self.column, "rule": self.rule, "why": self.why}


@dataclass(frozen=True, slots=True)
class Suggested:
    """The rules that some versions speak for; `written` is the contract's file if they stand in it now."""

    dataset: str
    versions: tuple[str, ...]
    suggestions: tuple[Suggestion, ...]
    written: Path | None = None

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The suggestions as plain values."""
        return {
            "dataset": self.dataset,
            "versions": list(self.versions),
            "suggestions": [each.to_dict() for each in self.suggestions],
            "written": self.written,
        }


def between(column: str, low: str | None, high: str | None, *, length: bool = False) -> str:
    """The SQL condition that a column, or the length of its text, lies between two bounds, of which one may be None."""
    value = f'length("{column}")' if length else f'"{column}"'  # no column's name holds a quote
    if low == high:
        return f"{value} = {low}"
    if low is None or high is None:
        return f"{value} <= {high}" if low is None else f"{value} >= {low}"
    return f"{value} BETWEEN {low} AND {high}"


def ruled(plan: Plan) -> frozenset[tuple[str | None, Kind]]:
    """What a contract has rules about already, by column; None is the table."""
    found = {(rule.column or column, kind) for rule in plan.row_rules for column, kind in _about(rule.condition)}
    for rule in plan.table_rules:
        match rule.measure:
            case Duplicates((column,)):
                found.add((column, Kind.UNIQUE))
            case RowCount():
                found.add((None, Kind.ROWS))
    if len(plan.primary_key) == 1:
        found.add((plan.primary_key[0], Kind.UNIQUE))
    return frozenset(found)


def _about(condition: Condition) -> list[tuple[str | None, Kind]]:
    match condition:
        case NotNull(column):
            return [(column, Kind.REQUIRED), (column, Kind.MISSING)]
        case NoneOf(column, _, null_is_missing=True):
            return [(column, Kind.REQUIRED), (column, Kind.MISSING)]
        case OneOf(column):
            # A list of values says how long they are, what they look like, and which numbers.
            return [(column, kind) for kind in (Kind.ENUM, Kind.LENGTH, Kind.RANGE, Kind.PATTERN)]
        case Within(column):
            return [(column, Kind.RANGE)]
        case LengthWithin(column):
            return [(column, Kind.LENGTH)]
        case Matches(column):
            return [(column, Kind.LENGTH), (column, Kind.PATTERN)]
        case AllOf(conditions):
            return [each for inner in conditions for each in _about(inner)]
        case Holds(expression) if _LENGTH.fullmatch(expression):
            return [(None, Kind.LENGTH)]
        case Holds(expression) if _RANGE.fullmatch(expression):
            return [(None, Kind.RANGE)]
        case _:
            return []
