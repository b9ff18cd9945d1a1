"""Contracts: what one came to, and how two differ."""

from __future__ import annotations

from collections.abc import Sequence

from lastro.contract.compare import Change, Comparison
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.numbers import NOTHING, number


def notes(titled: Sequence[tuple[str, Sequence[str]]]) -> Blocks:
    """Lists of remarks under their titles; an empty list is left out."""
    blocks: Blocks = ()
    for title, remarks in titled:
        if remarks:
            blocks += (Title(title), *(Line(f"  ! {remark}") for remark in remarks))
    return blocks


def comparison(found: Comparison) -> Blocks:
    """One row per difference, the breaking first."""
    if not found.changes:
        return ()
    columns = (
        Column(_("change"), fixed=True),
        Column(_("column")),
        Column(_("field")),
        Column(_("before")),
        Column(_("after")),
    )
    ordered = sorted(found.changes, key=lambda change: not change.breaking)
    return (table(columns, (_change(change) for change in ordered)),)


def comparison_verdict(found: Comparison) -> str:
    """`2 of 5 differences are breaking`, or that there is none."""
    if not found.changes:
        return _("both contracts mean the same")
    breaking = sum(change.breaking for change in found.changes)
    if not breaking:
        sentence = ngettext("{n} difference, compatible", "{n} differences, all compatible", len(found.changes))
        return sentence.format(n=number(len(found.changes)))
    sentence = ngettext("{n} of {all} differences is breaking", "{n} of {all} differences are breaking", breaking)
    return sentence.format(n=number(breaking), all=number(len(found.changes)))


def _change(change: Change) -> tuple[Cell | str, ...]:
    mark = Cell(_("✗ breaking"), Tone.BAD) if change.breaking else Cell(_("✓ compatible"), Tone.GOOD)
    return mark, change.column or NOTHING, change.field, change.before or NOTHING, change.after or NOTHING
