"""The doctor's report: what was found, and what is promised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.numbers import number

_TONES = {"good": Tone.GOOD, "note": Tone.DOUBTFUL, "bad": Tone.BAD}
Found = tuple[str, str, str, str]
"""Check, level, what was found, what to do."""


def examined(found: Iterable[Found], promises: Sequence[str], cannot: Sequence[str]) -> Blocks:
    """What was found, the gravest first, then what this workspace promises, and what it cannot."""
    words = {"good": _("good"), "note": _("note"), "bad": _("bad")}
    headings = (Column(_("check"), fixed=True), Column("", fixed=True), Column(_("found")), Column(_("do")))
    rows = ((check, Cell(words[level], _TONES[level]), what, do) for check, level, what, do in found)
    return (
        table(headings, rows),
        Title(_("What a workspace on your own machine promises")),
        *(Line(f"+ {each}") for each in promises),
        Title(_("What it cannot")),
        *(Line(f"- {each}") for each in cannot),
    )


def examined_verdict(bad: int, notes: int) -> str:
    """How the workspace is."""
    if bad:
        return ngettext("{n} thing is to be put right", "{n} things are to be put right", bad).format(n=number(bad))
    if notes:
        sentence = ngettext("nothing is broken; {n} note", "nothing is broken; {n} notes", notes)
        return sentence.format(n=number(notes))
    return _("nothing is to be put right")
