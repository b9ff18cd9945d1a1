"""Freshness: how old the newest rows of a dataset are, against what its contract promises.

Rules:

1. The newest value of a column comes from the profiles of the batches that make up the newest version: no data is read.
   Moments without a zone are taken as UTC; a date is as fresh as its last moment, and today's as the
   present.
2. A column that is withheld from statistics, or that holds no moments, cannot be judged: that is said, never passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from lastro.contract.sla import FreshnessPromise
from lastro.model.text import _
from lastro.model.version import VersionInfo
from lastro.pipeline.lineage import lineage

if TYPE_CHECKING:
    from lastro.workspace.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Age:
    """One promise against the present: by how much it is exceeded (negative if kept), None if that cannot be told."""

    promise: FreshnessPromise
    over: timedelta | None = None
    newest: datetime | None = None
    note: str = ""


def judge(promise: FreshnessPromise, dataset: Dataset, head: VersionInfo, now: datetime) -> Age:
    """How the newest version, `head`, keeps a promise now."""
    if not promise.column:
        return Age(promise, now - head.committed - promise.period)
    return _aged(promise, _newest(dataset, promise.column, now), now)


def judge_value(promise: FreshnessPromise, newest: str | None, now: datetime) -> Age:
    """How rows whose newest value is this, as text, keep a promise about their column now; of no version anything."""
    if not promise.column:
        return Age(promise, note=_("cannot be judged: where the data lives there are no versions"))
    return _aged(promise, _moment(newest, now) if newest else None, now)


def _aged(promise: FreshnessPromise, newest: datetime | None, now: datetime) -> Age:
    if newest is None:
        what = _("the newest value of {column} is not known; freshness cannot be judged")
        return Age(promise, note=what.format(column=promise.column))
    note = ""
    if newest > now:
        note = _("{column} holds moments of the future").format(column=promise.column)
    return Age(promise, now - newest - promise.period, newest, note)


def _newest(dataset: Dataset, column: str, now: datetime) -> datetime | None:
    """The greatest value of a column, over the batches that make up the newest version."""
    found = []
    for info in lineage(dataset.table):
        text = info.origin.profile.get("columns", {}).get(column, {}).get("maximum")
        moment = _moment(text, now) if text else None
        if moment is not None:
            found.append(moment)
    return max(found, default=None)


def _moment(text: str, now: datetime) -> datetime | None:
    try:
        if len(text) == len("2026-01-31"):
            first, last = (datetime.combine(date.fromisoformat(text), each, UTC) for each in (time.min, time.max))
            return min(last, max(first, now))
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
