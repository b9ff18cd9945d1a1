"""Row rules as SQL: for each condition, when a row breaks it.

Rules:

1. A missing value breaks `NotNull`, and `NoneOf` if it says so; it passes everything else. A value that is there but
   cannot be read is not missing: where `CastHolds` refuses the row, `NotNull` does not refuse it again.
2. Lists of values and bounds are literals: they are read in Python, exactly, as the column's own type. A value that no
   value of the type can equal is left out; a bound between two values of the type becomes the nearer one inside.
3. What is used again and again in a condition, such as the digits of an identifier, is a part of its own (`Row.part`).
4. A double is a multiple if the quotient is within 1e-9 (relative) of a whole number; everything else exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, InvalidOperation
from decimal import Decimal as Number

from sqlglot import exp

from lastro.engine.sql import door, identifiers, infer, mojibake, regex
from lastro.engine.sql.dialect import build, column, data_type, full_match, text, try_cast
from lastro.model.errors import ContractError
from lastro.model.plan import (
    AllOf,
    CastHolds,
    CleanText,
    ColumnPlan,
    Condition,
    Foreseen,
    Holds,
    Identifier,
    LengthWithin,
    Matches,
    MultipleOf,
    NoneOf,
    NotNull,
    OneOf,
    Within,
)
from lastro.model.schema import Decimal, ListOf, MapOf, Primitive, StructOf, Type, type_text
from lastro.model.text import _

_EXACT = Context(prec=100)
_RANGES = {
    Primitive.BYTE: 1 << 7,
    Primitive.SHORT: 1 << 15,
    Primitive.INTEGER: 1 << 31,
    Primitive.LONG: 1 << 63,
}
_FLOATS = (Primitive.DOUBLE, Primitive.FLOAT)


@dataclass(frozen=True, slots=True)
class Row:
    """What conditions are written over: the plan's columns, and when a column's cast failed (None: it cannot).

    `unreadable` are the columns whose failed casts refuse the row already, `unforeseen` the source's columns that the
    plan does not read. `part` names a tree that is used more than once; where it is not given, trees are repeated.
    """

    columns: Mapping[str, ColumnPlan]
    cast_failed: Callable[[str], exp.Expr | None]
    unreadable: frozenset[str] = frozenset()
    unforeseen: tuple[exp.Expr, ...] = ()
    part: identifiers.Part = field(default=lambda tree, _layer: tree)


def broken(condition: Condition, row: Row, *, rule: str) -> exp.Expr | None:
    """When a row breaks the condition, as a tree that may be NULL (not broken); None if no row can.

    Raises `ContractError` for literals that are none, `SqlRefused` for SQL and patterns.
    """
    match condition:
        case NotNull(name):
            missing = build(":c IS NULL", c=_column(name, row, rule))
            failed = row.cast_failed(name) if name in row.unreadable else None
            return missing if failed is None else exp.and_(missing, exp.Not(this=exp.Paren(this=failed)))
        case CastHolds(name):
            _column(name, row, rule)
            return row.cast_failed(name)
        case OneOf(name, values):
            listed = _listed(name, values, row, rule)
            return build("NOT :in", **{"in": listed}) if listed else build(":c IS NOT NULL", c=_column(name, row, rule))
        case NoneOf():
            return _none_of(condition, row, rule)
        case Matches(name, pattern):
            return build("NOT :m", m=exp.Paren(this=_matches(name, pattern, row, rule)))
        case Within():
            return _outside(condition, row, rule)
        case LengthWithin(name, minimum, maximum):
            length = _length(name, row, rule)
            return _any(
                None if minimum is None else build(f":l < {int(minimum)}", l=length),
                None if maximum is None else build(f":l > {int(maximum)}", l=length),
            )
        case MultipleOf(name, factor):
            return _no_multiple(name, factor, row, rule)
        case Holds(expression):
            tree = door.condition(expression, columns=tuple(row.columns), where=rule)
            types = {name: column.type for name, column in row.columns.items()}
            return exp.Not(this=exp.Paren(this=infer.days_between(tree, types)))
        case Foreseen():
            return _any_present(row.unforeseen)
        case Identifier(name, kind):
            valid = identifiers.is_valid(kind, _text(name, row, rule), row.part)
            return build(":c IS NOT NULL AND NOT COALESCE(:v, FALSE)", c=column(name), v=valid)
        case CleanText(name):
            return mojibake.is_there(_text(name, row, rule))
        case AllOf(conditions):
            return _any(*(broken(each, row, rule=rule) for each in conditions))


def _any(*parts: exp.Expr | None) -> exp.Expr | None:
    """The parts joined by OR. A part that is NULL must not hide one that is true, and in SQL's OR it does not."""
    present = [exp.Paren(this=part) for part in parts if part is not None]
    return exp.or_(*present) if present else None


