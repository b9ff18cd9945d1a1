"""What a dataset may be read for where it is made of others: what those may, as long as it holds what they withhold.

Rules:

1. A contract that lists purposes says what its dataset is read for, whatever that was made of.
2. A dataset whose contract lists none, and holds columns that it withholds or does not know, is read for the purposes
   that every dataset lists which it was made of and which has personal values and a list: step by step. A purpose takes
   consent if it does in one of them.
3. Rows that were made anonymous are personal no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lastro.model.personal import Purpose
from lastro.model.reference import Reference
from lastro.policy.basis import folded

if TYPE_CHECKING:
    from lastro.contract import Contract
    from lastro.model.version import VersionInfo
    from lastro.workspace.dataset import Dataset

Purposes = tuple[Purpose, ...]


def purposes(dataset: Dataset, info: VersionInfo | None, contract: Contract | None) -> Purposes | None:
    """What a version may be read for; None: for anything. `contract` is the dataset's, None if it lists no purposes.

    Raises `ContractError`.
    """
    if contract is not None and contract.personal.purposes:
        return contract.personal.purposes if contract.personal.is_personal else None
    if info is None or not info.origin.inputs or not _holds_what_is_withheld(dataset, info):
        return None
    lists = list(_upstream(dataset, info, {info.reference}))
    return _common(lists) if lists else None


def _holds_what_is_withheld(dataset: Dataset, info: VersionInfo) -> bool:
    from lastro.contract.recoded import is_anonymised
    from lastro.workspace.privacy.protection import withheld

    if not dataset.has_contract():
        return True
    contract = dataset.contract()
    if is_anonymised(contract):
        return False
    known = {name.casefold() for name in contract.plan().schema.names}
    hidden = {name.casefold() for name in withheld(dataset.workspace, dataset.name)}
    return any(name.casefold() in hidden or name.casefold() not in known for name in info.schema.names)


def _upstream(dataset: Dataset, info: VersionInfo, seen: set[str]) -> Iterator[Purposes]:
    """The lists of those that a version was made of, the nearest ones that have any."""
    workspace = dataset.workspace
    for each in info.origin.inputs:
        reference = each.partition(" ")[0]
        wanted = Reference.parse(reference)
        if reference in seen or wanted.name not in workspace.datasets():
            continue
        seen.add(reference)
        above = workspace.dataset(wanted.name)
        personal = above.contract().personal if above.has_contract() else None
        if personal is not None and personal.purposes:
            if personal.is_personal:
                yield personal.purposes
            continue
        yield from _upstream(above, above.table.find(wanted.selector, collected=True), seen)


def _common(lists: Sequence[Purposes]) -> Purposes:
    """The purposes that stand in every list (rule 2), as the first one has them."""
    by_name = [{folded(each.name): each for each in one} for one in lists]
    first, *others = by_name
    return tuple(
        replace(each, consent=any(one[name].consent for one in by_name))
        for name, each in first.items()
        if all(name in one for one in others)
    )
