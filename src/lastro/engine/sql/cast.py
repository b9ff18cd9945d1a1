"""Strict casts, the same in both engines: nothing is rounded, cut or guessed; what does not fit is NULL.

From text (blanks and tabs around it are allowed, NULL stays NULL):

1. Whole numbers: an optional sign and digits. `1.0`, `1e3`, `0x1F` and `1_000` are refused, and what is out of range.
2. Decimals: plain notation; digits beyond the scale must be zeros.
3. Doubles and floats: decimal or scientific notation, read to the nearest; an overflow is refused, and so are the texts
   `NaN` and `Infinity`: in text they stand for 'missing', and a source says which texts do.
4. Booleans: `true t 1 yes` and `false f 0 no`, in any case.
5. Dates: `YYYY-MM-DD`, years 0001 to 9999, or the column's format. A day that does not exist is refused.
6. Moments: ISO 8601 with `T` or one blank, hours and minutes, optional seconds with at most six digits of fraction.
   With a zone (`Z`, `+HH`, `+HHMM`, `+HH:MM`) for `timestamp`, where none means UTC; without one for `timestamp_ntz`.
   With the format `iso8601_ns` at most nine digits, of which the last three are cut off, as they are of `epoch_ns`.
7. Times of day: `HH:MM[:SS[.f]]`, kept as `HH:MM:SS` or, with a fraction that is not zero, `HH:MM:SS.ffffff`.
8. Binary: pairs of hexadecimal digits. Lists, structs and maps: JSON (see `nested`).

From typed sources:

9. Widening is free: whole numbers to wider ones and to decimals that hold them, date to moment at midnight (UTC),
   decimal to the nearest double, anything simple to text.
10. Narrowing is checked value by value: the result must equal the value. Numbers 1 and 0 are booleans.
11. Other pairs, such as a number to a date, are no cast at all: `SourceBroken` before anything runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from lastro.engine.sql import clockform, nested
from lastro.engine.sql.dialect import READ_CLOCK, Dialect, build, full_match, text, try_cast
from lastro.model.errors import ContractError, SourceBroken
from lastro.model.plan import ColumnPlan
from lastro.model.schema import Decimal, ListOf, MapOf, Primitive, StructOf, Type, type_text
from lastro.model.text import _

BLANKS = r"[ \t]*"
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_DAY = _YEAR + "-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_ZONE = "(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
_WHOLE = f"{BLANKS}[+-]?[0-9]+{BLANKS}"
_FLOATING = rf"{BLANKS}[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?{BLANKS}"
_WHOLES = {Primitive.BYTE: 3, Primitive.SHORT: 5, Primitive.INTEGER: 10, Primitive.LONG: 19}
"""Whole types, narrow to wide, and their digits."""
_FLOATS = (Primitive.FLOAT, Primitive.DOUBLE)
_MOMENTS = (Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ)


@dataclass(frozen=True, slots=True)
class Cast:
    """One column's cast. `trial` is worth computing once under the name that `value` uses for it; `total` casts give a
    value for every value, so that no rule need look.
    """

    value: exp.Expr
    trial: exp.Expr | None = None
    total: bool = False


def strict(source: exp.Expr, origin: Type | None, column: ColumnPlan, *, trial: exp.Expr, dialect: Dialect) -> Cast:
    """The cast of `source`, which has the type `origin` (None: always NULL), to the column's type.

    Raises `SourceBroken` for pairs of types between which there is no cast, `ContractError` for a useless format.
    """
    if origin is None:
        return Cast(try_cast(source, column.type), total=True)
    if origin == Primitive.STRING:
        return _from_text(source, column, trial, dialect)
    if column.is_time:
        raise _no_cast(origin, column)
    return _from_typed(source, origin, column, trial)


def _no_cast(origin: Type, column: ColumnPlan) -> SourceBroken:
    return SourceBroken(
        _("{name} is {origin} in the source and {target} in the contract").format(
            name=column.name, origin=type_text(origin), target="time" if column.is_time else type_text(column.type)
        ),
        where=column.source,
        do=_("change the contract's type, or say in transformLogic how the one becomes the other"),
    )


def _from_text(source: exp.Expr, column: ColumnPlan, trial: exp.Expr, dialect: Dialect) -> Cast:
    if column.is_time:
        return Cast(_time_of_day(source, column))
    if column.format is not None and column.type in (Primitive.DATE, *_MOMENTS):
        return Cast(_by_format(source, column, dialect))
    match column.type:
        case Primitive.STRING:
            return Cast(source.copy(), total=True)
        case Primitive.BYTE | Primitive.SHORT | Primitive.INTEGER | Primitive.LONG:
            return _checked(source, column.type, _WHOLE, trial, dialect)
        case Decimal(_, scale):
            return _checked(source, column.type, _decimal_pattern(scale), trial, dialect)
        case Primitive.DOUBLE | Primitive.FLOAT:
            return _floating(source, column.type, trial, dialect)
        case Primitive.BOOLEAN:
            return Cast(_boolean(source))
        case Primitive.DATE:
            return _checked(source, column.type, BLANKS + _DAY + BLANKS, trial, dialect, length=10)
        case Primitive.TIMESTAMP_NTZ:
            return _checked(source, column.type, f"{BLANKS}{_DAY}[T ]{_CLOCK}{BLANKS}", trial, dialect, length=19)
        case Primitive.TIMESTAMP:
            return _moment(source, column.zone, trial, dialect)
        case Primitive.BINARY:
            return Cast(build("CASE WHEN :m THEN unhex(:x) END", m=full_match(source, "(?:[0-9A-Fa-f]{2})*"), x=source))
        case ListOf() | MapOf() | StructOf():
            return Cast(nested.from_json(source, column, dialect, leaf=_leaf))


def _leaf(source: exp.Expr, column: ColumnPlan, dialect: Dialect) -> exp.Expr:
    """The cast of a text within a nested value, in one expression."""
    return inline(strict(source, Primitive.STRING, column, trial=exp.Placeholder(this="trial"), dialect=dialect))


def inline(cast: Cast, *, trial: exp.Expr | None = None) -> exp.Expr:
    """The cast as one expression, its trial written out wherever it is used (`trial`: the name it was given)."""
    name = trial if trial is not None else exp.Placeholder(this="trial")
    if cast.trial is None:
        return cast.value.copy()
    known = cast.trial

    def written(node: exp.Expr) -> exp.Expr:
        return known.copy() if node == name else node

    return cast.value.transform(written)


def _checked(
    source: exp.Expr,
    kind: Type,
    pattern: str,
    trial: exp.Expr,
    dialect: Dialect,
    *,
    length: int | None = None,
) -> Cast:
    """The engine's cast where the pattern matches.

    DuckDB's cast is lenient but fast, and a text that equals the value written back needs no pattern: comparing costs a
    third of matching. `length` excludes texts such as `infinity` that DuckDB writes as it reads.
    """
    if dialect == "spark":
        value = build("CASE WHEN :m THEN :v END", m=full_match(source, pattern), v=try_cast(_trimmed(source), kind))
        return Cast(value)
    same = "CAST(:v AS TEXT) = :x" if length is None else f"strlen(:x) = {length} AND CAST(:v AS TEXT) = :x"
    value = build(f"CASE WHEN {same} THEN :v WHEN :m THEN :v END", x=source, v=trial, m=full_match(source, pattern))
    return Cast(value, trial=try_cast(source, kind))


def _trimmed(source: exp.Expr) -> exp.Expr:
    return exp.Trim(this=source.copy(), expression=text(" \t"))


def _decimal_pattern(scale: int) -> str:
    if scale == 0:
        return rf"{BLANKS}[+-]?[0-9]+(?:\.0*)?{BLANKS}"
    return rf"{BLANKS}[+-]?(?:[0-9]+(?:\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{1,{scale}}}0*){BLANKS}"


def _floating(source: exp.Expr, kind: Type, trial: exp.Expr, dialect: Dialect) -> Cast:
    if dialect == "spark":
        value = build(
            "CASE WHEN :m AND ABS(:v) < :top THEN :v END",
            m=full_match(source, _FLOATING),
            v=try_cast(_trimmed(source), kind),
            top=exp.Cast(this=text("Infinity"), to=exp.DataType.build("DOUBLE")),
        )
        return Cast(value)
    # DuckDB reads `1_000` and `+-1`; all else that it reads as a finite double is well formed.
    value = build(
        "CASE WHEN isfinite(:v) AND NOT contains(:x, '_') AND NOT contains(:x, '+-') THEN :v END", x=source, v=trial
    )
    return Cast(value, trial=try_cast(source, kind))


def _boolean(source: exp.Expr) -> exp.Expr:
    # The usual two words first: they need neither trimming nor lower case, which cost four times as much.
    return build(
        "CASE WHEN :raw = 'true' THEN TRUE WHEN :raw = 'false' THEN FALSE"
        " WHEN LOWER(:x) IN ('true', 't', '1', 'yes') THEN TRUE"
        " WHEN LOWER(:x) IN ('false', 'f', '0', 'no') THEN FALSE END",
        raw=source,
        x=_trimmed(source),
    )


def _moment(source: exp.Expr, zone: str | None, trial: exp.Expr, dialect: Dialect) -> Cast:
    local = f"{BLANKS}{_DAY}[T ]{_CLOCK}"
    zoned, utc = _trimmed(source), build(":x || 'Z'", x=_trimmed(source))
    if dialect == "spark":
        zoned, utc = _spelled_out(zoned), _spelled_out(utc)
    slow = build(
        "CASE WHEN :zoned THEN :moment WHEN :local THEN :utc END",
        zoned=full_match(source, local + _ZONE + BLANKS),
        moment=try_cast(zoned, Primitive.TIMESTAMP),
        local=full_match(source, local + BLANKS),
        utc=_in_zone(try_cast(utc, Primitive.TIMESTAMP), zone, dialect),
    )
    if dialect == "spark" or zone is not None:
        return Cast(slow)
    # The two usual notations are compared with the value written back. The calendar behind casts to TIMESTAMPTZ costs
    # four times as much, and for UTC it is not needed.
    value = build(
        "CASE WHEN strlen(:x) = 19 AND CAST(:v AS TEXT) = :x THEN make_timestamptz(epoch_us(:v)) "
        "WHEN strlen(:x) = 20 AND strftime(:v, '%Y-%m-%dT%H:%M:%SZ') = :x THEN make_timestamptz(epoch_us(:v)) "
        "ELSE :slow END",
        x=source,
        v=trial,
        slow=slow,
    )
    return Cast(value, trial=try_cast(source, Primitive.TIMESTAMP_NTZ))


def _spelled_out(source: exp.Expr) -> exp.Expr:
    """A zoned moment with seconds and a zone `+HH:MM`, without which Spark's cast does not read it."""
    seconds = build(r"regexp_replace(:x, '([T ][0-9]{2}:[0-9]{2})(Z|[+-])', '\1:00\2')", x=source)
    minutes = build(r"regexp_replace(:x, '([+-][0-9]{2})([0-9]{2})$', '\1:\2')", x=seconds)
    return build(r"regexp_replace(:x, '(:[0-9.]+[+-][0-9]{2})$', '\1:00')", x=minutes)


