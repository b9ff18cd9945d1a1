"""Rules of Lastro's own: `type: custom`, `engine: lastro`, and one of these under `implementation`.

Rules:

1. On each row, and setting rows aside unless told otherwise: `expression`, a boolean SQL expression over the cleaned
   row; `identifier: cpf` (or another kind) and `encoding: clean`, of the text column they stand at.
2. Over the table: `references`, `sequence`, `spellings: consistent` and `duplicates: approximate` count rows, none of
   which may be there unless an operator says otherwise; `statistic` and `share` need an operator.
3. `share` is in percent unless told otherwise; a statistic has the unit of its column.
4. An operator and a unit stand beside them under `implementation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as Number

from lastro.contract.context import Context, row_rule, table_rule
from lastro.contract.document import Node, nearest, shown
from lastro.contract.policy import threshold
from lastro.contract.rules import texts
from lastro.model.errors import NameRefused
from lastro.model.finding import Policy
from lastro.model.plan import (
    Breaks,
    CleanText,
    ColumnPlan,
    Condition,
    Duplicates,
    Holds,
    Identifier,
    IdentifierKind,
    Measure,
    Operator,
    Orphans,
    RowRule,
    Share,
    Spellings,
    Statistic,
    StatisticKind,
    TableRule,
    Threshold,
    Unit,
)
from lastro.model.reference import Reference
from lastro.model.schema import Decimal, Primitive, Type
from lastro.model.text import _

EXPRESSION_MAX = 10_000

_MORE = {
    "expression": (),
    "identifier": (),
    "encoding": (),
    "references": (),
    "sequence": (),
    "statistic": ("quantile",),
    "share": (),
    "spellings": (),
    "duplicates": ("columns",),
}
"""What an implementation may be, and which keys then stand beside it."""
_COMPARISON = ("unit", *(operator.value for operator in Operator))
_NONE = Threshold(Operator.MUST_BE, (0.0,))
_WHOLE = (Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG)
_NUMBERS = (*_WHOLE, Primitive.FLOAT, Primitive.DOUBLE)
_ORDERED = (*_NUMBERS, Primitive.DATE, Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ)


def implementation_rules(rule: Node, context: Context) -> Iterator[RowRule | TableRule]:
    """The rule that an `implementation` describes, if it is sound."""
    node = rule.child("implementation")
    if not isinstance(node.data, dict):
        node.refuse(_("the implementation is text"), _("write `implementation: {expression: amount > 0}`"))
        return
    kind = _kind(node)
    if kind is None:
        return
    match kind:
        case "expression" | "identifier" | "encoding":
            limit = threshold(node)
            condition = _condition(kind, node, context)
            if condition is not None:
                yield row_rule(rule, context, condition, limit, kind, default=Policy.QUARANTINE)
        case _:
            measure = _measure(kind, node, context)
            limit = _limit(kind, node)
            if measure is not None and limit is not None:
                yield table_rule(rule, context, measure, limit, kind)


def _kind(node: Node) -> str | None:
    """Which one of the implementations it is; None if none or several, or with keys that are not its own."""
    kinds = [key for key in _MORE if key in node.data]
    known = [*_MORE, *_COMPARISON] if len(kinds) != 1 else [kinds[0], *_MORE[kinds[0]], *_COMPARISON]
    for key in (key for key in node.data if key not in known and (key not in _MORE or len(kinds) == 1)):
        meant = nearest(key, known) or (kinds or ["expression"])[0]
        what = _("the key {key} is unknown here").format(key=shown(key))
        node.child(key).refuse(what, _("did you mean {key}?").format(key=meant))
    if node.problems.within(node.path):
        return None
    if not kinds:
        node.refuse(_("the rule has no expression"), _("add `expression: amount > 0`, a condition over the row"))
    if len(kinds) > 1:
        node.refuse(_("the rule says several things at once"), _("keep one of {keys}").format(keys=", ".join(kinds)))
    return kinds[0] if len(kinds) == 1 else None


def _condition(kind: str, node: Node, context: Context) -> Condition | None:
    said = node.child(kind)
    if kind == "expression":
        text = said.data
        if not isinstance(text, str) or not text.strip() or len(text) > EXPRESSION_MAX:
            node.refuse(_("the rule has no expression"), _("add `expression: amount > 0`, a condition over the row"))
            return None
        return Holds(text.strip())
    column = _own_column(said, context, (Primitive.STRING,))
    if kind == "encoding":
        return CleanText(column.name) if _word(said, ("clean",)) and column else None
    found = _word(said, tuple(IdentifierKind))
    return Identifier(column.name, IdentifierKind(found)) if found and column else None


def _limit(kind: str, node: Node) -> Threshold | None:
    """What the measured number must be."""
    number = kind == "statistic"
    if kind == "share" and "unit" not in node.data:
        node = Node({**node.data, "unit": Unit.PERCENT.value}, node.path, node.problems)
    if number and "unit" in node.data:
        node.child("unit").refuse(_("a statistic has the unit of its column"), _("remove the unit"))
    limit = threshold(node, free_unit=number)
    if limit is None:
        if node.problems.within(node.path):
            return None
        if kind not in ("statistic", "share"):
            return _NONE
        node.refuse(_("the rule compares with nothing"), _("add an operator, such as `mustBeBetween: [1, 5]`"))
        return None
    return Threshold(limit.operator, limit.operands, None) if number else limit


def _measure(kind: str, node: Node, context: Context) -> Measure | None:
    said = node.child(kind)
    match kind:
        case "references":
            return _references(said, context)
        case "sequence":
            return _sequence(said, context)
        case "statistic":
            return _statistic(node, context)
        case "share":
            return _share(said, context)
        case "spellings":
            column = _own_column(said, context, (Primitive.STRING,))
            return Spellings(column.name) if _word(said, ("consistent",)) and column else None
        case _:
            return _duplicates(node, context)


def _references(said: Node, context: Context) -> Orphans | None:
    if not _keys(
        said, ("dataset", "columns"), _("write `references: {dataset: customers, columns: {customer_id: id}}`")
    ):
        return None
    dataset, pairs = said.child("dataset"), said.child("columns")
    try:
        Reference.parse(str(dataset.data))
    except NameRefused as error:
        dataset.refuse(error.what, _("name a dataset of this workspace, such as customers or customers@17"))
    if not isinstance(pairs.data, dict) or not pairs.data:
        pairs.refuse(_("the columns of both datasets are not paired"), _("write them as in `{customer_id: id}`"))
        return None
    for own, their in pairs.data.items():
        if _column(pairs.child(own), own, context) and not (isinstance(their, str) and their):
            pairs.child(own).refuse(_("the other dataset's column has no name"), _("write its name"))
    return None if said.problems.within(said.path) else Orphans(str(dataset.data), tuple(pairs.data.items()))


def _sequence(said: Node, context: Context) -> Breaks | None:
    if not _keys(said, ("column", "step", "by"), _("write `sequence: {column: id, step: 1}`")):
        return None
    own = said.child("column")
    column = _column(own, own.data, context) if own.data is not None else _own_column(said, context, ())
    by = None if said.child("by").data is None else _column(said.child("by"), said.data["by"], context)
    step = said.data.get("step", None if by else 1)
    if column is None or said.problems.within(said.path):
        return None
    stepping = (*_WHOLE, Primitive.DATE)
    if step is not None and (isinstance(step, bool) or not isinstance(step, int | float) or step == 0):
        said.child("step").refuse(_("the step is no number"), _("write a number, such as `step: 1`"))
    elif step is not None and column.type not in stepping and not isinstance(column.type, Decimal):
        said.refuse(_("{column} has no steps").format(column=column.name), _("leave out `step` and give `by`"))
    elif step is not None and _is_finer(step, column.type):
        said.child("step").refuse(_("the step is finer than the column"), _("write a step that its values can take"))
    for each in (column, by):
        if each is not None and each.type not in _ORDERED and not isinstance(each.type, Decimal):
            said.refuse(_("{column} has no order").format(column=each.name), _("use numbers, dates or moments"))
    if said.problems.within(said.path):
        return None
    return Breaks(column.name, None if step is None else f"{Number(str(step)):f}", by.name if by else None)


def _is_finer(step: float, kind: Type) -> bool:
    """Whether no two values of the type can be so far apart."""
    scaled = Number(str(step)).scaleb(kind.scale if isinstance(kind, Decimal) else 0)
    return scaled != scaled.to_integral_value() or abs(scaled) >= 10**18


def _statistic(node: Node, context: Context) -> Statistic | None:
    said, quantile = node.child("statistic"), node.child("quantile")
    column = _own_column(said, context, _NUMBERS)
    found = _word(said, tuple(StatisticKind))
    if found is None:
        return None
    kind, part = StatisticKind(found), quantile.data
    if kind is not StatisticKind.QUANTILE:
        if part is not None:
            quantile.refuse(_("this statistic has no quantile"), _("write `statistic: quantile`, or remove it"))
        part = None
    elif isinstance(part, bool) or not isinstance(part, int | float) or not 0 <= part <= 1:
        quantile.refuse(_("the quantile is no number from 0 to 1"), _("write one, such as `quantile: 0.95`"))
        return None
    return Statistic(column.name, kind, None if part is None else float(part)) if column else None


def _share(said: Node, context: Context) -> Share | None:
    if not _keys(said, ("value",), _("write `share: {value: SP}`")):
        return None
    column = _own_column(said, context, ())
    value = said.child("value")
    if value.data is None or isinstance(value.data, dict | list):
        value.refuse(_("the share is of no value"), _("write `share: {value: SP}`"))
        return None
    if column is not None and (not isinstance(column.type, Primitive | Decimal) or column.type is Primitive.BINARY):
        said.refuse(_("the rule does not fit the type of {column}").format(column=column.name), _("use it elsewhere"))
        return None
    found = texts(Node([value.data], value.path, value.problems), column) if column else ()
    return Share(column.name, found[0]) if column and found else None


def _duplicates(node: Node, context: Context) -> Duplicates | None:
    said, named = node.child("duplicates"), node.child("columns")
    if _word(said, ("approximate",)) is None:
        return None
    if named.data is None:
        column = _own_column(said, context, ())
        return Duplicates((column.name,), approximate=True) if column else None
    if not isinstance(named.data, list) or not named.data:
        named.refuse(_("{key} is not a list").format(key="columns"), _("write `{key}: […]`").format(key="columns"))
        return None
    columns = [_column(named.child(index), name, context) for index, name in enumerate(named.data)]
    found = tuple(column.name for column in columns if column)
    return Duplicates(found, approximate=True) if len(found) == len(columns) else None


def _own_column(said: Node, context: Context, kinds: tuple[Type, ...]) -> ColumnPlan | None:
    """The column that the rule stands at, if it is of one of these types; numbers include decimals."""
    column = context.column
    if column is None:
        said.refuse(_("the rule names no column"), _("move it to a column"))
        return None
    fits = not kinds or column.type in kinds or (isinstance(column.type, Decimal) and kinds == _NUMBERS)
    if fits:
        return column
    do = _("use it at a column of numbers") if kinds == _NUMBERS else _("use it at a column of text")
    said.refuse(_("the rule does not fit the type of {column}").format(column=column.name), do)
    return None


def _column(node: Node, name: object, context: Context) -> ColumnPlan | None:
    if isinstance(name, str) and name in context.columns:
        return context.columns[name]
    meant = nearest(str(name), list(context.columns))
    do = _("did you mean {key}?").format(key=meant) if meant else _("name a column of this dataset")
    node.refuse(_("there is no column {name}").format(name=shown(name)), do)
    return None


def _word(said: Node, known: tuple[str, ...]) -> str | None:
    """The word, if it is one of those that are known."""
    if isinstance(said.data, str) and said.data in known:
        return said.data
    meant = nearest(str(said.data), list(known))
    do = _("did you mean {key}?").format(key=meant) if meant else _("use one of {keys}").format(keys=", ".join(known))
    said.refuse(_("{value!r} is unknown here").format(value=shown(said.data)), do)
    return None


def _keys(said: Node, known: tuple[str, ...], example: str) -> bool:
    """Whether it is a mapping with known keys only; what is not is noted."""
    if not isinstance(said.data, dict):
        said.refuse(_("the rule does not say of what"), example)
        return False
    for key in (key for key in said.data if key not in known):
        meant = nearest(key, list(known))
        what = _("the key {key} is unknown here").format(key=shown(key))
        said.child(key).refuse(what, _("did you mean {key}?").format(key=meant) if meant else example)
    return not said.problems.within(said.path)
