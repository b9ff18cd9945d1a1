"""What columns have to do with each other: which are missing in the same rows, and which rise together."""

from __future__ import annotations

from lastro.model.text import _
from lastro.quality.relations import Correlation, Relations
from lastro.report.blocks import Blocks, Column, Grid, Line, Title, Tone, table
from lastro.report.cells import clean, cut
from lastro.report.numbers import number, percent

SHOWN = 10
DRAWN = 12
NAME_CELLS = 60


def relations(found: Relations | None, *, columns: int, drawn: bool = False) -> Blocks:
    """Tables of the strongest, for a profile of so many columns; `drawn`, with a grid of correlations."""
    if found is None:
        return (
            Line(_("what columns have to do with each other was not counted by the Lastro that made this"), Tone.FAINT),
        )
    return (*_missing(found, columns), *_correlations(found, drawn=drawn))


def _missing(found: Relations, columns: int) -> Blocks:
    if not found.missing:
        return ()
    headings = (
        Column(_("columns")),
        Column(_("rows"), right=True),
        Column(_("share of the rows that miss one of them"), right=True),
    )
    rows = [
        (", ".join(cut(clean(name), NAME_CELLS) for name in each.columns), number(each.rows), percent(each.share, 1))
        for each in found.missing[:SHOWN]
    ]
    looked = len(found.looked_at)
    note = _("of the first {n} columns").format(n=number(looked)) if looked < columns else ""
    lines = (Line(note, Tone.FAINT),) if note else ()
    return (Title(_("Missing in the same rows")), table(headings, rows), *lines)


def _correlations(found: Relations, *, drawn: bool) -> Blocks:
    if not found.correlations:
        return ()
    headings = (
        Column(_("column")),
        Column(_("column")),
        Column(_("correlation"), right=True),
        Column(_("rows"), right=True),
    )
    rows = [
        (*each.columns, number(round(each.value, 2) + 0.0, decimals=2), number(each.rows))
        for each in found.correlations[:SHOWN]
    ]
    note = _("1: they rise together, -1: one falls as the other rises; by order, so that no outlier weighs")
    return (
        Title(_("Columns that rise together")),
        *((_grid(found),) if drawn else ()),
        table(headings, rows),
        Line(note, Tone.FAINT),
    )


def _grid(found: Relations) -> Grid:
    """The columns of the strongest correlations, as many as there is room for, in the table's order."""
    chosen: list[str] = []
    for each in found.correlations:
        chosen += [name for name in each.columns if name not in chosen]
    names = [name for name in found.ordered if name in chosen[:DRAWN]]
    values = {frozenset(each.columns): each.value for each in found.correlations}
    rows = tuple(tuple(values.get(frozenset((one, two)), 0.0) for two in names) for one in names)
    told = ", ".join(_pair(each) for each in found.correlations[:3])
    says = _("correlations; the strongest are {pairs}").format(pairs=told)
    return Grid(_("correlations"), says, tuple(names), rows)


def _pair(each: Correlation) -> str:
    one, two = (cut(clean(name), NAME_CELLS) for name in each.columns)
    return f"{one} – {two} {number(round(each.value, 2) + 0.0, decimals=2)}"
