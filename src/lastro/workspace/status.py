"""Status: how every dataset stands now – how fresh, how large its quarantine, how its last round ended.

Rules:

1. Freshness is judged against the contract's service levels (`contract.sla`); a dataset without any is `unpromised`.
2. The newest value of a column comes from the profiles of the batches that make up the newest version: no data is read.
   Moments without a zone are taken as UTC; a date is as fresh as its last moment.
3. A derived dataset is stale if a build would make it anew; that its file is at fault is a reason, too. Intervals that
   are outdated, which a build leaves alone, are a note.
4. A column that is withheld from statistics, or that holds no moments, cannot be judged: that is said, never passed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from lastro.contract.sla import FreshnessPromise, ServiceLevels, service_levels
from lastro.model.errors import LastroError
from lastro.model.status import DatasetStatus, Freshness, Step
from lastro.model.text import _
from lastro.model.version import VersionInfo
from lastro.pipeline.lineage import lineage
from lastro.workspace.build import standing
from lastro.workspace.round import last_round

if TYPE_CHECKING:
    from lastro.transform.derived.why import Why
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace


def status(workspace: Workspace, names: tuple[str, ...]) -> tuple[DatasetStatus, ...]:
    """How these datasets (all, without names) stand. Raises `UnknownName`; a broken contract is a note."""
    steps = {step.dataset: step for step in last_round(workspace.root)}
    now = workspace.clock()
    reasons = standing(workspace)
    found = (_of(workspace.dataset(name), now, steps.get(name)) for name in names or workspace.datasets())
    return tuple(_derived(one, reasons[one.dataset]) if one.dataset in reasons else one for one in found)


def _derived(found: DatasetStatus, why: Why) -> DatasetStatus:
    return replace(found, stale=why.words(), notes=(*found.notes, *why.notes()))


def _of(dataset: Dataset, now: datetime, last: Step | None) -> DatasetStatus:
    head = dataset.table.head()
    notes: list[str] = []
    levels, quarantined = ServiceLevels(), 0
    try:
        if head is None and dataset.entry.derived and not dataset.has_contract():
            return DatasetStatus(dataset.name, Freshness.UNPROMISED, last=last)
        levels = service_levels(dataset.contract())
        quarantined = dataset.quarantine().count() if head is not None else 0
    except LastroError as error:
        notes.append(error.what)
    if head is None:
        freshness = Freshness.UNPROMISED if not levels.freshness else Freshness.EMPTY
        return DatasetStatus(dataset.name, freshness, last=last, notes=(*notes, *levels.notes))
    judged = [_judged(promise, dataset, head, now) for promise in levels.freshness]
    worst = max((one for one in judged if one.over is not None), key=lambda one: one.over or timedelta(), default=None)
    return DatasetStatus(
        dataset=dataset.name,
        freshness=_freshness(judged, levels, failed=bool(notes)),
        version=head.number,
        committed=head.committed,
        rows=head.rows,
        size=head.size,
        quarantined=quarantined,
        age=now - head.committed,
        newest=max((one.newest for one in judged if one.newest is not None), default=None),
        promised=worst.promise.period if worst else None,
        late_by=worst.over if worst and worst.over and worst.over > timedelta(0) else None,
        last=last,
        notes=(*notes, *levels.notes, *(one.note for one in judged if one.note)),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """One promise against the present: by how much it is exceeded (negative if kept), None if that cannot be told."""

    promise: FreshnessPromise
    over: timedelta | None = None
    newest: datetime | None = None
    note: str = ""


def _judged(promise: FreshnessPromise, dataset: Dataset, head: VersionInfo, now: datetime) -> _Judged:
    if not promise.column:
        return _Judged(promise, now - head.committed - promise.period)
    newest = _newest(dataset, promise.column)
    if newest is None:
        what = _("the newest value of {column} is not known; freshness cannot be judged")
        return _Judged(promise, note=what.format(column=promise.column))
    note = ""
    if newest > now:
        note = _("{column} holds moments of the future").format(column=promise.column)
    return _Judged(promise, now - newest - promise.period, newest, note)


def _freshness(judged: list[_Judged], levels: ServiceLevels, *, failed: bool) -> Freshness:
    if any(one.over is not None and one.over > timedelta(0) for one in judged):
        return Freshness.LATE
    if failed or levels.notes or any(one.over is None for one in judged):
        return Freshness.UNKNOWN
    return Freshness.FRESH if judged else Freshness.UNPROMISED


def _newest(dataset: Dataset, column: str) -> datetime | None:
    """The greatest value of a column, over the batches that make up the newest version."""
    found = []
    for info in lineage(dataset.table):
        text = info.origin.profile.get("columns", {}).get(column, {}).get("maximum")
        moment = _moment(text) if text else None
        if moment is not None:
            found.append(moment)
    return max(found, default=None)


def _moment(text: str) -> datetime | None:
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
