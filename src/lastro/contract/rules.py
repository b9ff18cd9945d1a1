"""The rules a column brings along: from `required`, `enum`, `logicalTypeOptions` and its type.

Rules:

1. `<column>.type` for every column but plain text without an expression: a value that is there can be read as the type.
2. `<column>.required` from `required: true` and for every column of the primary key.
3. `<column>.enum` from `enum`; a missing value passes.
4. `<column>.range` from minimum, maximum and their exclusive forms (the tighter of two wins); an unsigned integer
   format means at least 0.
5. `<column>.length` from minLength, maxLength, minItems, maxItems and a vector's dimensions.
6. `<column>.pattern` from `pattern`: the whole value must match, in RE2's syntax.
7. `<column>.multipleOf` from `multipleOf`.
8. All quarantine, unless the column or the schema object states another policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lastro.contract.document import Node, shown
from lastro.contract.literals import bound, literal, order
from lastro.contract.types import option
from lastro.model.plan import (
    CastHolds,
    ColumnPlan,
    Condition,
    LengthWithin,
    Matches,
    MultipleOf,
    NotNull,
    OneOf,
    Within,
)
from lastro.model.schema import Primitive
from lastro.model.text import _

PATTERN_MAX = 2_000
REPEAT_MAX = 1_000

_NOT_LINEAR = re.compile(r"\(\?(?:[=!]|<[=!]|>|\(|P=)|\\[1-9]|\\k[<{]")
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_ONLY_RE2 = re.compile(r"\\[pPzQ]|\(\?<|\(\?[a-zA-Z]*U")


def built_in(node: Node, column: ColumnPlan) -> Iterator[tuple[str, Condition]]:
    """The kind and condition of each rule that a column brings along, in the order of the rules above."""
    text = column.type is Primitive.STRING and column.expression is None and not column.is_time
    if not text:
        yield "type", CastHolds(column.name)
    if not column.nullable:
        yield "required", NotNull(column.name)
    yield from (rule for rule in (_enum(node, column), _range(node, column), _length(node, column)) if rule)
    if (pattern := option(node, "pattern")) and check_pattern(node.child("logicalTypeOptions").child("pattern")):
        yield "pattern", Matches(column.name, str(pattern))
    if (factor := option(node, "multipleOf")) is not None:
        yield "multipleOf", MultipleOf(column.name, bound(factor, Primitive.LONG))


def check_pattern(node: Node) -> bool:
    """True if the value is a regular expression of a linear engine; else the problem is noted."""
    pattern = str(node.data)
    what = _pattern_error(pattern)
    if what:
        node.refuse(what, _("write a pattern in RE2's syntax: no look-around, no back-references"))
    return not what


def texts(node: Node, column: ColumnPlan, *, loose: bool = False) -> tuple[str, ...]:
    """A list's values as texts in the column's form; wrong ones are noted. Nothing is said of null, which is left out.

    With `loose`, as for placeholders of missing values, text that does not fit the type stays as it is.
    """
    found: list[str] = []
    for index, value in enumerate(node.data):
        if value is None:
            continue
        try:
            found.append(literal(value, column.type, form=column.format, is_time=column.is_time))
        except ValueError:
            if loose and isinstance(value, str):
                found.append(value)
            else:
                _refuse_value(node.child(index), column)
    return tuple(dict.fromkeys(found))


def _refuse_value(node: Node, column: ColumnPlan) -> None:
    what = _("{value!r} is no value of the column {name}").format(value=shown(node.data), name=column.name)
    if column.type is Primitive.STRING and not column.is_time:
        node.refuse(what, _("put it in quotes: the column holds text"))
    else:
        node.refuse(what, _("write it as a value of the column's type"))


def _enum(node: Node, column: ColumnPlan) -> tuple[str, Condition] | None:
    if not node.data.get("enum"):
        return None
    items = node.child("enum")
    values = Node([item["value"] for item in items.data], items.path, node.problems)
    return "enum", OneOf(column.name, texts(values, column))


def _range(node: Node, column: ColumnPlan) -> tuple[str, Condition] | None:
    low, low_open = _tighter(node, column, "minimum", "exclusiveMinimum", sign=1)
    high, high_open = _tighter(node, column, "maximum", "exclusiveMaximum", sign=-1)
    if low is None and str(option(node, "format")).startswith("u") and node.data["logicalType"] == "integer":
        low = "0"
    if low is None and high is None:
        return None
    if low is not None and high is not None and order(low, column.type) > order(high, column.type):
        options = node.child("logicalTypeOptions")
        options.refuse(_("the minimum is larger than the maximum"), _("exchange the two"))
    return "range", Within(column.name, low, high, exclusive_minimum=low_open, exclusive_maximum=high_open)


def _tighter(node: Node, column: ColumnPlan, closed: str, opened: str, *, sign: int) -> tuple[str | None, bool]:
    """The tighter of an inclusive and an exclusive bound, and whether it is the exclusive one."""
    first, second = _bound(node, column, closed), _bound(node, column, opened)
    if first is None or second is None:
        return (first, False) if second is None else (second, True)
    exclusive, inclusive = order(second, column.type), order(first, column.type)
    wins = exclusive >= inclusive if sign > 0 else exclusive <= inclusive
    return (second, True) if wins else (first, False)


def _bound(node: Node, column: ColumnPlan, key: str) -> str | None:
    value = option(node, key)
    if value is None:
        return None
    try:
        return bound(value, column.type, form=column.format, is_time=column.is_time)
    except ValueError:
        _refuse_value(node.child("logicalTypeOptions").child(key), column)
        return None


def _length(node: Node, column: ColumnPlan) -> tuple[str, Condition] | None:
    dimensions = option(node, "dimensions")
    low, high = dimensions, dimensions
    for shortest, longest in (("minLength", "maxLength"), ("minItems", "maxItems")):
        low = option(node, shortest) if low is None else low
        high = option(node, longest) if high is None else high
    if not isinstance(low, int) and not isinstance(high, int):
        return None
    low, high = (value if isinstance(value, int) else None for value in (low, high))
    if low is not None and high is not None and low > high:
        options = node.child("logicalTypeOptions")
        options.refuse(_("the smallest length is larger than the largest"), _("exchange the two"))
    return "length", LengthWithin(column.name, low, high)


def _pattern_error(pattern: str) -> str:
    if len(pattern) > PATTERN_MAX:
        return _("the pattern is longer than {n} letters").format(n=PATTERN_MAX)
    if found := _NOT_LINEAR.search(pattern):
        return _("the pattern uses {part}, which no linear engine can match").format(part=found[0])
    counts = [int(count) for repeat in _REPEAT.findall(pattern) for count in repeat if count]
    if counts and max(counts) > REPEAT_MAX:
        return _("the pattern repeats more than {n} times").format(n=REPEAT_MAX)
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        # What only RE2 understands is left to the engine.
        return "" if _ONLY_RE2.search(pattern) else _("the pattern is wrong: {why}").format(why=shown(error))
    return ""
