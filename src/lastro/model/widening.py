"""Wider types: which hold every value of another, exactly.

Rules:

1. A whole number fits a whole type with more bits, a decimal with as many digits before the point, and up to 32 bits a
   double; a float fits a double.
2. A decimal fits one with no fewer digits on either side of the point.
3. A date fits a timestamp without zone, at midnight. A moment has no wider type.
4. Lists, maps and objects fit where their parts do; an object may have members more.
5. Nothing but text fits text: what a reader calculates with does not become text by itself.
"""

from __future__ import annotations

from lastro.model.schema import Decimal, ListOf, MapOf, Primitive, StructOf, Type

PRECISION_MAX = 38
WHOLE_DIGITS = {Primitive.BYTE: 3, Primitive.SHORT: 5, Primitive.INTEGER: 10, Primitive.LONG: 19}
"""Whole types, narrow to wide, and the digits of their largest value."""
_WIDER = {
    Primitive.FLOAT: (Primitive.DOUBLE,),
    Primitive.DATE: (Primitive.TIMESTAMP_NTZ,),
    Primitive.BYTE: (Primitive.SHORT, Primitive.INTEGER, Primitive.LONG, Primitive.FLOAT, Primitive.DOUBLE),
    Primitive.SHORT: (Primitive.INTEGER, Primitive.LONG, Primitive.FLOAT, Primitive.DOUBLE),
    Primitive.INTEGER: (Primitive.LONG, Primitive.DOUBLE),
}


def is_wider(old: Type, new: Type) -> bool:
    """True if every value of the old type is one of the new type; a type is as wide as itself."""
    match old, new:
        case _ if old == new:
            return True
        case Primitive(), Primitive():
            return new in _WIDER.get(old, ())
        case Primitive(), Decimal(precision, scale):
            return old in WHOLE_DIGITS and precision - scale >= WHOLE_DIGITS[old]
        case Decimal(), Decimal():
            return new.scale >= old.scale and new.precision - new.scale >= old.precision - old.scale
        case ListOf(first), ListOf(second):
            return is_wider(first, second)
        case MapOf(), MapOf():
            return is_wider(old.key, new.key) and is_wider(old.value, new.value)
        case StructOf(), StructOf():
            fields = {field.name: field.type for field in new.fields}
            return all(field.name in fields and is_wider(field.type, fields[field.name]) for field in old.fields)
        case _:
            return False


def widest(old: Type, new: Type) -> Type | None:
    """The narrowest type that holds both, None where there is none."""
    if is_wider(old, new):
        return new
    if is_wider(new, old):
        return old
    before, after = _digits(old), _digits(new)
    if before is not None and after is not None:
        whole, places = max(before[0], after[0]), max(before[1], after[1])
        return Decimal(whole + places, places) if whole + places <= PRECISION_MAX else None
    if {old, new} <= {Primitive.INTEGER, Primitive.FLOAT}:
        return Primitive.DOUBLE
    return None


def _digits(kind: Type) -> tuple[int, int] | None:
    """The digits before and after the point of an exact type."""
    match kind:
        case Decimal(precision, scale):
            return precision - scale, scale
        case Primitive() if kind in WHOLE_DIGITS:
            return WHOLE_DIGITS[kind], 0
        case _:
            return None
