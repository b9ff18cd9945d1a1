"""Looks of monitors: what was compared, what it came to, and how much of the month's budget is spent.

Whatever a look found is told from its record alone, so that an old look says the same as a new one.
"""

from __future__ import annotations

from collections.abc import Sequence

from lastro.catalog.look_record import Look, WorstColumn
from lastro.drift.result import ColumnDrift, Estimate, Shift, Verdict
from lastro.drift.settings import Fact
from lastro.drift.words import of_table
from lastro.model.status import MonitorStep
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Tone, table
from lastro.report.drift import between, change_text, share_text, short, verdict_cell
from lastro.report.numbers import NOTHING, moment, number, percent


def looks(found: Sequence[Look]) -> Blocks:
    """One row per look, then the columns that ask for attention in the last, and what is to be said of its budget."""
    columns = (
        Column(_("monitor")),
        Column(_("look"), right=True),
        Column(_("moment (UTC)"), spare=2),
        Column(_("reference"), spare=3),
        Column(_("compared"), spare=1),
        Column(_("verdict"), fixed=True),
        Column(_("drifted"), right=True),
        Column(_("budget spent"), right=True, spare=4),
    )
    notes = [line for look in found for line in _notes(look)]
    return (table(columns, map(_row, found)), *notes)


def look_sentence(look: Look) -> str:
    """What a look found, in one sentence."""
    return f"{look.monitor}: {_found(look)}"


def monitor_step(look: Look) -> MonitorStep:
    """A look as it is told in a round."""
    told = look_sentence(look)
    do = look.do if look.code else look.command
    return MonitorStep(look.monitor, look.dataset, look.number, look.verdict, look.alarm, told, do, look.code)


def looks_verdict(found: Sequence[Look]) -> str:
    """What all looks came to: the first that alarms is told, then how many did."""
    alarms = [look for look in found if look.alarm]
    failed = [look for look in found if look.code]
    first = next(iter((*alarms, *failed, *(look for look in found if look.is_empty))), None)
    sentence = ngettext("{n} look, {alarms} found drift", "{n} looks, {alarms} found drift", len(found))
    told = sentence.format(n=number(len(found)), alarms=number(len(alarms)))
    return told if first is None else f"{look_sentence(first)} ({told})"


def worst_columns(look: Look) -> Blocks:
    """The columns that a look recorded, as a table; nothing if there are none."""
    if not look.worst:
        return ()
    columns = (
        Column(_("column")),
        Column(_("verdict"), fixed=True),
        Column(_("change"), right=True),
        Column(_("between"), right=True, spare=1),
        Column(_("margin"), right=True, spare=2),
    )
    return (table(columns, map(_worst, look.worst)),)


def _found(look: Look) -> str:
    if look.code:
        return look.what
    verdict = Verdict(look.verdict)
    concerned = look.drifted if verdict is Verdict.DRIFTED else sum(each.verdict == verdict for each in look.worst)
    all_columns = _no_rows(look) or of_table(verdict, look.columns, concerned)
    worst = next(iter(look.worst), None)
    told = all_columns
    if verdict is Verdict.DRIFTED and worst is not None:
        column = _column(worst)
        told = _("{column}: {change}; {all}").format(column=short(column.name), change=change_text(column), all=told)
    return f"{told} ({_spent()})" if look.quiet else told


def _no_rows(look: Look) -> str:
    if not look.rows_reference:
        return _("the reference has no rows")
    return "" if look.rows_current else _("the window has no rows")


def _spent() -> str:
    return _("the month's budget is used up: recorded, and no alarm")


def _notes(look: Look) -> tuple[Line, ...]:
    if look.code:
        return (Line(f"  {look_sentence(look)}", Tone.BAD), *((Line(f"    {look.do}"),) if look.do else ()))
    if look.quiet:
        return (Line(f"  {look.monitor}: {_spent()}", Tone.DOUBTFUL),)
    if look.repeats is not None:
        told = _("{monitor}: the same comparison as look {look}, so nothing is spent")
        return (Line("  " + told.format(monitor=look.monitor, look=number(look.repeats)), Tone.FAINT),)
    return ()


def _row(look: Look) -> tuple[Cell | str, ...]:
    verdict = Cell(_("✗ failed {code}").format(code=look.code), Tone.BAD)
    return (
        look.monitor,
        number(look.number),
        moment(look.moment),
        look.reference or NOTHING,
        _compared(look),
        verdict if look.code else verdict_cell(Verdict(look.verdict)),
        NOTHING if look.code else number(look.drifted),
        _share_spent(look),
    )


def _compared(look: Look) -> str:
    looked = look.looked
    if looked is None:
        return NOTHING
    current = f"{look.dataset}@{looked.current.number}"
    if looked.after is not None:
        return _("{current}, after {number}").format(current=current, number=looked.after.number)
    if looked.start is not None:
        return _("{current}, since {moment}").format(current=current, moment=moment(looked.start))
    return current


def _share_spent(look: Look) -> str:
    """How much of the part of the month's budget that looks share was spent, with this look's."""
    if look.settings is None:
        return NOTHING
    return percent(look.spent_before + look.spent, look.settings.budget / 2)


def _column(worst: WorstColumn) -> ColumnDrift:
    verdict = Verdict(worst.verdict)
    size = _size(worst)
    shifts: tuple[Shift, ...] = ()
    if worst.fact is not None and size is not None:
        fact = Fact(worst.fact)
        shifts = (Shift(fact, verdict, "", worst.margin or 0.0, size, worst.before, worst.after),)
    return ColumnDrift(worst.name, worst.type, verdict, _("cannot be compared"), shifts=shifts)


def _size(worst: WorstColumn) -> Estimate | None:
    if worst.size is None or worst.low is None or worst.high is None:
        return None
    return Estimate(worst.size, worst.low, worst.high)


def _worst(worst: WorstColumn) -> tuple[Cell | str, ...]:
    size = _size(worst)
    return (
        short(worst.name),
        verdict_cell(Verdict(worst.verdict)),
        share_text(size.value) if size else NOTHING,
        between(size),
        share_text(worst.margin) if worst.margin is not None else NOTHING,
    )
