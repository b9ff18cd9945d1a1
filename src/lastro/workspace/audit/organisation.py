"""What `lastro.yaml` says of the organisation and of what people judged: its `organisation:` and `judgements:`.

Both take texts; unknown keys and values of another kind are errors that name the line. Documents that need one that is
missing say so in its place.
"""

from __future__ import annotations

from lastro.contract.document import Node, shown
from lastro.model.dossier import Judgements, Organisation, Party, Risk
from lastro.model.text import _
from lastro.workspace import keeping

ORGANISATION = ("name", "contact", "country", "officer", "parties")
OFFICER = ("name", "contact")
PARTY = ("name", "role", "country", "contact", "safeguard", "datasets")
JUDGEMENTS = ("subjects", "necessity", "consultation", "security", "risks")
RISK = ("risk", "likelihood", "severity", "measure")


def organisation(node: Node) -> Organisation:
    """The controller, its officer and the other parties."""
    values = keeping.values_of(node, ORGANISATION)
    officer = node.child("officer")
    keeping.values_of(officer, OFFICER)
    return Organisation(
        name=_text(node, "name"),
        contact=_text(node, "contact"),
        country=_text(node, "country"),
        officer=_text(officer, "name"),
        officer_contact=_text(officer, "contact"),
        parties=tuple(_party(each) for each in _items(node, "parties")) if values.get("parties") else (),
    )


def judgements(node: Node) -> Judgements:
    """What people judged."""
    values = keeping.values_of(node, JUDGEMENTS)
    return Judgements(
        subjects=_text(node, "subjects"),
        necessity=_text(node, "necessity"),
        consultation=_text(node, "consultation"),
        security=_texts(node, "security") if values.get("security") else (),
        risks=tuple(_risk(each) for each in _items(node, "risks")) if values.get("risks") else (),
    )


def _party(node: Node) -> Party:
    keeping.values_of(node, PARTY)
    name, role, country, contact, safeguard = (_text(node, key) for key in PARTY[:-1])
    if not name:
        node.refuse(_("a party has a name"), _("write {key}: NAME").format(key="name"))
    datasets = _texts(node, "datasets") if isinstance(node.data, dict) and node.data.get("datasets") else ()
    return Party(name, role, country, contact, safeguard, datasets)


def _risk(node: Node) -> Risk:
    keeping.values_of(node, RISK)
    risk, likelihood, severity, measure = (_text(node, key) for key in RISK)
    if not risk:
        node.refuse(_("it does not say what it has to"), _("write {key}: …").format(key="risk"))
    return Risk(risk, likelihood, severity, measure)


def _items(node: Node, key: str) -> list[Node]:
    items = node.child(key)
    if not isinstance(items.data, list):
        items.refuse(_("{key} is not a list").format(key=key), _("write `{key}: […]`").format(key=key))
        return []
    return [items.child(index) for index in range(len(items.data))]


def _texts(node: Node, key: str) -> tuple[str, ...]:
    return tuple(_plain(each) for each in _items(node, key))


def _text(node: Node, key: str) -> str:
    return _plain(node.child(key))


def _plain(node: Node) -> str:
    if node.data is None:
        return ""
    if isinstance(node.data, dict | list | bool):
        node.refuse(_("{value!r} is no text").format(value=shown(node.data)), _("write it as text"))
        return ""
    return str(node.data).strip()
