"""What a contract says of personal values, read from Lastro's custom properties.

Rules:

1. Of a column: `personal: {class: identifier, kind: cpf, evidence: …, confirmed: ana}`, or the class alone; and
   `protection: token`, or `{method: mask, keep: 4}`.
2. Of the schema object: `subject: cpf`, the column that says whom a row is about; `purposes`, a list of
   `{purpose: credit-scoring, basis: "LGPD art. 7, X", consent: true}`; `hold: {basis: "CTN art. 195", until:
   2031-01-31}`; `anonymity: {k: 5, l: 2, t: 0.2}`, from where on the dataset is called anonymised;
   `privacyBudget: 3`, how much epsilon private answers may cost in all.
3. Columns of one `kind` share their tokens across datasets; a column without a kind is of the kind of its own name.
4. Tokens, hashes, masks and redaction make text: their column is text. A primary key keeps rows apart, so that it is
   protected by `token` or `hash`, if at all. A subject's column that is protected is a `token`.
5. `mask` shows `keep` characters (4) `from` the `end` or `start`. `generalise` takes `bins` of numbers, a width or the
   edges; of dates and moments the unit `to` which they are cut; of a CEP `to: region`, or how many digits stay.
6. `encrypt` keeps the values, encrypted in the data files: of single values, not of lists or objects. A key or the
   subject's column is not encrypted: others would no longer tell rows apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from lastro.contract.document import Node, nearest, shown
from lastro.contract.policy import own_property
from lastro.model.keyed_path import can_be_encrypted
from lastro.model.personal import (
    Classified,
    Hold,
    Method,
    Personal,
    PersonalClass,
    Protection,
    Purpose,
    Subject,
    Thresholds,
)
from lastro.model.plan import ColumnPlan
from lastro.model.schema import Decimal, Primitive, Type
from lastro.model.text import _

PERSONAL, PROTECTION = "personal", "protection"
SUBJECT, PURPOSES, HOLD, ANONYMITY = "subject", "purposes", "hold", "anonymity"
RECODED = "recoded"
"""What Lastro says of rows that it made coarser (`contract.recoded`)."""
OF_COLUMN = (PERSONAL, PROTECTION)
BUDGET = "privacyBudget"
OF_DATASET = (SUBJECT, PURPOSES, HOLD, ANONYMITY, RECODED, BUDGET)

BUDGET_MAX = 1_000
_Said = Mapping[str, Any]  # Any: JSON values of a property
_TEXT = frozenset({Method.TOKEN, Method.HASH, Method.MASK, Method.REDACT})
OWN = "lastro:"
"""How the kinds begin that no contract names."""
_OF_DATES = frozenset({"week", "month", "quarter", "year", "decade"})
_WHOLE = frozenset({Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG})
_NUMBERS = _WHOLE | {Primitive.FLOAT, Primitive.DOUBLE}
_OPTIONS: Mapping[Method, tuple[str, ...]] = {
    Method.MASK: ("keep", "from"),
    Method.GENERALISE: ("to", "bins"),
}


def personal(
    node: Node, nodes: Mapping[str, Node], columns: Mapping[str, ColumnPlan], key: tuple[str, ...]
) -> Personal:
    """What a schema object and its columns say of personal values; what is wrong is noted."""
    classes = tuple(found for name, each in nodes.items() if (found := _class(name, each)))
    kinds = {each.column: each.kind for each in classes}
    subject = _subject(node, columns, kinds)
    protections = tuple(
        protected
        for name, each in nodes.items()
        if (protected := _protection(each, columns[name], kinds.get(name) or name, is_key=name in key))
    )
    _check_subject(nodes, subject, protections)
    return Personal(
        classes, protections, subject, tuple(_purposes(node)), _hold(node), _thresholds(node), _budget(node)
    )


def _class(name: str, node: Node) -> Classified | None:
    value = own_property(node, PERSONAL)
    if value is None:
        return None
    said = value.data if isinstance(value.data, dict) else {"class": value.data}
    if not _known(
        value, ("class", "kind", "evidence", "confirmed"), _("write `personal: {class: identifier, kind: cpf}`")
    ):
        return None
    try:
        of = PersonalClass(str(said.get("class")))
    except ValueError:
        what = _("{value!r} is no class of personal values").format(value=shown(said.get("class")))
        value.refuse(what, _("use one of {keys}").format(keys=", ".join(PersonalClass)))
        return None
    kind, evidence, confirmed = (str(said.get(each) or "") for each in ("kind", "evidence", "confirmed"))
    return Classified(name, of, kind, evidence, confirmed)


def _protection(node: Node, column: ColumnPlan, kind: str, *, is_key: bool) -> Protection | None:
    value = own_property(node, PROTECTION)
    if value is None:
        return None
    said = dict(value.data) if isinstance(value.data, dict) else {"method": value.data}
    try:
        method = Method(said.pop("method", None))
    except ValueError:
        what = _("{value!r} is no protection").format(value=shown(value.data))
        value.refuse(what, _("use one of {keys}").format(keys=", ".join(Method)))
        return None
    if not _known(value, ("method", *_OPTIONS.get(method, ())), _("write `protection: {method: mask, keep: 4}`")):
        return None
    if method in _TEXT and column.type is not Primitive.STRING:
        what = _("{column} is no text, which the protection {method} makes").format(column=column.name, method=method)
        value.refuse(what, _("give the column `logicalType: string`, or generalise or drop it"))
    if is_key and method not in {Method.TOKEN, Method.HASH}:
        what = _("the key {column} would no longer tell rows apart").format(column=column.name)
        value.refuse(what, _("protect it by `token` or `hash`"))
    if kind.startswith(OWN):
        value.refuse(_("kinds that begin with {start} are Lastro's own").format(start=OWN), _("give it another name"))
    for what, do in _wrong_options(method, said, column):
        value.refuse(what, do)
    return Protection(column.name, method, kind, said)


def _wrong_options(method: Method, said: _Said, column: ColumnPlan) -> Iterator[tuple[str, str]]:
    """What is wrong with a method's options for a column, and what to do (rule 5)."""
    if method is Method.ENCRYPT and not isinstance(column.type, Primitive | Decimal):
        what = _("{column} holds lists or objects, which are not encrypted").format(column=column.name)
        yield what, _("take it apart into datasets of its own (lastro flatten), or drop it")
    if method is Method.ENCRYPT and not can_be_encrypted(column.name):
        what = _("{column} has a name that no encrypted column has").format(column=column.name)
        yield what, _("name it without commas, colons and semicolons, and put its present name into `physicalName`")
    if method is Method.MASK:
        keep = said.get("keep", 4)
        if isinstance(keep, bool) or not isinstance(keep, int) or keep < 0:
            yield _("`keep` is no number of characters"), _("write `protection: {method: mask, keep: 4}`")
        if said.get("from", "end") not in {"end", "start"}:
            yield _("`from` is neither `end` nor `start`"), _("say at which end characters stay")
    if method is Method.GENERALISE and not _is_generalised(said, column.type):
        yield (
            _("this does not say how {column} is generalised").format(column=column.name),
            _("of numbers `bins: 10`, or edges: `bins: [0, 18, 60]`; of dates `to: month`; of a CEP `to: region`"),
        )


