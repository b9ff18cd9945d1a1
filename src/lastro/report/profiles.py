"""Profiles: every column of a version in a row, the most frequent values and shapes of those that have any, and what
columns have to do with each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lastro.model.text import _, ngettext
from lastro.quality.summary import ColumnSummary, Summary
from lastro.report.blocks import Blocks, Cell, Column, Line, Table, Title, Tone, bar, table
from lastro.report.cells import clean, cut, sparkline
from lastro.report.histograms import counted
from lastro.report.html import to_page
from lastro.report.numbers import NOTHING, bound, number, percent
from lastro.report.relations import relations

MUCH_MISSING = 0.5
NAME_CELLS = 100


def profile(summary: Summary) -> Blocks:
    """One row per column, what they have to do with each other, then each column's frequent values and shapes."""
    told = [block for column in summary.columns for block in (*_values(column), *_shapes(column))]
    about = (_overview(summary), *_of_lengths(summary))
    return (*about, *relations(summary.relations, columns=len(summary.columns)), *told)


def profile_html(summary: Summary, reference: str) -> str:
    """The profile as a page of its own: a row and a section per column, with a figure if it may be drawn."""
    anchors = {column.name: f"column-{place}" for place, column in enumerate(summary.columns, start=1)}
    sections = [block for column in summary.columns for block in _section(column, anchors[column.name])]
    together = relations(summary.relations, columns=len(summary.columns), drawn=True)
    about = (Title(_("Columns")), _overview(summary, anchors=anchors), *_of_lengths(summary))
    blocks = (*about, *together, *sections)
    title = _("Profile of {reference}").format(reference=reference)
    return to_page(title, blocks, answer=profile_verdict(reference, summary))


def _section(column: ColumnSummary, anchor: str) -> Blocks:
    """All that is known of one column, in a page."""
    if column.withheld:
        told = _("its values are withheld, so only the missing were counted")
    else:
        told = "; ".join(f"{percent(share, 1)}: {text}" for share, text in column.quantiles)
        text = _("quantiles of the lengths: {values}") if column.type == "string" else _("quantiles: {values}")
        told = text.format(values=told) if told else ""
    lines = (Line(told, Tone.FAINT),) if told else ()
    figure = counted(column)
    title = Title(cut(clean(column.name), NAME_CELLS), anchor=anchor)
    return (title, *lines, *([figure] if figure is not None else []), *_shapes(column, titled=False))


def _overview(summary: Summary, *, anchors: Mapping[str, str] = MappingProxyType({})) -> Table:
    """One row per column; `anchors` are where a page tells more of each."""
    columns = (
        Column(_("column"), names=True),
        Column(_("type"), spare=4),
        Column(_("missing"), right=True),
        Column(_("different"), right=True, spare=2),
        Column(_("distribution"), fixed=True, spare=1),
        Column(_("median"), right=True),
        Column(_("mean"), right=True, spare=2),
        Column(_("deviation"), right=True, spare=3),
        Column(_("smallest"), right=True, spare=5),
        Column(_("largest"), right=True, spare=5),
    )
    return table(columns, (_row(column, anchors.get(column.name, "")) for column in summary.columns))


def _of_lengths(summary: Summary) -> Blocks:
    """What the numbers of texts are about, if any text has numbers."""
    if not any(column.type == "string" and column.mean is not None for column in summary.columns):
        return ()
    return (Line("  " + _("the numbers of a string column are about its length in characters"), Tone.FAINT),)


def profile_verdict(reference: str, summary: Summary) -> str:
    """How much there is, and what to look at first."""
    sentence = ngettext("{reference} has {n} row", "{reference} has {n} rows", summary.rows)
    found = sentence.format(reference=reference, n=number(summary.rows))
    worst = max(summary.columns, key=lambda column: column.missing, default=None)
    if worst is None or not worst.missing:
        return _("{found}; no value is missing").format(found=found)
    share = percent(worst.missing, worst.rows)
    return _("{found}; most is missing of {name}: {share}").format(
        found=found, name=cut(clean(worst.name), NAME_CELLS), share=share
    )


def _row(column: ColumnSummary, anchor: str) -> tuple[Cell | str, ...]:
    missing = percent(column.missing, column.rows)
    tone = Tone.DOUBTFUL if column.missing_share > MUCH_MISSING else Tone.PLAIN
    name = Cell(column.name, anchor=anchor)
    if column.withheld:
        return (name, column.type, Cell(missing, tone), NOTHING, Cell(_("withheld"), Tone.FAINT), *[NOTHING] * 5)
    quantiles = dict(column.quantiles)
    is_number = column.mean is not None and column.type not in {"date", "timestamp", "timestamp_ntz"}
    return (
        name,
        column.type,
        Cell(missing, tone),
        different(column),
        sparkline(column.picture),
        bound(quantiles.get(0.5)) or NOTHING,
        number(column.mean) if is_number else NOTHING,
        number(column.deviation) if is_number else NOTHING,
        bound(column.minimum) or NOTHING,
        bound(column.maximum) or NOTHING,
    )


def different(column: ColumnSummary) -> str:
    """How many values are different: as it is if it was counted, in two digits with `≈` if it is about that."""
    if column.distinct is None:
        return NOTHING
    if not column.distinct_error:
        return number(column.distinct)
    places = len(str(column.distinct)) - 2
    return f"≈ {number(round(column.distinct, -places))}"


def _shapes(column: ColumnSummary, *, titled: bool = True) -> Blocks:
    """What the texts look like: 9 is a digit, A and a are letters, all else stands for itself."""
    if not column.shapes:
        return ()
    columns = (Column(_("shape of the text")), Column(_("share"), right=True), Column(""))
    others = column.shapes_of - sum(times for _shape, times in column.shapes)
    most = max(others, *(times for _shape, times in column.shapes))
    rows = [
        (Cell(repr(shape) if not shape.strip() else shape), percent(times, column.shapes_of), bar(times, most))
        for shape, times in column.shapes
    ]
    if others:
        rows.append((Cell(_("all others"), Tone.FAINT), percent(others, column.shapes_of), bar(others, most)))
    title = (Title(column.name),) if titled and not column.values else ()
    return (*title, table(columns, rows))


def _values(column: ColumnSummary) -> Blocks:
    if not column.values:
        return ()
    columns = (Column(_("value")), Column(_("rows"), right=True), Column(_("share"), right=True), Column(""))
    present = column.rows - column.missing
    most = max(times for _value, times in column.values)
    rows = [_value(repr(value) if not value.strip() else value, times, present, most) for value, times in column.values]
    if column.others:
        rows.append(_value(_("all others"), column.others, present, max(most, column.others), tone=Tone.FAINT))
    return (Title(column.name), table(columns, rows))


def _value(text: str, times: int, present: int, most: int, *, tone: Tone = Tone.PLAIN) -> tuple[Cell | str, ...]:
    return Cell(text, tone), number(times), percent(times, present), bar(times, most)
