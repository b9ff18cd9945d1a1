"""The workspace's dossier: contracts, versions, runs and the ledger's events, gathered for documents of the law.

Rules:

1. A dataset whose contract or table cannot be read is in it, with the reason: a document that leaves it out would lie.
2. Readings come from the ledger, put together by who, what and for which purpose; no row is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from lastro.model.dossier import Access, Dossier, Holding, Training
from lastro.model.errors import LastroError

if TYPE_CHECKING:
    from lastro.contract import Contract
    from lastro.ledger.event import Event
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace

_SHOWN = ("read", "export", "reveal", "refuse", "erase")
"""The actions that hand values out, or were refused to."""
_RETENTION = frozenset({"retention", "rn"})


def dossier(workspace: Workspace, names: Sequence[str], *, of: Callable[[Event], bool] | None = None) -> Dossier:
    """What is known of these datasets (all, without names); `of` says which events are looked at.

    Raises `UnknownName`, `Corrupted` if the ledger is.
    """
    wanted = tuple(dict.fromkeys(names)) or tuple(workspace.settings.datasets)
    known = frozenset(wanted)
    holdings = tuple(_holding(workspace.dataset(name)) for name in wanted)
    events = (event for _number, event in workspace.ledger.events() if event.dataset in known)
    return Dossier(
        workspace.clock(),
        workspace.settings.organisation,
        workspace.settings.judgements,
        holdings,
        accesses(event for event in events if of is None or of(event)),
        tuple(_trainings(workspace, known)),
        workspace.ledger.head(),
    )


def accesses(events: Iterable[Event]) -> tuple[Access, ...]:
    """The events that hand values out, put together by who, what and for which purpose, in the order of the last."""
    found: dict[tuple[str, str, str, str, bool], _Together] = {}
    for event in events:
        if event.action in _SHOWN:
            is_refused = event.decision == "deny"
            action = str(event.about.get("asked", event.action)) if is_refused else event.action
            key = (event.actor, action, event.dataset, event.purpose, is_refused)
            found.setdefault(key, _Together(event.moment, event.moment)).take(event)
    told = (
        Access(*key, each.times, tuple(sorted(each.versions)), tuple(each.columns), each.first, each.last)
        for key, each in found.items()
    )
    return tuple(sorted(told, key=lambda each: each.last))


@dataclass(slots=True)
class _Together:
    """Events that are told as one."""

    first: datetime
    last: datetime
    times: int = 0
    versions: set[int] = field(default_factory=set)
    columns: dict[str, None] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        self.times += 1
        self.first, self.last = min(self.first, event.moment), max(self.last, event.moment)
        self.columns |= dict.fromkeys(event.columns)
        if event.version is not None:
            self.versions.add(event.version)


def _holding(dataset: Dataset) -> Holding:
    try:
        contract = dataset.contract() if dataset.has_contract() else None
        return _known(dataset, contract)
    except LastroError as error:
        return Holding(dataset.name, fault=error.what)


def _known(dataset: Dataset, contract: Contract | None) -> Holding:
    newest = dataset.table.head()
    history = dataset.table.history() if newest is not None else ()
    columns = newest.schema.names if newest is not None else ()
    said = contract.document if contract is not None else {}
    plan = contract.plan() if contract is not None else None
    names = plan.schema.names if plan is not None else columns
    classed = {each.column for each in contract.personal.classes} if contract is not None else set()
    described = said.get("description") or {}
    described = described if isinstance(described, dict) else {"purpose": str(described)}
    base = Holding(dataset.name)
    return Holding(
        dataset.name,
        description=str(_schema_object(said, dataset.name).get("description") or described.get("usage") or ""),
        purpose=str(described.get("purpose") or ""),
        limitations=str(described.get("limitations") or ""),
        contract_version=contract.version if contract is not None else "",
        contract_digest=contract.digest if contract is not None else "",
        personal=contract.personal if contract is not None else base.personal,
        columns=names,
        unclassified=tuple(name for name in names if name not in classed),
        withheld=tuple(name for name in names if plan is not None and name in plan.withheld),
        newest=newest,
        versions=len(history),
        tags=dict(dataset.tags()) if newest is not None else {},
        sources=tuple(dict.fromkeys(info.origin.source for info in history if info.origin.source)),
        upstream=newest.origin.inputs if newest is not None else (),
        retention=_retention(said),
        quarantined=dataset.quarantine().count() if newest is not None and contract is not None else 0,
        rules=len(plan.row_rules) + len(plan.table_rules) if plan is not None else 0,
    )


def _schema_object(document: dict[str, object], name: str) -> dict[str, object]:
    objects = document.get("schema")
    for each in objects if isinstance(objects, list) else ():
        if isinstance(each, dict) and each.get("name") == name:
            return each
    return {}


def _retention(document: dict[str, object]) -> str:
    levels = document.get("slaProperties")
    for each in levels if isinstance(levels, list) else ():
        if isinstance(each, dict) and str(each.get("property", "")).lower() in _RETENTION:
            return " ".join(str(each[key]) for key in ("value", "unit") if each.get(key) is not None)
    return ""


def _trainings(workspace: Workspace, names: Collection[str]) -> Iterable[Training]:
    for record in workspace.runs():
        inputs = tuple(used.reference for used in record.inputs if used.dataset in names)
        if inputs:
            yield Training(record.id, record.name, record.started, record.status.value, inputs)