def _in_zone(moment: exp.Expr, zone: str | None, dialect: Dialect) -> exp.Expr:
    """A moment in UTC whose clock showed this in another zone, as the moment that it was."""
    if zone is None:
        return moment
    if dialect == "spark":
        return exp.Anonymous(this="to_utc_timestamp", expressions=[moment, text(zone)])
    local = try_cast(moment, Primitive.TIMESTAMP_NTZ)
    return exp.Anonymous(this="timezone", expressions=[text(zone), local])


def _since_epoch(source: exp.Expr, column: ColumnPlan, dialect: Dialect) -> exp.Expr:
    if column.type != Primitive.TIMESTAMP:
        raise _useless_format(column)
    digits, unit = clockform.EPOCHS[column.format or ""]
    read = "make_timestamptz" if dialect == "duckdb" else "timestamp_micros"
    return build(
        f"CASE WHEN :m THEN {read}(CAST(FLOOR(CAST(:x AS DECIMAL(28, 9)) * {unit}) AS BIGINT)) END",
        m=full_match(source, rf"{BLANKS}-?[0-9]{{1,{digits}}}(?:\.[0-9]{{0,9}})?{BLANKS}"),
        x=_trimmed(source),
    )


def _cut(source: exp.Expr, column: ColumnPlan, dialect: Dialect) -> exp.Expr:
    """An ISO moment without what is finer than a microsecond."""
    if column.type not in _MOMENTS:
        raise _useless_format(column)
    fine = build(
        r"CASE WHEN :m THEN regexp_replace(:x, '([.][0-9]{6})[0-9]{1,3}', '\1') ELSE :x END",
        m=full_match(source, rf"{BLANKS}[0-9-]{{10}}[T ][0-9:]{{8}}[.][0-9]{{7,9}}{_ZONE}?{BLANKS}"),
        x=source,
    )
    return _leaf(fine, replace(column, format=None), dialect)


