"""What a dataset's entry says of rows that change or go: its `history:` and its `deletes:`.

Both take keys and values; unknown keys and values of another kind are errors that name the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lastro.contract import document
from lastro.contract.document import Node
from lastro.model.merging import Deletes, History
from lastro.model.text import _

HISTORY = ("start", "end", "current", "effective", "ignore", "whole")
DELETES = ("column", "keys", "max")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%", re.ASCII)


def history(node: Node) -> History:
    """The columns of a history, and whether a reading is whole; where the file does not say, whoever asks decides."""
    values = values_of(node, HISTORY)
    read = {name: _text(node, name) for name in ("start", "end", "current", "effective") if name in values}
    given: dict[str, Any] = {name: value for name, value in read.items() if value is not None}  # Any: fields
    if "ignore" in values:
        names = values["ignore"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            _refuse(node, "ignore", _("a list of columns belongs here"), _("write ignore: [NAME, …]"))
            names = []
        given["ignore"] = tuple(names)
    if "whole" in values:
        given["whole"] = truth(node, "whole")
    return History(**given)


def deletes(node: Node) -> Deletes:
    """How rows that are gone at the source are known."""
    values = values_of(node, DELETES)
    if values.get("column") is not None and values.get("keys"):
        _refuse(node, "keys", _("either a column or the keys say what is deleted"), _("leave one of the two out"))
    return Deletes(
        column=_text(node, "column") if "column" in values else None,
        keys=truth(node, "keys") if "keys" in values else False,
        percent_max=_percent(node) if "max" in values else None,
    )


def values_of(node: Node, known: tuple[str, ...]) -> Mapping[str, Any]:  # Any: whatever stands in the file
    """The keys and values of a node, none where it is not there; unknown keys are noted, with the nearest known one."""
    if node.data is None:
        return {}
    if not isinstance(node.data, dict):
        node.refuse(_("keys and values belong here"), _("write `key: value` lines below it"))
        return {}
    for key in node.data:
        if key not in known:
            near = document.nearest(str(key), list(known))
            hint = _("did you mean {key}?").format(key=near)
            others = _("known keys: {keys}").format(keys=", ".join(known))
            what = _("unknown key {key!r}").format(key=document.shown(key))
            node.child(key).refuse(what, hint if near else others)
    return node.data


def _text(node: Node, key: str) -> str | None:
    value = node.child(key).data
    if isinstance(value, str) and value:
        return value
    _refuse(node, key, _("the name of a column belongs here"), _("write {key}: NAME").format(key=key))
    return None


def truth(node: Node, key: str) -> bool:
    """The value of a key that is true or false; anything else is noted."""
    value = node.child(key).data
    if isinstance(value, bool):
        return value
    _refuse(node, key, _("{key} is true or false").format(key=key), _("correct the value"))
    return False


def _percent(node: Node) -> float | None:
    found = _PERCENT.fullmatch(str(node.child("max").data))
    if found and float(found[1]) <= 100:
        return float(found[1])
    _refuse(node, "max", _("a percentage from 0 % to 100 % belongs here"), _("write max: 20%"))
    return None


def _refuse(node: Node, key: str, what: str, do: str) -> None:
    refuse: Callable[[str, str], None] = node.child(key).refuse
    refuse(what, do)
