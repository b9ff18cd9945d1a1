"""The data map of a workspace, from contracts, lineage and ledger; no data is read.

Rules:

1. A dataset's columns are those of its contract; without one, those of its newest version.
2. A column was used if a reading of it is in the ledger, in whatever version. Refused readings are none.
3. Where it comes from is what lineage tells of the newest version.
4. A contract that cannot be read hides no other dataset: what is wrong with it stands in the map.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lastro.model.data_map import DataMap, MappedColumn
from lastro.model.errors import Expired, LastroError, UnknownName
from lastro.model.lineage import Kind, Node

if TYPE_CHECKING:
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace


@dataclass(slots=True)
class _Use:
    """How often a column was read, and when last."""

    count: int = 0
    last: str = ""


def data_map(workspace: Workspace, names: Sequence[str]) -> DataMap:
    """The map of these datasets, or of all if none is named. Raises `UnknownName`."""
    uses = _uses(workspace)
    columns: list[MappedColumn] = []
    problems: list[tuple[str, str]] = []
    for dataset in [workspace.dataset(name) for name in names or workspace.datasets()]:
        try:
            columns += _columns(workspace, dataset, uses)
        except LastroError as error:
            problems.append((dataset.name, error.what))
    return DataMap(tuple(columns), tuple(problems), is_recorded=workspace.settings.ledger_reads)


def _columns(workspace: Workspace, dataset: Dataset, uses: Mapping[tuple[str, str], _Use]) -> Iterator[MappedColumn]:
    head = dataset.table.head()
    origins = _origins(workspace, dataset.name) if head is not None else {}
    if not dataset.has_contract():
        for name in head.schema.names if head is not None else ():
            use = uses.get((dataset.name, name), _Use())
            yield MappedColumn(dataset.name, name, sources=origins.get(name, ()), reads=use.count, last_read=use.last)
        return
    contract = dataset.contract()
    said = contract.personal
    target = dataset.target()
    for name in contract.plan().schema.names:
        protection, use = said.protection(name), uses.get((dataset.name, name), _Use())
        yield MappedColumn(
            dataset=dataset.name,
            column=name,
            said=said.of(name),
            protection="" if protection is None else protection.method.value,
            is_restricted=name in target.withheld,
            sources=origins.get(name, ()),
            reads=use.count,
            last_read=use.last,
        )


def _uses(workspace: Workspace) -> dict[tuple[str, str], _Use]:
    found: dict[tuple[str, str], _Use] = {}
    for _number, event in workspace.ledger.events(action="read"):
        for column in event.columns if event.decision == "allow" else ():
            use = found.setdefault((event.dataset, column), _Use())
            use.count, use.last = use.count + 1, max(use.last, event.at)
    return found


def _origins(workspace: Workspace, name: str) -> dict[str, tuple[str, ...]]:
    with suppress(UnknownName, Expired):
        return {each.column: tuple(dict.fromkeys(map(_source, each.upstream))) for each in workspace.columns(name)}
    return {}


def _source(node: Node) -> str:
    return f"{node.name.partition('@')[0]}.{node.column}" if node.kind is Kind.COLUMN else node.name
