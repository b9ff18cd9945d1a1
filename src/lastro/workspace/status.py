"""Status: how every dataset stands now – how fresh, how large its quarantine, how its last round ended.

Rules:

1. Freshness is judged against the contract's service levels (`freshness`); a dataset without any is `unpromised`.
2. A derived dataset is stale if a build would make it anew; that its file is at fault is a reason, too. Intervals that
   are outdated, which a build leaves alone, are a note.
3. Incidents are counted that are neither resolved nor muted. Where they cannot be read, that is a note of each dataset.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lastro.contract.sla import ServiceLevels, service_levels
from lastro.model.errors import LastroError
from lastro.model.status import DatasetStatus, Freshness, Step
from lastro.model.text import _
from lastro.workspace.derived.build import standing
from lastro.workspace.last_round import steps_of
from lastro.workspace.quality.freshness import Age, judge

if TYPE_CHECKING:
    from lastro.transform.derived.why import Why
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace


def status(workspace: Workspace, names: tuple[str, ...]) -> tuple[DatasetStatus, ...]:
    """How these datasets (all, without names) stand. Raises `UnknownName`; a broken contract is a note."""
    opened, note = _incidents(workspace)
    steps = {step.dataset: step for step in steps_of(workspace.root)}
    now = workspace.clock()
    reasons = standing(workspace)
    found = (_of(workspace.dataset(name), now, steps.get(name)) for name in names or workspace.datasets())
    counted = (_with_incidents(one, opened, note) for one in found)
    return tuple(_derived(one, reasons[one.dataset]) if one.dataset in reasons else one for one in counted)


def _incidents(workspace: Workspace) -> tuple[Counter[str] | None, str]:
    """How many incidents of each dataset are open; or why that is not known."""
    from lastro.alert.incident import State
    from lastro.workspace.monitoring.incidents import incidents

    now = workspace.clock()
    try:
        found = incidents(workspace)
    except LastroError as error:
        return None, _("incidents cannot be read: {what} ({where})").format(what=error.what, where=error.where)
    return Counter(one.opening.dataset for one in found if one.state(now) is not State.MUTED), ""


def _with_incidents(one: DatasetStatus, opened: Counter[str] | None, note: str) -> DatasetStatus:
    if opened is None:
        return replace(one, incidents=None, notes=(*one.notes, note))
    return replace(one, incidents=opened[one.dataset])


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
    judged = [judge(promise, dataset, head, now) for promise in levels.freshness]
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


def _freshness(judged: list[Age], levels: ServiceLevels, *, failed: bool) -> Freshness:
    if any(one.over is not None and one.over > timedelta(0) for one in judged):
        return Freshness.LATE
    if failed or levels.notes or any(one.over is None for one in judged):
        return Freshness.UNKNOWN
    return Freshness.FRESH if judged else Freshness.UNPROMISED
