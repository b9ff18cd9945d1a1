"""Policies: what somebody gets of each column, and what examples came to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lastro.model.access import ColumnAccess, Reach
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Tone, table
from lastro.report.numbers import number

if TYPE_CHECKING:
    from lastro.policy.example import Outcome

_TONES = {Reach.CLEAR: Tone.GOOD, Reach.MASKED: Tone.DOUBTFUL, Reach.DENIED: Tone.BAD}


def explained(columns: Sequence[ColumnAccess], notes: Iterable[str]) -> Blocks:
    """One row a column, and what holds for all of them."""
    headings = (Column(_("column"), names=True), Column(_("gets"), fixed=True), Column(_("rows"), spare=1))
    rows = ((each.column, Cell(_reach(each), _TONES[each.reach]), _rows(each), each.why) for each in columns)
    lines = tuple(Line(note) for note in notes if note)
    return (table((*headings, Column(_("why"))), rows), *lines)


def handed(denied: Sequence[str], masked: Sequence[str]) -> Blocks:
    """What policy left out of rows, and what it hides in them."""
    lines = (
        (_("not permitted, and left out: {columns}"), denied),
        (_("masked: {columns}"), masked),
    )
    return tuple(Line(text.format(columns=", ".join(names)), Tone.DOUBTFUL) for text, names in lines if names)


def tested(outcomes: Sequence[Outcome]) -> Blocks:
    """The examples that do not hold, and what each missed."""
    failed = [each for each in outcomes if not each.passed]
    if not failed:
        return ()
    headings = (Column(_("file"), fixed=True), Column(_("example"), names=True), Column(_("what is not as expected")))
    rows = ((each.example.file, each.example.name, "; ".join(each.missed)) for each in failed)
    return (table(headings, rows),)


def tested_verdict(outcomes: Sequence[Outcome]) -> str:
    """How many examples hold."""
    failed = sum(not each.passed for each in outcomes)
    if not failed:
        sentence = ngettext("{n} example holds", "all {n} examples hold", len(outcomes))
        return sentence.format(n=number(len(outcomes)))
    sentence = ngettext("{n} of {all} examples does not hold", "{n} of {all} examples do not hold", failed)
    return sentence.format(n=number(failed), all=number(len(outcomes)))


def _reach(column: ColumnAccess) -> str:
    words = {Reach.CLEAR: _("values"), Reach.MASKED: _("masked"), Reach.DENIED: _("nothing")}
    return words[column.reach] if column.mask is None else f"{words[column.reach]}: {column.mask}"


def _rows(column: ColumnAccess) -> str:
    if column.reach is Reach.DENIED:
        return ""
    return " / ".join(column.rows) or _("all")
