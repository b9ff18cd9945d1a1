"""Values of a contract as texts that an engine compares: enum values and bounds, in the form their column has.

Rules:

1. A value must fit its column's type; a text column takes text only, since YAML reads `01` as the number 1.
2. Whole numbers have no point, doubles always have one, decimals have their scale.
3. Dates are ISO; a date written in the column's own format is converted. Moments are in UTC with `+00:00`.
"""

from __future__ import annotations

import decimal
from datetime import UTC, date, datetime, time

from lastro.model.schema import Decimal, Primitive, Type

_EXACT = decimal.Context(prec=80, rounding=decimal.ROUND_HALF_EVEN)
_WHOLE = frozenset({Primitive.LONG, Primitive.INTEGER, Primitive.SHORT, Primitive.BYTE})


def literal(value: object, kind: Type, *, form: str | None = None, is_time: bool = False) -> str:
    """The value as a cell of that type shows itself as text. Raises `ValueError` if it does not fit the type."""
    match kind:
        case Primitive.STRING:
            return _time(value, form) if is_time else _text(value)
        case Primitive.BOOLEAN:
            return _boolean(value)
        case Primitive.DOUBLE | Primitive.FLOAT:
            return repr(float(_number(value)))
        case Primitive.DATE:
            return _date(_text(value), form)
        case Primitive.TIMESTAMP | Primitive.TIMESTAMP_NTZ:
            return _moment(_text(value), form, zoned=kind is Primitive.TIMESTAMP)
        case Decimal(_precision, scale):
            return _scaled(_number(value), scale)
        case Primitive() if kind in _WHOLE:
            return _scaled(_number(value), 0)
        case _:
            raise ValueError(str(kind))


def bound(value: object, kind: Type, *, form: str | None = None, is_time: bool = False) -> str:
    """The value as a bound: as `literal`, but a number may be finer than the column's type."""
    if isinstance(kind, Decimal) or kind in _WHOLE:
        return format(_number(value), "f")
    return literal(value, kind, form=form, is_time=is_time)


def order(text: str, kind: Type) -> tuple[decimal.Decimal, str]:
    """A key by which two bounds of one column compare."""
    numeric = isinstance(kind, Decimal) or kind in _WHOLE or kind in (Primitive.DOUBLE, Primitive.FLOAT)
    return (decimal.Decimal(text), "") if numeric else (decimal.Decimal(0), text)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(str(value))
    return value


def _number(value: object) -> decimal.Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(str(value))
    try:
        number = decimal.Decimal(str(value))
    except decimal.InvalidOperation as error:
        raise ValueError(str(value)) from error
    if not number.is_finite():
        raise ValueError(str(value))
    return number


def _scaled(number: decimal.Decimal, scale: int) -> str:
    try:
        scaled = number.quantize(decimal.Decimal(1).scaleb(-scale), context=_EXACT)
    except decimal.InvalidOperation as error:
        raise ValueError(str(number)) from error
    if scaled != number:
        raise ValueError(str(number))
    return format(scaled, "f")


def _boolean(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if str(value).lower() in ("true", "false"):
        return str(value).lower()
    raise ValueError(str(value))


def _date(text: str, form: str | None) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        if form is None:
            raise
        return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a date has no zone


def _moment(text: str, form: str | None, *, zoned: bool) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        if form is None:
            raise
        moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is settled below
    if not zoned and moment.tzinfo is not None:
        raise ValueError(text)
    if not zoned:
        return moment.isoformat(sep=" ")
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(sep=" ")


def _time(value: object, form: str | None) -> str:
    text = _text(value)
    try:
        return time.fromisoformat(text).isoformat()
    except ValueError:
        if form is None:
            raise
        return datetime.strptime(text, form).time().isoformat()  # noqa: DTZ007 - a time of day has no zone
