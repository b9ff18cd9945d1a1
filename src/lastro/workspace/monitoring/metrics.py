"""Metrics: what the datasets' status comes to in numbers that a monitoring system collects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from lastro.model.release import VERSION
from lastro.model.status import DatasetStatus, Freshness, Outcome
from lastro.report.prometheus import Family, Sample

Measure = Callable[[DatasetStatus], float | None]


def families(found: Sequence[DatasetStatus]) -> tuple[Family, ...]:
    """One family per number, one sample per dataset that has it."""
    return (
        Family("lastro_info", "Which Lastro tells this.", (Sample(1, {"version": VERSION}),)),
        _each(found, "lastro_dataset_version", "Number of the newest version.", lambda one: one.version),
        _each(found, "lastro_dataset_rows", "Rows of the newest version.", lambda one: _if_any(one, one.rows)),
        _each(found, "lastro_dataset_bytes", "Size of the newest version.", lambda one: _if_any(one, one.size)),
        _each(
            found,
            "lastro_dataset_committed_timestamp_seconds",
            "When the newest version was committed.",
            lambda one: _stamp(one.committed),
        ),
        _each(
            found,
            "lastro_dataset_newest_timestamp_seconds",
            "Greatest value of the column whose latency the contract promises.",
            lambda one: _stamp(one.newest),
        ),
        _each(
            found,
            "lastro_dataset_promised_seconds",
            "How old the contract lets the dataset be.",
            lambda one: _seconds(one.promised),
        ),
        _each(
            found,
            "lastro_dataset_late_seconds",
            "How much older it is than promised; 0 if it is fresh.",
            lambda one: (one.late_by or timedelta()).total_seconds() if one.promised else None,
        ),
        _each(
            found,
            "lastro_dataset_late",
            "1 if the dataset is later than its contract promises.",
            lambda one: float(one.freshness is Freshness.LATE),
        ),
        _each(
            found,
            "lastro_dataset_quarantined_rows",
            "Open rows in the quarantine.",
            lambda one: _if_any(one, one.quarantined),
        ),
        _each(
            found,
            "lastro_dataset_incidents",
            "Incidents that are neither resolved nor muted.",
            lambda one: one.incidents,
        ),
        *_last_round(found),
    )


def _last_round(found: Sequence[DatasetStatus]) -> tuple[Family, ...]:
    return (
        _each(
            found,
            "lastro_round_failed",
            "1 if the dataset's step in the last round failed.",
            lambda one: None if one.last is None else float(one.last.outcome is Outcome.FAILED),
        ),
        _each(
            found,
            "lastro_round_timestamp_seconds",
            "When the dataset's step in the last round ended.",
            lambda one: None if one.last is None else _stamp(one.last.ended),
        ),
        _each(
            found,
            "lastro_round_duration_seconds",
            "How long that step took.",
            lambda one: None if one.last is None else one.last.seconds,
        ),
    )


def _each(found: Sequence[DatasetStatus], name: str, text: str, measure: Measure) -> Family:
    values = ((one.dataset, measure(one)) for one in found)
    samples = tuple(Sample(value, {"dataset": dataset}) for dataset, value in values if value is not None)
    return Family(name, text, samples)


def _if_any(one: DatasetStatus, value: float) -> float | None:
    return None if one.version is None else value


def _stamp(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _seconds(period: timedelta | None) -> float | None:
    return None if period is None else period.total_seconds()