def _by_format(source: exp.Expr, column: ColumnPlan, dialect: Dialect) -> exp.Expr:
    if column.format == clockform.ISO_NS:
        return _cut(source, column, dialect)
    if column.format in clockform.EPOCHS:
        return _since_epoch(source, column, dialect)
    form = _form(column)
    if not form.has_date or (form.has_zone and column.type == Primitive.TIMESTAMP_NTZ):
        raise _useless_format(column)
    moment = exp.Anonymous(this=READ_CLOCK, expressions=[_trimmed(source), text(form.strptime)])
    if column.type == Primitive.DATE and form.has_time:
        day = try_cast(moment, Primitive.DATE)
        return build("CASE WHEN :d = :m THEN :d END", d=day, m=moment)
    if column.type == Primitive.TIMESTAMP and not form.has_zone:
        return _in_zone(try_cast(moment, column.type), column.zone, dialect)
    return try_cast(moment, column.type)


def _time_of_day(source: exp.Expr, column: ColumnPlan) -> exp.Expr:
    if column.format is not None:
        form = _form(column)
        if form.has_date or form.has_zone or not form.has_time:
            raise _useless_format(column)
        moment = exp.Anonymous(this=READ_CLOCK, expressions=[_trimmed(source), text(form.strptime)])
        whole = exp.TimeToStr(this=moment, format=text("%H:%M:%S.%f"))
        return build("CASE WHEN RIGHT(:t, 7) = '.000000' THEN LEFT(:t, 8) ELSE :t END", t=whole)
    return build(
        "CASE WHEN :m THEN CASE WHEN LENGTH(:t) = 5 THEN :t || ':00'"
        " WHEN :zero THEN LEFT(:t, 8) ELSE RPAD(:t, 15, '0') END END",
        m=full_match(source, BLANKS + _CLOCK + BLANKS),
        t=_trimmed(source),
        zero=full_match(_trimmed(source), r"[0-9:]{8}(?:\.0+)?"),
    )


