"""Taking care of a workspace: verify, repair, collect – over all its tables, quarantines included, and the records of
looks and incidents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from lastro.model.errors import LastroError
from lastro.store import check
from lastro.store import collect as collection
from lastro.store import repair as mending
from lastro.store.check import Damage
from lastro.store.collect import Collected
from lastro.store.repair import Repair
from lastro.store.table import Table, tables
from lastro.workspace.indexing import rebuild, runs_of
from lastro.workspace.rights.erasing import finish_first

if TYPE_CHECKING:
    from lastro.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class DamagedRecords:
    """A file of looks or incidents that is not what was written: where in it, what is wrong, and what to do."""

    path: str
    what: str
    do: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was compared with what was committed. `damage` is empty if all is as it was, `records` if looks and
    incidents are.
    """

    tables: tuple[str, ...]
    versions: int
    read_data: bool
    damage: tuple[tuple[str, Damage], ...]
    records: tuple[DamagedRecords, ...] = ()

    @property
    def passed(self) -> bool:
        """True if nothing differs."""
        return not self.damage and not self.records

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The report as plain values."""
        return {
            "tables": list(self.tables),
            "versions": self.versions,
            "read_data": self.read_data,
            "passed": self.passed,
            "damage": [{"dataset": name, **asdict(damage)} for name, damage in self.damage],
            "records": [asdict(damaged) for damaged in self.records],
        }


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What was mended, or would be."""

    applied: bool
    repairs: tuple[tuple[str, Repair], ...]
    catalog_rebuilt: bool

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The report as plain values."""
        return {
            "applied": self.applied,
            "catalog_rebuilt": self.catalog_rebuilt,
            "repairs": [{"dataset": name, **asdict(repair)} for name, repair in self.repairs],
        }


@dataclass(frozen=True, slots=True)
class GcReport:
    """What was collected, or would be, per table."""

    applied: bool
    collected: tuple[tuple[str, Collected], ...]

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The report as plain values."""
        return {
            "applied": self.applied,
            "collected": [{"dataset": name, **asdict(collected)} for name, collected in self.collected],
        }


def verify(workspace: Workspace, names: Sequence[str], *, read_data: bool, subset: float | None) -> VerifyReport:
    """Verifies the tables of these datasets and the looks at them; without names all, and the incidents."""
    chosen = _tables(workspace, names)
    found = {table.dataset: check.verify(table, read_data=read_data, subset=subset) for table in chosen}
    versions = sum(len(table.history()) for table in chosen if not found[table.dataset])
    damage = tuple((name, each) for name, damages in found.items() for each in damages)
    records = tuple(_damaged_records(workspace, names))
    return VerifyReport(tuple(found), versions, read_data or subset is not None, damage, records)


def _damaged_records(workspace: Workspace, names: Sequence[str]) -> Iterator[DamagedRecords]:
    """Proves every record of looks and incidents, and what was noted of them."""
    from lastro.alert.incident_file import IncidentFile
    from lastro.workspace.monitoring.looking import files
    from lastro.workspace.monitoring.watch import INCIDENTS
    from lastro.workspace.rights.subject_requests import register

    looks = files(workspace)
    monitors = workspace.settings.monitors.values()
    watched = [each.name for each in monitors if not names or each.dataset in names]
    proofs: list[Callable[[], object]] = [partial(looks.prove, name) for name in watched]
    if not names:
        proofs += [IncidentFile(workspace.root / INCIDENTS).read, register(workspace).read]
    for prove in proofs:
        try:
            prove()
        except LastroError as error:
            yield DamagedRecords(error.where, error.what, error.do)


def repair(workspace: Workspace, names: Sequence[str], *, apply: bool, rebuild_catalog: bool) -> RepairReport:
    """Repairs the tables of these datasets, all if none is named; and the catalogue, made again from the tables."""
    if apply:
        finish_first(workspace)
    chosen = _tables(workspace, names)
    repairs = tuple((table.dataset, done) for table in chosen for done in mending.repair(table, apply=apply))
    if rebuild_catalog:
        rebuild(workspace)
    return RepairReport(apply, repairs, rebuild_catalog)


def collect(workspace: Workspace, names: Sequence[str], *, apply: bool, grace: timedelta) -> GcReport:
    """Collects unpinned versions; what a run read, a lock names, a monitor needs or a tag marks is kept."""
    from lastro.workspace.monitoring.looking import pins as monitored
    from lastro.workspace.training.lockfile import pinned as locked

    if apply:
        finish_first(workspace)
    runs, locks, watched = runs_of(workspace).pins(), locked(workspace.root), monitored(workspace)
    collected = []
    for table in _tables(workspace, names):
        keep = {number for pins in (runs, locks, watched) for number in pins.get(table.dataset, ())}
        removed = collection.collect(table, keep=keep, grace=grace, apply=apply)
        collected.append((table.dataset, removed))
        if apply:
            workspace.ledger.removed(table.dataset, removed.expired)
    return GcReport(apply, tuple(collected))


def _tables(workspace: Workspace, names: Sequence[str]) -> list[Table]:
    """The tables of these datasets with their quarantines; those of all datasets if none is named."""
    present = tables(workspace.root, quarantine=True)
    chosen = [workspace.dataset(name).name for name in names]
    wanted = {*chosen, *(f"{name}.quarantine" for name in chosen)} if chosen else set(present)
    return [workspace.table(name) for name in present if name in wanted]
