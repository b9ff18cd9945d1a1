"""Taking care of a workspace: verify, repair, collect – over all its tables, quarantines included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lastro import store
from lastro.store import Collected, Damage, Repair, Table

if TYPE_CHECKING:
    from lastro.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was compared with what was committed. `damage` is empty if all is as it was."""

    tables: tuple[str, ...]
    versions: int
    read_data: bool
    damage: tuple[tuple[str, Damage], ...]

    @property
    def passed(self) -> bool:
        """True if nothing differs."""
        return not self.damage

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The report as plain values."""
        return {
            "tables": list(self.tables),
            "versions": self.versions,
            "read_data": self.read_data,
            "passed": self.passed,
            "damage": [{"dataset": name, **asdict(damage)} for name, damage in self.damage],
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
    """Verifies the tables of these datasets, all if none is named."""
    tables = _tables(workspace, names)
    damage = [
        (table.dataset, found) for table in tables for found in store.verify(table, read_data=read_data, subset=subset)
    ]
    versions = sum(len(table.history()) for table in tables if not any(name == table.dataset for name, _ in damage))
    return VerifyReport(tuple(table.dataset for table in tables), versions, read_data, tuple(damage))


def repair(workspace: Workspace, names: Sequence[str], *, apply: bool, rebuild_catalog: bool) -> RepairReport:
    """Repairs the tables of these datasets, all if none is named; and the catalogue, made again from the tables."""
    tables = _tables(workspace, names)
    repairs = tuple((table.dataset, done) for table in tables for done in store.repair(table, apply=apply))
    if rebuild_catalog:
        _rebuild(workspace)
    return RepairReport(apply, repairs, rebuild_catalog)


def collect(workspace: Workspace, names: Sequence[str], *, apply: bool, grace: timedelta) -> GcReport:
    """Collects unpinned versions; what a run read, a lock names or a tag marks is kept."""
    from lastro.workspace.lockfile import pinned as locked

    runs, locks = _pinned_by_runs(workspace), locked(workspace.root)
    collected = []
    for table in _tables(workspace, names):
        keep = runs.get(table.dataset, set()) | locks.get(table.dataset, set())
        collected.append((table.dataset, store.collect(table, keep=keep, grace=grace, apply=apply)))
    return GcReport(apply, tuple(collected))


def _rebuild(workspace: Workspace) -> None:
    from lastro.catalog import Catalog
    from lastro.catalog.run_record import read_all

    tables = _tables(workspace, ())
    datasets = [(table.dataset, table.history(), table.tags()) for table in tables]
    Catalog.rebuilt(
        workspace.root / ".lastro" / "catalog.sqlite", datasets, read_all(workspace.root / ".lastro" / "runs")
    )


def _pinned_by_runs(workspace: Workspace) -> dict[str, set[int]]:
    from lastro.catalog.run_record import read_all

    pinned: dict[str, set[int]] = {}
    for record in read_all(workspace.root / ".lastro" / "runs"):
        for read in record.inputs:
            pinned.setdefault(read.dataset, set()).add(read.version)
    return pinned


def _tables(workspace: Workspace, names: Sequence[str]) -> list[Table]:
    chosen = [workspace.dataset(name).name for name in names] or list(store.tables(workspace.root))
    with_quarantine = [each for name in chosen for each in (name, f"{name}.quarantine")]
    return [table for table in map(workspace.table, dict.fromkeys(with_quarantine)) if table.exists]