def _form(column: ColumnPlan) -> clockform.ClockForm:
    return clockform.read(column.format or "", where=column.name)


def _useless_format(column: ColumnPlan) -> ContractError:
    return ContractError(
        _("the format {format!r} does not give a {kind}").format(
            format=column.format, kind="time" if column.is_time else type_text(column.type)
        ),
        where=column.name,
        do=_("a date needs %Y, %m and %d; a time of day needs no date; timestamp_ntz has no zone"),
    )


def _from_typed(source: exp.Expr, origin: Type, column: ColumnPlan, trial: exp.Expr) -> Cast:
    target = column.type
    if origin == target and column.expression is None:
        return Cast(source.copy(), total=True)
    if origin == target:  # an expression's type is inferred: a decimal may stand where a double is expected
        return Cast(try_cast(source, target))
    if widens(origin, target):
        return Cast(try_cast(source, target), total=True)
    if target == Primitive.STRING:
        return Cast(_written(source, origin, column), total=True)
    if _is_number(origin) and target == Primitive.BOOLEAN:
        return Cast(build("CASE WHEN :x = 1 THEN TRUE WHEN :x = 0 THEN FALSE END", x=source))
    if origin in _WHOLES and target in _FLOATS:
        top = exp.Literal.number(1 << (53 if target == Primitive.DOUBLE else 24))
        return Cast(
            build("CASE WHEN :x BETWEEN -:top AND :top THEN :v END", x=source, top=top, v=try_cast(source, target))
        )
    if (_is_number(origin) and _is_number(target)) or (origin in _MOMENTS and target == Primitive.DATE):
        return Cast(build("CASE WHEN :v = :x THEN :v END", v=trial, x=source), trial=try_cast(source, target))
    raise _no_cast(origin, column)