def _any_present(values: tuple[exp.Expr, ...]) -> exp.Expr | None:
    """When any of these has a value; halved again and again, so that the tree is as flat as it can be."""
    if len(values) < 2:
        return build(":c IS NOT NULL", c=values[0]) if values else None
    middle = len(values) // 2
    return _any(_any_present(values[:middle]), _any_present(values[middle:]))


def _column(name: str, row: Row, rule: str) -> exp.Expr:
    if name not in row.columns:
        raise ContractError(
            _("the rule {rule} is about {name!r}, which is no column").format(rule=rule, name=name),
            where=rule,
            do=_("use one of: {names}").format(names=", ".join(list(row.columns)[:20])),
        )
    return column(name)


def _text(name: str, row: Row, rule: str) -> exp.Expr:
    value = _column(name, row, rule)
    if row.columns[name].type != Primitive.STRING:
        raise unfit(rule, name, row.columns[name].type)
    return value


def _listed(name: str, values: tuple[str, ...], row: Row, rule: str) -> exp.Expr | None:
    value = _column(name, row, rule)
    kind = row.columns[name].type
    if isinstance(kind, (ListOf, MapOf, StructOf)) or kind == Primitive.BINARY:
        raise unfit(rule, name, kind)
    literals = [literal for each in dict.fromkeys(values) if (literal := equal_literal(each, kind)) is not None]
    return exp.Paren(this=exp.In(this=value, expressions=literals)) if literals else None


def _none_of(condition: NoneOf, row: Row, rule: str) -> exp.Expr | None:
    value = _column(condition.column, row, rule)
    nested = isinstance(row.columns[condition.column].type, (ListOf, MapOf, StructOf))
    return _any(
        build(":c IS NULL", c=value) if condition.null_is_missing else None,
        None if nested else _listed(condition.column, condition.values, row, rule),
    )


def _matches(name: str, pattern: str, row: Row, rule: str) -> exp.Expr:
    value = _column(name, row, rule)
    kind = row.columns[name].type
    if isinstance(kind, (ListOf, MapOf, StructOf)) or kind == Primitive.BINARY or kind in _FLOATS:
        raise unfit(rule, name, kind)
    regex.read(pattern, where=rule)
    return full_match(value if kind == Primitive.STRING else try_cast(value, Primitive.STRING), pattern)


def _outside(condition: Within, row: Row, rule: str) -> exp.Expr | None:
    name = condition.column
    value = _column(name, row, rule)
    kind = row.columns[name].type
    parts: list[exp.Expr | None] = []
    if condition.minimum is not None:
        parts.append(_beyond(value, condition.minimum, kind, rule, below=True, exclusive=condition.exclusive_minimum))
    if condition.maximum is not None:
        parts.append(_beyond(value, condition.maximum, kind, rule, below=False, exclusive=condition.exclusive_maximum))
    return _any(*parts)


def _beyond(value: exp.Expr, bound: str, kind: Type, rule: str, *, below: bool, exclusive: bool) -> exp.Expr | None:
    """When the value lies beyond one bound."""
    if isinstance(kind, Decimal) or kind in _RANGES:
        limit, exclusive = _inner_bound(_number(bound, rule), kind, below=below, exclusive=exclusive)
        if limit is None:
            return None
        literal = _exact_literal(limit, kind)
        if literal is None:  # the bound lies outside the type: no value reaches it, or every value does
            beyond = (limit > 0) == below
            return build(":c IS NOT NULL", c=value) if beyond else None
    else:
        literal = _bound_literal(bound, kind, rule)
    sign = ("<=" if exclusive else "<") if below else (">=" if exclusive else ">")
    return build(f":c {sign} :b", c=value, b=literal)


def _inner_bound(bound: Number, kind: Type, *, below: bool, exclusive: bool) -> tuple[Number | None, bool]:
    """The bound as the nearest value of the type on the inner side, and whether that value itself is excluded."""
    if not bound.is_finite():
        return (None, False) if (bound < 0) == below else (bound, exclusive)
    step = Number(1).scaleb(-kind.scale if isinstance(kind, Decimal) else 0)
    inner = bound.quantize(step, rounding=ROUND_CEILING if below else ROUND_FLOOR, context=_EXACT)
    return inner, exclusive and inner == bound


def _number(written: str, rule: str) -> Number:
    try:
        number = Number(written.strip().strip("'"))
    except InvalidOperation:
        raise _no_literal(written, rule) from None
    if number.is_nan() or (number.is_finite() and abs(number.adjusted()) > 60):
        raise _no_literal(written, rule)
    return number


def _no_literal(written: str, rule: str) -> ContractError:
    return ContractError(
        _("the bound {text!r} cannot be read as a value of its column").format(text=written[:60]),
        where=rule,
        do=_("write numbers as 1.5, dates as 2026-01-31, moments as 2026-01-31T10:00:00Z"),
    )


