"""Status: one row per dataset, the troubled first, and what is to be said of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from lastro.model.status import DatasetStatus, Freshness, Outcome, Step
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Tone, table
from lastro.report.numbers import NOTHING, duration, moment, number


def status(found: Sequence[DatasetStatus]) -> Blocks:
    """One row per dataset, then the notes."""
    columns = (
        Column(_("dataset")),
        Column(_("freshness"), fixed=True),
        Column(_("late by"), right=True, spare=1),
        Column(_("promised"), right=True, spare=3),
        Column(_("age"), right=True),
        Column(_("version"), right=True),
        Column(_("rows"), right=True, spare=2),
        Column(_("quarantine"), right=True),
        Column(_("incidents"), right=True, spare=5),
        Column(_("last round (UTC)"), spare=4),
    )
    notes = [Line(f"  {one.dataset}: {note}", Tone.DOUBTFUL) for one in found for note in one.notes]
    stale = [Line(f"  {_stale(one)}", Tone.DOUBTFUL) for one in found if one.stale]
    return (table(columns, map(_row, sorted(found, key=_trouble))), *notes, *stale, *_incidents(found))


def _incidents(found: Sequence[DatasetStatus]) -> tuple[Line, ...]:
    count = sum(one.incidents or 0 for one in found)
    if not count:
        return ()
    told = ngettext("{n} incident is open: {command}", "{n} incidents are open: {command}", count)
    return (Line("  " + told.format(n=number(count), command="lastro incidents"), Tone.DOUBTFUL),)


def _stale(one: DatasetStatus) -> str:
    return _("{name} is stale: {reasons}").format(name=one.dataset, reasons=", ".join(one.stale or ()))


def _row(one: DatasetStatus) -> tuple[Cell | str, ...]:
    return (
        one.dataset,
        Cell(_freshness(one.freshness), _tone(one.freshness)),
        _period(one.late_by),
        _period(one.promised),
        _period(one.age),
        NOTHING if one.version is None else number(one.version),
        NOTHING if one.version is None else number(one.rows),
        Cell(number(one.quarantined), Tone.DOUBTFUL if one.quarantined else Tone.PLAIN),
        Cell(number(one.incidents), Tone.DOUBTFUL if one.incidents else Tone.PLAIN),
        _last(one.last),
    )


def _trouble(one: DatasetStatus) -> tuple[bool, bool, bool]:
    failed = one.last is not None and one.last.outcome is Outcome.FAILED
    return not failed, one.freshness is not Freshness.LATE, not one.quarantined


def _tone(freshness: Freshness) -> Tone:
    tones = {Freshness.FRESH: Tone.GOOD, Freshness.LATE: Tone.BAD, Freshness.UNPROMISED: Tone.FAINT}
    return tones.get(freshness, Tone.DOUBTFUL)


def _freshness(freshness: Freshness) -> str:
    words = {
        Freshness.FRESH: _("fresh"),
        Freshness.LATE: _("late"),
        Freshness.EMPTY: _("empty"),
        Freshness.UNPROMISED: _("no promise"),
        Freshness.UNKNOWN: _("unknown"),
    }
    return words[freshness]


def _period(period: timedelta | None) -> str:
    return NOTHING if period is None else duration(max(0.0, period.total_seconds()))


def _last(step: Step | None) -> Cell | str:
    if step is None:
        return NOTHING
    words = {
        Outcome.MADE: _("new version"),
        Outcome.UNCHANGED: _("unchanged"),
        Outcome.FAILED: _("failed {code}").format(code=step.code),
        Outcome.SKIPPED: _("skipped"),
    }
    text = f"{moment(step.ended)} {words[step.outcome]}"
    return Cell(text, Tone.BAD if step.outcome is Outcome.FAILED else Tone.PLAIN)
