"""Which columns of a dataset stand in no statistics: those that its contract withholds, and those of a child that come
from what its parent withholds now (`contract.elements`, rule 6), step by step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lastro.workspace.workspace import Workspace


def withheld(workspace: Workspace, name: str, *, below: tuple[str, ...] = ()) -> frozenset[str]:
    """The columns of a dataset whose values stand in no statistics; `below` are the children that led to it.

    Raises `ContractError`.
    """
    from lastro.contract.elements import inherited, origin

    contract = workspace.dataset(name).contract()
    found = contract.plan().withheld
    said, below = origin(contract), (*below, name)
    if said is None or said[0] in below or said[0] not in workspace.settings.datasets:
        return found
    parent = workspace.dataset(said[0])
    if not parent.has_contract():
        return found
    return found | inherited(contract, parent.contract(), withheld(workspace, parent.name, below=below))
