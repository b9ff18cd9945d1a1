"""Rounds: one row per step, those that failed with the reason and the repair."""

from __future__ import annotations

from collections.abc import Sequence

from lastro.model.status import MonitorStep, Outcome, Round, Step
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Tone, table
from lastro.report.numbers import NOTHING, duration, number


def played(found: Round, notes: Sequence[str]) -> Blocks:
    """The steps in order, then what failed, then what monitors saw and checks found, then what could not be told."""
    columns = (
        Column(_("dataset")),
        Column(_("outcome"), fixed=True),
        Column(_("version"), right=True),
        Column(_("kept"), right=True, spare=2),
        Column(_("set aside"), right=True, spare=1),
        Column(_("time"), right=True, spare=3),
    )
    failed = [line for step in found.steps if step.outcome is Outcome.FAILED for line in _reason(step)]
    said = [Line(f"  {note}", Tone.DOUBTFUL) for note in notes]
    skipped = [Line(f"  {step.dataset}: {step.what}", Tone.DOUBTFUL) for step in found.steps if _is_skipped(step)]
    after = (*_flattened(found), *looked(found.looks), *_checks(found))
    return (table(columns, map(_row, found.steps)), *failed, *skipped, *after, *said)


def played_verdict(found: Round) -> str:
    """How many steps came to what, in one sentence."""
    counts = {outcome: sum(step.outcome is outcome for step in found.steps) for outcome in Outcome}
    sentence = ngettext(
        "{n} dataset: {made} with a new version, {same} unchanged, {failed} failed",
        "{n} datasets: {made} with a new version, {same} unchanged, {failed} failed",
        len(found.steps),
    ).format(
        n=number(len(found.steps)),
        made=number(counts[Outcome.MADE]),
        same=number(counts[Outcome.UNCHANGED]),
        failed=number(counts[Outcome.FAILED]),
    )
    skipped = counts[Outcome.SKIPPED]
    return (
        ngettext("{sentence}, {n} skipped", "{sentence}, {n} skipped", skipped).format(
            sentence=sentence, n=number(skipped)
        )
        if skipped
        else sentence
    )


def _flattened(found: Round) -> tuple[Line, ...]:
    return tuple(
        Line("  " + _("{name} is new: the elements of a list, transforms/{name}.sql").format(name=name))
        for name in found.flattened
    )


def looked(found: Sequence[MonitorStep]) -> tuple[Line, ...]:
    """A line for each look, and the command to look further where it found something or failed."""
    return tuple(line for look in found for line in _told(look.what, look.do, bad=look.alarm or bool(look.code)))


def _checks(found: Round) -> tuple[Line, ...]:
    return tuple(line for check in found.checks for line in _told(check.what, check.do, bad=not check.passed))


def _told(what: str, do: str, *, bad: bool) -> tuple[Line, ...]:
    told = Line(f"  {what}", Tone.BAD if bad else Tone.PLAIN)
    return (told, Line(f"    {do}")) if bad and do else (told,)


def _is_skipped(step: Step) -> bool:
    return step.outcome is Outcome.SKIPPED


def _row(step: Step) -> tuple[Cell | str, ...]:
    made = step.outcome is Outcome.MADE
    return (
        step.dataset,
        _outcome(step),
        NOTHING if step.version is None else number(step.version),
        number(step.kept) if made else NOTHING,
        Cell(number(step.quarantined), Tone.DOUBTFUL if step.quarantined else Tone.PLAIN) if made else NOTHING,
        duration(step.seconds),
    )


def _outcome(step: Step) -> Cell:
    match step.outcome:
        case Outcome.MADE:
            return Cell(_("new version"), Tone.GOOD)
        case Outcome.UNCHANGED:
            return Cell(_("unchanged"), Tone.FAINT)
        case Outcome.FAILED:
            return Cell(_("failed {code}").format(code=step.code), Tone.BAD)
        case Outcome.SKIPPED:
            return Cell(_("skipped"), Tone.DOUBTFUL)


def _reason(step: Step) -> tuple[Line, ...]:
    told = Line(f"  {step.dataset}: {step.what}", Tone.BAD)
    return (told, *(Line(f"    {text}") for text in (step.where, step.do) if text))
