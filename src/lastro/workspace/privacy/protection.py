"""Which columns of a dataset stand in no statistics.

Rules:

1. Those that its contract withholds, and those of a child that come from what its parent withholds now
   (`contract.elements`, rule 6), step by step.
2. A contract that is inferred for a derived dataset withholds what may hold values that an upstream withholds: columns
   that are named as such a column or as a member of one, those that say they are made from one
   (`transform.templates.mining`), and those of which the SQL's tree says so, under whatever name.
3. In the same way it encrypts what may hold values that an upstream encrypts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lastro.model.personal import Method
from lastro.model.schema import members

if TYPE_CHECKING:
    from lastro.pipeline.target import Target
    from lastro.source.protocol import Columns
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


def passed_on(
    workspace: Workspace,
    upstream: Sequence[str],
    names: Sequence[str],
    *,
    made_from: Mapping[str, str],
    columns: Columns | None,
    encrypted: bool = False,
) -> frozenset[str]:
    """Which of a result's columns may hold what its upstream datasets withhold (rule 2), or what they encrypt.
    `made_from` is what the result says of them itself, `columns` which upstream columns each comes from, where that is
    known.
    """
    chosen = _encrypted if encrypted else _restricted
    by_dataset = {name: frozenset(chosen(workspace.dataset(name).target())) for name in upstream}
    anywhere = frozenset[str]().union(*by_dataset.values())
    known = columns or {}
    return frozenset(
        name
        for name in names
        if {name.casefold(), made_from.get(name, "").casefold()} & anywhere
        or any(column.casefold() in by_dataset.get(dataset, ()) for dataset, column in known.get(name, ()))
    )


def _encrypted(target: Target) -> Iterator[str]:
    """The names of columns that are encrypted where they stand."""
    if target.contract is not None:
        for each in target.contract.personal.protections:
            if each.method is Method.ENCRYPT:
                yield each.column.casefold()


def _restricted(target: Target) -> Iterator[str]:
    """The names of columns whose values stand in no statistics, and of all that lies within them."""
    for column in target.plan.columns:
        if column.name in target.withheld:
            yield from (name.casefold() for name in (column.name, *members(column.type)))
