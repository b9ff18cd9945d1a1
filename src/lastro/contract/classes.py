"""Classes of personal values, put into a contract.

Rules:

1. A class is the custom property `personal` of its column, with kind, evidence and who confirmed it, each only if there
   is one. What stood there before is replaced.
2. A column that gets the class identifier, quasi-identifier or sensitive is classified as restricted, unless it has a
   `classification` already: that is a person's.
3. The rest of the text stays as it is, and the contract's version gets its next minor number (`contract.amend`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from lastro.contract.amend import mark, next_version, written
from lastro.contract.contract import Contract
from lastro.contract.personal import PERSONAL
from lastro.contract.policy import VENDOR
from lastro.model.personal import OF_PERSONS, Classified

RESTRICTED = "restricted"

Property = dict[str, Any]  # Any: JSON values


def with_classes(contract: Contract, classes: Sequence[Classified]) -> Contract:
    """The contract with these classes of its columns; the same if it says all of that. Raises `ContractError`."""
    document: Property = copy.deepcopy(contract.document)
    dataset = next(each for each in document["schema"] if each["name"] == contract.dataset)
    places = {str(each["name"]): each for each in dataset["properties"]}
    changed = [_put(places[each.column], each) for each in classes if each.column in places]
    if not any(changed):
        return contract
    document["version"] = next_version(str(document["version"]))
    return written(contract, document)


def _put(column: Property, said: Classified) -> bool:
    """Says it in a column's property; False if it stood there."""
    value = {"class": said.of.value, "kind": said.kind, "evidence": said.evidence, "confirmed": said.confirmed}
    own = mark(PERSONAL, {key: each for key, each in value.items() if each})
    marks: list[Property] = list(column.get("customProperties") or ())
    place = next((at for at, each in enumerate(marks) if _is_class(each)), None)
    is_new = place is None or marks[place] != own
    if place is None:
        marks.append(own)
    else:
        marks[place] = own
    is_open = said.of in OF_PERSONS and not column.get("classification")
    if is_open:
        column["classification"] = RESTRICTED
    if is_new:
        column["customProperties"] = marks
    return is_new or is_open


def _is_class(property_: Property) -> bool:
    return property_.get("property") == PERSONAL and property_.get("vendor") == VENDOR
