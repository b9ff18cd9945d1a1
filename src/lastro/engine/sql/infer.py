"""What type a person's expression has, as far as its cast needs to know: text is read strictly, numbers are compared.

A number whose exact type is not known counts as a double; None means the expression is NULL whatever the row.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from lastro.model.schema import Decimal, ListOf, MapOf, Primitive, StructOf, Type

_TEXTS = (
    exp.Trim, exp.Upper, exp.Lower, exp.Replace, exp.RegexpReplace, exp.RegexpExtract, exp.Substring, exp.Left,
    exp.Right, exp.Concat, exp.SplitPart, exp.Pad, exp.Translate, exp.Reverse, exp.TimeToStr, exp.DPipe,
)  # fmt: skip
_BOOLEANS = (
    exp.Boolean, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.NullSafeEQ,
    exp.NullSafeNEQ, exp.Between, exp.In, exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpFullMatch, exp.StartsWith,
    exp.EndsWith, exp.Contains,
)  # fmt: skip
_WHOLES = (
    exp.Length, exp.StrPosition, exp.IntDiv, exp.Extract, exp.DateDiff, exp.Year, exp.Month, exp.Day, exp.Hour,
    exp.Minute, exp.Second, exp.ArraySize,
)  # fmt: skip
_NUMBERS = (exp.Div, exp.Pow, exp.Sqrt, exp.Ln, exp.Log, exp.Exp, exp.Round, exp.Floor, exp.Ceil, exp.Sign)
_CASTS = {
    exp.DType.TEXT: Primitive.STRING,
    exp.DType.VARCHAR: Primitive.STRING,
    exp.DType.CHAR: Primitive.STRING,
    exp.DType.BIGINT: Primitive.LONG,
    exp.DType.INT: Primitive.INTEGER,
    exp.DType.SMALLINT: Primitive.SHORT,
    exp.DType.TINYINT: Primitive.BYTE,
    exp.DType.DOUBLE: Primitive.DOUBLE,
    exp.DType.FLOAT: Primitive.FLOAT,
    exp.DType.BOOLEAN: Primitive.BOOLEAN,
    exp.DType.DATE: Primitive.DATE,
    exp.DType.TIMESTAMP: Primitive.TIMESTAMP_NTZ,
    exp.DType.TIMESTAMPNTZ: Primitive.TIMESTAMP_NTZ,
    exp.DType.TIMESTAMPTZ: Primitive.TIMESTAMP,
}
_WHOLE_TYPES = (Primitive.LONG, Primitive.INTEGER, Primitive.SHORT, Primitive.BYTE)


def type_of(tree: exp.Expr, columns: Mapping[str, Type]) -> Type | None:
    """The type of an expression that has passed the door; `columns` maps names to types."""
    if isinstance(tree, _TEXTS):
        return Primitive.STRING
    if isinstance(tree, _BOOLEANS):
        return Primitive.BOOLEAN
    if isinstance(tree, _WHOLES):
        return Primitive.LONG
    if isinstance(tree, _NUMBERS):
        return Primitive.DOUBLE
    match tree:
        case exp.Column():
            return columns.get(tree.name)
        case exp.Literal():
            return Primitive.STRING if tree.is_string else Primitive.LONG if tree.is_int else Primitive.DOUBLE
        case exp.Paren() | exp.Neg() | exp.Abs() | exp.Nullif():
            return type_of(tree.this, columns)
        case exp.Cast():
            return cast_type(tree)
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Mod():
            return _arithmetic(tree, columns)
        case exp.Coalesce() | exp.Greatest() | exp.Least():
            return _first([tree.this, *tree.expressions], columns)
        case exp.Case():
            results = [branch.args["true"] for branch in tree.args["ifs"]]
            return _first([*results, tree.args.get("default")], columns)
        case exp.If():
            return _first([tree.args["true"], tree.args.get("false")], columns)
        case exp.DateFromParts():
            return Primitive.DATE
        case exp.StrToTime() | exp.TimestampTrunc() | exp.DateTrunc():
            return _moment(tree)
        case exp.Anonymous():
            return Primitive.LONG if str(tree.this).lower() == "date_part" else _moment(tree)
        case exp.Bracket() | exp.Dot():
            return _part(tree, columns)
        case _:
            return None


def cast_type(tree: exp.Cast) -> Type | None:
    """The type a cast names."""
    to = tree.to
    if to.this == exp.DType.DECIMAL:
        size = [int(part.name) for part in to.expressions]
        return Decimal(size[0], size[1] if len(size) > 1 else 0) if size else Decimal(18, 3)
    return _CASTS.get(to.this)


def days_between(tree: exp.Expr, columns: Mapping[str, Type]) -> exp.Expr:
    """The tree with `date - date` spelled as the days between them: an interval in Spark, a number in DuckDB."""

    def spelled(node: exp.Expr) -> exp.Expr:
        if (
            isinstance(node, exp.Sub)
            and type_of(node.this, columns) == type_of(node.expression, columns) == Primitive.DATE
        ):
            return exp.DateDiff(this=node.this, expression=node.expression, unit=exp.Var(this="DAY"))
        return node

    return tree.transform(spelled)


def _first(trees: list[exp.Expr | None], columns: Mapping[str, Type]) -> Type | None:
    found = [kind for tree in trees if tree is not None and (kind := type_of(tree, columns)) is not None]
    if len(set(found)) > 1 and all(
        isinstance(kind, Decimal) or kind in (*_WHOLE_TYPES, Primitive.DOUBLE) for kind in found
    ):
        return Primitive.DOUBLE
    return found[0] if found else None


def _arithmetic(tree: exp.Binary, columns: Mapping[str, Type]) -> Type | None:
    left, right = type_of(tree.this, columns), type_of(tree.expression, columns)
    moments = (Primitive.DATE, Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ)
    if left in moments:
        if right in moments:
            return Primitive.LONG
        return Primitive.TIMESTAMP_NTZ if left == Primitive.DATE else left
    return Primitive.LONG if left in _WHOLE_TYPES and right in _WHOLE_TYPES else Primitive.DOUBLE


def _moment(tree: exp.Expr) -> Type:
    form = tree.args.get("format") or (tree.expressions[1] if len(tree.expressions) > 1 else None)
    return Primitive.TIMESTAMP if form is not None and "%z" in form.name else Primitive.TIMESTAMP_NTZ


def _part(tree: exp.Expr, columns: Mapping[str, Type]) -> Type | None:
    match type_of(tree.this, columns):
        case ListOf(item):
            return item
        case MapOf(_, value):
            return value
        case StructOf(fields):
            name = tree.expression.name if isinstance(tree, exp.Dot) else tree.expressions[0].name
            return next((field.type for field in fields if field.name.casefold() == name.casefold()), None)
        case _:
            return None