def _is_generalised(said: _Said, kind: Type) -> bool:
    to, bins = said.get("to"), said.get("bins")
    if kind is Primitive.STRING:
        return bins is None and (to in (None, "region") or (_is_number(to) and isinstance(to, int) and 0 < to < 8))
    if kind is Primitive.DATE:
        return bins is None and to in _OF_DATES
    if kind in {Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ}:
        return bins is None and to in {*_OF_DATES, "hour", "day"}
    if not (kind in _NUMBERS or isinstance(kind, Decimal)) or to is not None:
        return False
    if isinstance(bins, list):
        return bool(bins) and all(map(_is_number, bins))
    if not isinstance(bins, int | float) or not _is_number(bins):
        return False
    return bins > 0 and (kind not in _WHOLE or bins == int(bins))


def _is_number(value: Any) -> bool:  # Any: what stands in a contract
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _subject(node: Node, columns: Mapping[str, ColumnPlan], kinds: Mapping[str, str]) -> Subject | None:
    value = own_property(node, SUBJECT)
    if value is None:
        return None
    if not isinstance(value.data, str) or value.data not in columns:
        meant = nearest(str(value.data), list(columns))
        do = _("did you mean {key}?").format(key=meant) if meant else _("name a column of this dataset")
        value.refuse(_("there is no column {name}").format(name=shown(value.data)), do)
        return None
    return Subject(value.data, kinds.get(value.data) or value.data)


