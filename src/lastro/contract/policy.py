"""What becomes of what a rule refuses: policies, severities, thresholds, and Lastro's own custom properties.

Rules:

1. Lastro reads custom properties with `vendor: lastro` only, and refuses those it does not know; all others are kept.
2. Known ones: on a schema object `policy`, `quarantinedMax`, `ignored`, `elements`; on a column `policy`, `added`,
   `widened`; on a rule `policy`, `scope`, `suggested`; on a server `source`.
3. A rule's own policy wins; for a column's built-in rules then the column's; then the schema object's; then the
   default.
4. A severity of `warning` or `info` makes the default policy `warn`; only an explicit policy overrules that.
5. Severities are free text in ODCS: common English and Portuguese words are understood, others refused.
6. A threshold has one of the eight operators; `Between` takes two numbers, the smaller first, both included.
"""

from __future__ import annotations

import re

from lastro.contract.document import Node, nearest, shown
from lastro.model.finding import Policy, Severity
from lastro.model.plan import Operator, Scope, Threshold, Unit
from lastro.model.text import _

VENDOR = "lastro"
ADDED, WIDENED = "added", "widened"
"""Properties that Lastro gives to a column it added, or whose type it widened."""
SUGGESTED = "suggested"
"""The property of a rule that Lastro suggested: `{from: [loans@0, loans@3], why: …}`."""
ELEMENTS = "elements"
"""The property of a dataset whose rows are the elements of a list in another one: `{of: orders, path: [items]}`."""

SOURCE = "source"
"""The property of a server that says how Lastro reads it: options of a source."""

_SEVERITIES = {
    Severity.ERROR: "error critical blocker fatal high severe major "
    "erro crítica crítico critica critico alta alto grave",
    Severity.WARNING: "warning warn medium moderate minor aviso alerta média médio media medio",
    Severity.INFO: "info information informational low notice trivial informação informacao baixa baixo",
}
_SEVERITY_OF = {word: severity for severity, words in _SEVERITIES.items() for word in words.split()}
_UNITS = {"rows": Unit.ROWS, "row": Unit.ROWS, "percent": Unit.PERCENT, "percentage": Unit.PERCENT, "%": Unit.PERCENT}
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(rows|row|percent|%)?\s*")


def own_property(node: Node, name: str) -> Node | None:
    """The value of one of Lastro's custom properties of an element, or None."""
    for item in _own(node):
        if item.data["property"] == name:
            return item.child("value")
    return None


def check_own(node: Node, known: tuple[str, ...]) -> None:
    """Notes every custom property with `vendor: lastro` that is not known at this place."""
    for item in _own(node):
        name = str(item.data["property"])
        if name in known:
            continue
        meant = nearest(name, list(known))
        do = _("did you mean {key}?").format(key=meant) if meant else _("use one of {keys}, or another vendor")
        what = _("Lastro knows no property {name} here").format(name=shown(name))
        item.child("property").refuse(what, do.format(keys=", ".join(known)))


def own_policy(node: Node) -> Policy | None:
    """The policy that an element states for itself, or None."""
    value = own_property(node, "policy")
    if value is None:
        return None
    try:
        return Policy(value.data)
    except ValueError:
        what = _("{value!r} is not a policy").format(value=shown(value.data))
        value.refuse(what, _("use one of {keys}").format(keys=", ".join(Policy)))
        return None


def severity(node: Node) -> Severity:
    """The severity a rule states; `error` where it says nothing."""
    text = node.child("severity")
    if text.data is None:
        return Severity.ERROR
    found = _SEVERITY_OF.get(str(text.data).strip().lower())
    if found is None:
        what = _("{value!r} is not a severity").format(value=shown(text.data))
        text.refuse(what, _("use one of {keys}").format(keys=", ".join(reversed(Severity))))
    return found or Severity.ERROR


def settled(stated: Policy | None, general: Policy | None, level: Severity, *, default: Policy) -> Policy:
    """The policy of a rule: its own, else that of its severity, else the schema object's, else the default."""
    if stated is not None:
        return stated
    if level is not Severity.ERROR:
        return Policy.WARN
    return general or default


