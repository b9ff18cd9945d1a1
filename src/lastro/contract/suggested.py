"""Rules that Lastro suggested, put into a contract.

Rules:

1. A suggested rule is one under `quality` – of its column, or of the schema object where it is about all rows – after
   those that stand there, and carries the property `suggested` with the versions and the reason that it was made from.
2. Its severity is `warning`: nothing is refused by a guess. A person who takes it on removes that line.
3. The rest of the text stays as it is, and the contract's version gets its next minor number (`contract.amend`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lastro.contract.amend import mark, next_version, written
from lastro.contract.contract import Contract
from lastro.contract.policy import SUGGESTED

SEVERITY = "warning"


@dataclass(frozen=True, slots=True)
class NewRule:
    """A quality rule to add, as ODCS has it, to a column or (None) to the schema object; where from, and why."""

    column: str | None
    rule: dict[str, Any]  # Any: JSON values
    made_from: tuple[str, ...]
    why: str

    def document(self) -> dict[str, Any]:  # Any: JSON values
        """The rule as it stands in the contract."""
        evidence = mark(SUGGESTED, {"from": list(self.made_from), "why": self.why})
        return {**copy.deepcopy(self.rule), "severity": SEVERITY, "customProperties": [evidence]}


def with_rules(contract: Contract, rules: Sequence[NewRule]) -> Contract:
    """The contract with these rules; the same if there are none, or none of their columns. Raises `ContractError`."""
    document = copy.deepcopy(contract.document)
    dataset = next(each for each in document["schema"] if each["name"] == contract.dataset)
    places: dict[str | None, dict[str, Any]] = {each["name"]: each for each in dataset["properties"]}  # Any: likewise
    places[None] = dataset
    found = [each for each in rules if each.column in places]
    for each in found:
        place = places[each.column]
        place["quality"] = [*(place.get("quality") or ()), each.document()]
    if not found:
        return contract
    document["version"] = next_version(str(document["version"]))
    return written(contract, document)
