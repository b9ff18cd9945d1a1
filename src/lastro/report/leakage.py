"""Leakage in words: counts and shares, and never a value."""

from __future__ import annotations

from lastro.model.text import _, ngettext
from lastro.quality.leakage import Leak, Leakage, LeakageReport
from lastro.report.blocks import Blocks, Cell, Column, Tone, table
from lastro.report.numbers import NOTHING, number, percent


def leakage(found: LeakageReport) -> Blocks:
    """One row for each thing that leaks."""
    if not found.leaks:
        return ()
    columns = (Column(_("leak"), fixed=True), Column(_("column")), Column(_("how much")))
    return (table(columns, [_row(each, found) for each in found.leaks]),)


def leakage_verdict(found: LeakageReport) -> str:
    """Whether anything leaks, and between what."""
    sides = {"first": found.first, "second": found.second}
    for name, rows in zip((found.first, found.second), found.rows, strict=True):
        if not rows:
            return _("{name} has no rows, so that nothing can be told").format(name=name)
    if found.passed:
        return _("nothing leaks from {first} into {second}, of what was looked for").format(**sides)
    sentence = ngettext("{n} leak from {first} into {second}", "{n} leaks from {first} into {second}", len(found.leaks))
    return sentence.format(n=number(len(found.leaks)), **sides)


def _row(each: Leakage, found: LeakageReport) -> tuple[Cell | str, ...]:
    mark = Cell(f"✗ {_kind(each.leak)}", Tone.BAD)
    if each.leak in (Leak.COLUMN, Leak.MISSING):
        said = _("tells {share} of {target} ({low} to {high})")
        shares = {name: percent(value, 1) for name, value in (("low", each.low), ("high", each.high))}
        return mark, each.column or NOTHING, said.format(share=percent(each.tells, 1), target=found.target, **shares)
    name = ", ".join(found.key) if each.leak is Leak.KEY else NOTHING
    sentence = ngettext(
        "{n} row of {second} ({share}) is in {first}, too",
        "{n} rows of {second} ({share}) are in {first}, too",
        each.rows,
    )
    return (
        mark,
        name,
        sentence.format(n=number(each.rows), share=percent(each.rows, each.of), first=found.first, second=found.second),
    )


def _kind(leak: Leak) -> str:
    match leak:
        case Leak.EQUAL:
            return _("equal rows")
        case Leak.NEAR:
            return _("near-equal rows")
        case Leak.KEY:
            return _("same key")
        case Leak.COLUMN:
            return _("gives the target away")
        case Leak.MISSING:
            return _("gives it away by missing")