def table_policy(node: Node, stated: Policy | None, general: Policy | None, level: Severity) -> Policy:
    """As `settled`, for a rule over many rows, which has no rows to set aside."""
    if stated is Policy.QUARANTINE:
        node.refuse(_("this rule has no rows to quarantine"), _("use the policy fail or warn"))
    policy = settled(stated, general, level, default=Policy.FAIL)
    return Policy.FAIL if policy is Policy.QUARANTINE else policy


def scope(node: Node) -> Scope:
    """Which rows a table rule sees; the whole table where it says nothing."""
    value = own_property(node, "scope")
    if value is None:
        return Scope.TABLE
    try:
        return Scope(value.data)
    except ValueError:
        what = _("{value!r} is not a scope").format(value=shown(value.data))
        value.refuse(what, _("use one of {keys}").format(keys=", ".join(Scope)))
        return Scope.TABLE


def threshold(node: Node, *, free_unit: bool = False) -> Threshold | None:
    """The threshold of a rule, or None if it has no operator or a wrong one, which is noted.

    With `free_unit` the number has a unit of its own, as a query's has.
    """
    given = [operator for operator in Operator if operator.value in node.data]
    if len(given) > 1:
        node.refuse(_("the rule has several operators"), _("keep one; write a second rule for the other"))
    if len(given) != 1:
        return None
    operator = given[0]
    operands = _operands(node.child(operator.value), pair="Between" in operator.value)
    unit = Unit.ROWS if free_unit else _unit(node.child("unit"))
    return Threshold(operator, operands, unit) if operands and unit else None


def quarantined_max(node: Node) -> Threshold | None:
    """How much of a batch may be set aside: `5 percent`, `100 rows`, a number of rows, or an operator and a unit."""
    value = own_property(node, "quarantinedMax")
    if value is None:
        return None
    limit: Threshold | None = None
    if isinstance(value.data, dict):
        limit = threshold(value)
    elif not isinstance(value.data, bool) and (found := _AMOUNT.fullmatch(str(value.data))):
        limit = Threshold(Operator.LESS_OR_EQUAL, (float(found[1]),), _UNITS[found[2] or "rows"])
    if limit is None and not value.problems.within(value.path):
        what = _("{value!r} is not an amount of rows").format(value=shown(value.data))
        value.refuse(what, _("write `5 percent`, `100 rows`, or `{mustBeLessThan: 5, unit: percent}`"))
    return limit


def ignored_columns(node: Node) -> frozenset[str]:
    """The source's columns that the contract knows and leaves out."""
    value = own_property(node, "ignored")
    if value is None:
        return frozenset()
    names = value.data if isinstance(value.data, list) else [value.data]
    if not all(isinstance(name, str) and name for name in names):
        value.refuse(_("the columns to ignore are no list of names"), _("write them as in `[created_by, updated_by]`"))
        return frozenset()
    return frozenset(names)


def check_elements(node: Node) -> None:
    """Notes an `elements` that does not say of which dataset and list."""
    value = own_property(node, ELEMENTS)
    if value is None:
        return
    said = value.data if isinstance(value.data, dict) else {}
    path = said.get("path")
    names = path if isinstance(path, list) and path else [None]
    if not isinstance(said.get("of"), str) or not all(isinstance(name, str) and name for name in names):
        value.refuse(_("it does not say whose elements the rows are"), _("write {of: orders, path: [items]}"))


def _own(node: Node) -> list[Node]:
    return [item for item in node.sound("customProperties") if item.data.get("vendor") == VENDOR]


def _operands(node: Node, *, pair: bool) -> tuple[float, ...]:
    values = node.data if pair and isinstance(node.data, list) else [node.data]
    numbers = tuple(float(value) for value in values if isinstance(value, int | float))
    if len(numbers) != (2 if pair else 1) or len(numbers) != len(values):
        do = _("write two numbers, as in `[1, 5]`") if pair else _("write a number")
        node.refuse(_("the rule compares with no fitting number"), do)
        return ()
    if pair and numbers[0] > numbers[1]:
        node.refuse(_("the larger number stands first"), _("write the smaller number first"))
    return numbers


def _unit(node: Node) -> Unit | None:
    unit = _UNITS.get(str(node.data or "rows").strip().lower())
    if unit is None:
        what = _("{value!r} is not a unit").format(value=shown(node.data))
        node.refuse(what, _("use one of {keys}").format(keys=", ".join(Unit)))
    return unit
