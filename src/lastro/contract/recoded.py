"""The contract of rows that Lastro made coarser: what their columns are, and what was done.

The schema object's property `recoded` says of which version, by its digest, and with which result; `anonymity` are the
thresholds that it was held to.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from lastro.contract.contract import Contract
from lastro.contract.infer import infer
from lastro.contract.personal import ANONYMITY, PERSONAL, RECODED
from lastro.contract.policy import VENDOR
from lastro.model.personal import Classified, Thresholds
from lastro.model.sample import Sample

ANONYMISED = "anonymised"
"""The result of rows in which nobody stands out."""


def recoded_contract(
    name: str,
    samples: Sequence[Sample],
    *,
    source: str,
    today: date,
    classes: Mapping[str, Classified],
    thresholds: Thresholds | None,
    done: Mapping[str, Any],  # Any: JSON values
) -> str:
    """The text of the contract. Raises `NameRefused`, `ContractError`."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    document = yaml.load(infer(name, samples, source=source, today=today))
    node = document["schema"][0]
    for column in node["properties"]:
        name_read = column.get("physicalName", column["name"])
        found = classes.get(name_read)
        own = [] if found is None else [_property(PERSONAL, _class(found))]
        if own:
            column["customProperties"] = [*own, *column.get("customProperties", ())]
    node["customProperties"] = [_property(RECODED, dict(done))]
    if thresholds is not None:
        said = {"k": thresholds.k, "l": thresholds.l, "t": thresholds.t}
        node["customProperties"].append(
            _property(ANONYMITY, {key: value for key, value in said.items() if value is not None})
        )
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _class(found: Classified) -> dict[str, str]:
    said = {"class": found.of.value, "kind": found.kind, "evidence": found.evidence, "confirmed": found.confirmed}
    return {key: value for key, value in said.items() if value}


def _property(name: str, value: Any) -> dict[str, Any]:  # Any: JSON values
    return {"property": name, "value": value, "vendor": VENDOR}


def made_from(contract: Contract) -> str:
    """The dataset whose rows were made coarser, according to a contract; empty if it says nothing of that."""
    return str(_done(contract).get("of") or "")


def is_anonymised(contract: Contract) -> bool:
    """True if the rows were made anonymous, according to a contract, and not merely pseudonymous."""
    return _done(contract).get("result") == ANONYMISED


def _done(contract: Contract) -> Mapping[str, Any]:  # Any: JSON values
    for node in contract.document.get("schema") or ():
        for item in node.get("customProperties") or ():
            said = item.get("value")
            if item.get("property") == RECODED and item.get("vendor") == VENDOR and isinstance(said, dict):
                return said
    return {}
