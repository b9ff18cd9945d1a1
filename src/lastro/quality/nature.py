"""What kind of promise a rule makes: the dimension of quality it is about, and the name of its kind.

Rules:

1. The contract's own word for the dimension wins. Without one, a rule has the one of ODCS's seven that its measure
   belongs to; a person's SQL belongs to none.
2. Kinds are named as data contract tools name theirs where they mean the same (`field_required`), else alike.
"""

from __future__ import annotations

from typing import NamedTuple

from lastro.model.plan import (
    AllOf,
    Breaks,
    CastHolds,
    CleanText,
    Condition,
    Duplicates,
    Foreseen,
    Holds,
    Identifier,
    LengthWithin,
    Matches,
    Measure,
    MultipleOf,
    NoneOf,
    NotNull,
    OneOf,
    Orphans,
    Query,
    RowCount,
    RowRule,
    Share,
    Spellings,
    Statistic,
    TableRule,
    Within,
)

COMPLETENESS, CONFORMITY, UNIQUENESS = "completeness", "conformity", "uniqueness"
ACCURACY, CONSISTENCY = "accuracy", "consistency"
COVERAGE, TIMELINESS = "coverage", "timeliness"


class Nature(NamedTuple):
    """A rule's kind, and its dimension if there is one."""

    kind: str
    dimension: str | None


def nature(rule: RowRule | TableRule) -> Nature:
    """What kind of rule it is, and which dimension it is about."""
    found = _of(rule.condition if isinstance(rule, RowRule) else rule.measure)
    return found if rule.dimension is None else Nature(found.kind, rule.dimension)


def _of(promise: Condition | Measure) -> Nature:
    match promise:
        case NotNull():
            return Nature("field_required", COMPLETENESS)
        case NoneOf():
            return Nature("field_missing_values", COMPLETENESS)
        case CastHolds():
            return Nature("field_type", CONFORMITY)
        case OneOf():
            return Nature("field_enum", CONFORMITY)
        case Matches():
            return Nature("field_regex", CONFORMITY)
        case Within():
            return Nature("field_range", CONFORMITY)
        case LengthWithin():
            return Nature("field_length", CONFORMITY)
        case MultipleOf():
            return Nature("field_multiple_of", CONFORMITY)
        case AllOf():
            return Nature("field_invalid_values", CONFORMITY)
        case Foreseen():
            return Nature("field_unforeseen", CONFORMITY)
        case Duplicates(columns):
            return Nature("field_unique" if len(columns) == 1 else "field_duplicate_values", UNIQUENESS)
        case Identifier(kind=kind):
            return Nature(f"field_identifier_{kind}", CONFORMITY)
        case CleanText():
            return Nature("field_encoding", CONFORMITY)
        case Orphans():
            return Nature("references", CONSISTENCY)
        case Breaks():
            return Nature("field_sequence", CONSISTENCY)
        case Spellings():
            return Nature("field_spellings", CONSISTENCY)
        case Statistic(kind=kind):
            return Nature(f"field_{kind}", ACCURACY)
        case Share():
            return Nature("field_share", ACCURACY)
        case RowCount():
            return Nature("row_count", COVERAGE)
        case Holds():
            return Nature("row_expression", None)
        case Query():
            return Nature("sql", None)
