"""Troubles: what about a dataset's status somebody should be told.

Rules:

1. `failed`: its step in the last round failed. `late`: a promise of freshness is broken. `quarantined`: its quarantine
   has open rows. `drifted`: a monitor's look found drift. `blind`: its look failed. `broken`: a rule of the contract
   is.
2. A trouble names the command to look further.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from lastro.alert.event import Event, Kind
from lastro.model.status import DatasetStatus, Outcome, Step
from lastro.model.text import _, figures, ngettext


def troubles(found: Iterable[DatasetStatus], now: datetime) -> Iterator[Event]:
    """What is wrong with these datasets."""
    for status in found:
        if status.last is not None and status.last.outcome is Outcome.FAILED:
            yield _failed(status.last, now)
        if not status.passed and status.late_by is not None:
            yield _event(
                Kind.LATE,
                status.dataset,
                now,
                _lateness(status.dataset, status.late_by, status.promised),
                f"lastro status {status.dataset}",
                late_s=status.late_by.total_seconds(),
            )
        if status.quarantined:
            what = ngettext(
                "{dataset} has {rows} open row in its quarantine",
                "{dataset} has {rows} open rows in its quarantine",
                status.quarantined,
            ).format(dataset=status.dataset, rows=figures(f"{status.quarantined:,}"))
            do = f"lastro quarantine {status.dataset}"
            yield _event(Kind.QUARANTINED, status.dataset, now, what, do, rows=status.quarantined)


def drift_of(
    dataset: str, monitor: str, moment: datetime, *, what: str, do: str, numbers: Mapping[str, float]
) -> Event:
    """The trouble of a look that found drift."""
    return Event(uuid.uuid4().hex, Kind.DRIFTED, dataset, moment, what, do, numbers=numbers, monitor=monitor)


def blind_of(dataset: str, monitor: str, moment: datetime, *, what: str, do: str, code: str) -> Event:
    """The trouble of a monitor that cannot look."""
    return Event(uuid.uuid4().hex, Kind.BLIND, dataset, moment, what, do, code, monitor=monitor)


def broken_of(
    dataset: str, rule: str, moment: datetime, *, what: str, do: str, code: str, numbers: Mapping[str, float]
) -> Event:
    """The trouble of a rule that a batch, or a stored version, breaks."""
    return Event(uuid.uuid4().hex, Kind.BROKEN, dataset, moment, what, do, code, numbers=numbers, rule=rule)


def _failed(step: Step, now: datetime) -> Event:
    return Event(
        id=uuid.uuid4().hex,
        kind=Kind.FAILED,
        dataset=step.dataset,
        moment=now,
        what=step.what,
        do=step.do,
        code=step.code,
        numbers={"attempts": step.attempts},
    )


def _event(kind: Kind, dataset: str, now: datetime, what: str, do: str, **numbers: float) -> Event:
    return Event(uuid.uuid4().hex, kind, dataset, now, what, do, numbers=numbers)


def _lateness(dataset: str, late_by: timedelta, promised: timedelta | None) -> str:
    return _("{dataset} is {late} later than promised ({promised})").format(
        dataset=dataset, late=_plain(late_by), promised=_plain(promised or timedelta())
    )


def _plain(period: timedelta) -> str:
    return str(timedelta(seconds=round(period.total_seconds())))