def unfit(rule: str, name: str, kind: Type) -> ContractError:
    """The error for a rule about a column, or a literal, of a type that it does not work on."""
    return ContractError(
        _("the rule {rule} does not work on {name}, which is {kind}").format(
            rule=rule, name=name, kind=type_text(kind)
        ),
        where=rule,
        do=_("write the condition as a rule of type sql"),
    )


def _exact_literal(number: Number, kind: Type) -> exp.Expr | None:
    """The number as a literal of a whole or decimal type; None if no value of the type equals it."""
    if not number.is_finite():
        return None
    if isinstance(kind, Decimal):
        scaled = number.scaleb(kind.scale, context=_EXACT)
        if scaled != scaled.to_integral_value() or abs(scaled) >= Number(10) ** kind.precision:
            return None
        return _constant(f"{number:f}", kind)
    top = _RANGES[Primitive(kind)] if isinstance(kind, Primitive) else 0
    if number != number.to_integral_value() or not -top <= number < top:
        return None
    return exp.Literal.number(str(int(number)))


def _constant(written: str, kind: Type) -> exp.Expr:
    """A literal of ours, known to be one of the type."""
    return exp.Cast(this=text(written), to=data_type(kind))


def equal_literal(written: str, kind: Type) -> exp.Expr | None:
    """A literal of the type that equals the text's value; None if no value of the type does."""
    if kind == Primitive.STRING:
        return text(written)
    if kind == Primitive.BOOLEAN:
        return {"true": exp.true(), "false": exp.false()}.get(written.strip().lower())
    try:
        if isinstance(kind, Decimal) or kind in _RANGES:
            return _exact_literal(_number(written, ""), kind)
        return _bound_literal(written, kind, "")
    except ContractError:
        return None


def _bound_literal(written: str, kind: Type, rule: str) -> exp.Expr:
    """A literal of a text, double, date or moment type. Raises `ContractError`."""
    plain = written.strip().strip("'")
    try:
        match kind:
            case Primitive.STRING:
                return text(written)
            case Primitive.DOUBLE | Primitive.FLOAT:
                return _constant(repr(float(_number(written, rule))), Primitive.DOUBLE)
            case Primitive.DATE:
                return _constant(date.fromisoformat(plain).isoformat(), kind)
            case Primitive.TIMESTAMP | Primitive.TIMESTAMP_NTZ:
                return _constant(_moment_text(plain, kind), kind)
            case _:
                raise unfit(rule, written[:60], kind)
    except (ValueError, OverflowError) as error:
        if isinstance(error, ContractError):
            raise
        raise _no_literal(written, rule) from None


def _moment_text(written: str, kind: Type) -> str:
    moment = datetime.fromisoformat(written)
    if kind == Primitive.TIMESTAMP_NTZ:
        if moment.tzinfo is not None:
            raise ValueError("a zone where none is kept")
        return moment.isoformat(sep=" ", timespec="microseconds")
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds") + "+00:00"


def _length(name: str, row: Row, rule: str) -> exp.Expr:
    value = _column(name, row, rule)
    match row.columns[name].type:
        case Primitive.STRING:
            return exp.Length(this=value)
        case ListOf() | MapOf():
            return exp.ArraySize(this=value)
        case Primitive.BINARY:
            return build("octet_length(:c)", c=value)
        case StructOf() as kind:
            raise unfit(rule, name, kind)
        case _:
            return exp.Length(this=try_cast(value, Primitive.STRING))


def _no_multiple(name: str, factor: str, row: Row, rule: str) -> exp.Expr:
    value = _column(name, row, rule)
    kind = row.columns[name].type
    number = abs(_number(factor, rule)).normalize(_EXACT)
    if number == 0 or not number.is_finite():
        raise _no_literal(factor, rule)
    if kind in _FLOATS:
        quotient = build("CAST(:c AS DOUBLE) / :f", c=value, f=_constant(repr(float(number)), Primitive.DOUBLE))
        return build("ABS(:q - ROUND(:q)) > 1e-9 * GREATEST(1, ABS(:q))", q=exp.Paren(this=quotient))
    if kind in _RANGES and number == number.to_integral_value() and number < _RANGES[Primitive.LONG]:
        # 64-bit arithmetic costs a tenth of a decimal's.
        return build(":c % :f <> 0", c=try_cast(value, Primitive.LONG), f=_constant(f"{number:f}", Primitive.LONG))
    scale = kind.scale if isinstance(kind, Decimal) else 0
    whole_digits = kind.precision - kind.scale if isinstance(kind, Decimal) else 19
    if not isinstance(kind, Decimal) and kind not in _RANGES:
        raise unfit(rule, name, kind)
    exponent = number.as_tuple().exponent
    places = max(scale, -exponent if isinstance(exponent, int) else 0, 0)
    if whole_digits + places > 38 or number >= Number(10) ** (38 - places):
        raise _no_literal(factor, rule)
    wide = Decimal(38, places)
    divisor = _constant(f"{number:f}", wide)
    return build(":c % :f <> 0", c=try_cast(value, wide), f=divisor)