def _is_number(kind: Type) -> bool:
    return kind in _WHOLES or kind in _FLOATS or isinstance(kind, Decimal)


def widens(origin: Type, target: Type) -> bool:
    """True if every value of `origin` has its equal (for a decimal in a double: its nearest) in `target`."""
    match origin, target:
        case _ if origin == target:
            return True
        case ListOf(item), ListOf(wider):
            return widens(item, wider)
        case StructOf(fields), StructOf(others):
            names = [field.name for field in fields] == [field.name for field in others]
            return names and all(widens(field.type, other.type) for field, other in zip(fields, others, strict=True))
        case MapOf(key, value), MapOf(other_key, other_value):
            return key == other_key and widens(value, other_value)
        case Decimal(precision, scale), Decimal(wider_precision, wider_scale):
            return wider_scale >= scale and wider_precision - wider_scale >= precision - scale
        case Primitive(), Decimal(precision, scale) if origin in _WHOLES:
            return precision - scale >= _WHOLES[origin]
        case Decimal(), Primitive.DOUBLE:
            return True
        case Primitive(), Primitive():
            return _widens_simply(origin, target)
        case _:
            return False


def _widens_simply(origin: Primitive, target: Primitive) -> bool:
    if origin in _WHOLES and target in _WHOLES:
        return _WHOLES[origin] <= _WHOLES[target]
    if origin in _WHOLES and target in _FLOATS:
        return _WHOLES[origin] <= (10 if target == Primitive.DOUBLE else 5)
    if origin == Primitive.BOOLEAN:
        return target in _WHOLES
    return (origin, target) in {
        (Primitive.FLOAT, Primitive.DOUBLE),
        (Primitive.DATE, Primitive.TIMESTAMP_NTZ),
        (Primitive.DATE, Primitive.TIMESTAMP),
        (Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ),
        (Primitive.TIMESTAMP_NTZ, Primitive.TIMESTAMP),
    }


def _written(source: exp.Expr, origin: Type, column: ColumnPlan) -> exp.Expr:
    """A typed value as text; moments in ISO 8601 with six digits of fraction."""
    match origin:
        case Primitive.BINARY:
            raise _no_cast(origin, column)
        case Primitive.TIMESTAMP | Primitive.TIMESTAMP_NTZ:
            return as_text(source, origin)
        case ListOf() | MapOf() | StructOf():
            raise _no_cast(origin, column)
        case _:
            return try_cast(source, Primitive.STRING)


def as_text(source: exp.Expr, origin: Type) -> exp.Expr:
    """A raw value as the text that its own cast reads back: what a quarantined record holds."""
    match origin:
        case Primitive.STRING:
            return source.copy()
        case Primitive.TIMESTAMP:
            moment = try_cast(source, Primitive.TIMESTAMP_NTZ)
            return exp.TimeToStr(this=moment, format=text("%Y-%m-%dT%H:%M:%S.%fZ"))
        case Primitive.TIMESTAMP_NTZ:
            return exp.TimeToStr(this=source.copy(), format=text("%Y-%m-%dT%H:%M:%S.%f"))
        case Primitive.BINARY:
            return build("hex(:x)", x=source)
        case _:
            return try_cast(source, Primitive.STRING)