def _check_subject(nodes: Mapping[str, Node], subject: Subject | None, protections: tuple[Protection, ...]) -> None:
    """A person is found by the subject's column: nothing but a token may stand in its place."""
    found = next((each for each in protections if subject and each.column == subject.column), None)
    if found is not None and found.method is not Method.TOKEN:
        what = _("nobody would be found by {column} again").format(column=found.column)
        nodes[found.column].refuse(what, _("protect the subject's column by `token`"))


def _purposes(node: Node) -> Iterator[Purpose]:
    value = own_property(node, PURPOSES)
    if value is None:
        return
    example = _("write `{purpose: credit-scoring, basis: LGPD art. 7, X}`")
    if not isinstance(value.data, list):
        value.refuse(_("the purposes are no list"), example)
        return
    for index, said in enumerate(value.data):
        each = value.child(index)
        if not _known(each, ("purpose", "basis", "consent"), example):
            continue
        name, basis, consent = said.get("purpose"), said.get("basis"), said.get("consent", False)
        if not (isinstance(name, str) and name.strip() and isinstance(basis, str) and basis.strip()):
            each.refuse(_("a purpose has a name and a legal basis"), example)
        elif not isinstance(consent, bool):
            each.child("consent").refuse(_("{value!r} is neither true nor false").format(value=shown(consent)), example)
        else:
            yield Purpose(name.strip(), basis.strip(), consent)


def _hold(node: Node) -> Hold | None:
    value = own_property(node, HOLD)
    if value is None:
        return None
    example = _("write `hold: {basis: CTN art. 195, until: 2031-01-31}`")
    if not _known(value, ("basis", "until"), example):
        return None
    basis, until = value.data.get("basis"), value.data.get("until")
    if not (isinstance(basis, str) and basis.strip()):
        value.refuse(_("the hold names no legal basis"), example)
        return None
    try:
        return Hold(basis.strip(), None if until is None else date.fromisoformat(str(until)))
    except ValueError:
        value.child("until").refuse(_("{value!r} is no date").format(value=shown(until)), example)
        return None


def _thresholds(node: Node) -> Thresholds | None:
    value = own_property(node, ANONYMITY)
    if value is None:
        return None
    example = _("write `anonymity: {k: 5, l: 2, t: 0.2}`")
    if not _known(value, ("k", "l", "t"), example):
        return None
    k, diverse, t = (value.data.get(each) for each in ("k", "l", "t"))
    whole = all(isinstance(each, int) and not isinstance(each, bool) and each >= 1 for each in (k, diverse or 1))
    near = t is None or (isinstance(t, int | float) and not isinstance(t, bool) and 0 <= t <= 1)
    if not (whole and near):
        value.refuse(_("k and l are whole numbers from 1, t lies between 0 and 1"), example)
        return None
    return Thresholds(int(k), diverse, None if t is None else float(t))


def _budget(node: Node) -> float | None:
    value = own_property(node, BUDGET)
    if value is None:
        return None
    said = value.data
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said <= BUDGET_MAX:
        what = _("a privacy budget is a number above 0, and at most {most}").format(most=BUDGET_MAX)
        value.refuse(what, _("write `privacyBudget: 3`"))
        return None
    return float(said)


def _known(node: Node, keys: tuple[str, ...], example: str) -> bool:
    """Whether it is text or a mapping with known keys only; what is not is noted."""
    if isinstance(node.data, str) and keys[0] in {"class", "method"}:
        return True
    if not isinstance(node.data, dict):
        node.refuse(_("it does not say what it has to"), example)
        return False
    for key in (key for key in node.data if key not in keys):
        meant = nearest(str(key), list(keys))
        what = _("the key {key} is unknown here").format(key=shown(key))
        node.child(key).refuse(what, _("did you mean {key}?").format(key=meant) if meant else example)
    return not node.problems.within(node.path)
