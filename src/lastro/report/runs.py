"""Runs: what was executed, what it read, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lastro.catalog.run_record import RunRecord, RunStatus
from lastro.model.text import _
from lastro.report.blocks import Blocks, Cell, Column, Tone, table
from lastro.report.numbers import NOTHING, moment, number

_COMMIT_DIGITS = 10


def runs(records: Sequence[RunRecord]) -> Blocks:
    """One row per run, in the order given (newest first)."""
    columns = (
        Column(_("run"), fixed=True),
        Column(_("name")),
        Column(_("status"), fixed=True),
        Column(_("started (UTC)"), fixed=True, spare=1),
        Column(_("inputs")),
        Column(_("code"), spare=2),
        Column(_("metrics")),
    )
    return (table(columns, (_run(record) for record in records)),)


def run_values(record: RunRecord) -> dict[str, Any]:  # Any: JSON values
    """A run as plain values, without the list of packages: its digest stands for them."""
    values = record.to_dict()
    values["environment"] = {key: value for key, value in values["environment"].items() if key != "packages"}
    return values


def status_mark(record: RunRecord) -> Cell:
    """`✓ succeeded`, `✗ failed` or `… running`."""
    match record.status:
        case RunStatus.SUCCEEDED:
            return Cell(_("✓ succeeded"), Tone.GOOD)
        case RunStatus.FAILED:
            return Cell(_("✗ failed"), Tone.BAD)
        case RunStatus.RUNNING:
            return Cell(_("… running"), Tone.DOUBTFUL)


def _run(record: RunRecord) -> tuple[Cell | str, ...]:
    metrics = "; ".join(f"{name}={number(value)}" for name, value in record.metrics.items())
    inputs = ", ".join(used.reference for used in record.inputs)
    return (
        record.id,
        record.name,
        status_mark(record),
        moment(record.started),
        inputs or NOTHING,
        _code(record),
        metrics or NOTHING,
    )


def _code(record: RunRecord) -> str:
    if record.code.commit is None:
        return NOTHING
    commit = record.code.commit[:_COMMIT_DIGITS]
    return _("{commit} + changes").format(commit=commit) if record.code.dirty else commit
