"""Drift: which columns changed, by how much and how surely; then the distances of those that ask for a look.

Rules:

1. Columns come as they were ranked, one row each; those that are stable are counted in one line.
2. What decides is told first: the fact that moved most, between which bounds, against the margin. Distances decide
   nothing and come after.
3. Of a value of the data, only what the reports of profiles show too is shown: listed values, and names of slices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from lastro.drift.result import ColumnDrift, Drift, Estimate, Shift, Verdict
from lastro.drift.settings import Fact
from lastro.drift.slices import SliceShare
from lastro.drift.words import of_fact
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Table, Title, Tone, table
from lastro.report.cells import clean, cut
from lastro.report.histograms import compared
from lastro.report.html import to_page
from lastro.report.numbers import NOTHING, number, percent

NAME_CELLS = 100
WORST = 8
"""How many columns' distances are told in a terminal."""
DRAWN = 3
SLICES = 10
VANISHED = 5
EXPLAINING = 3
Slices = Mapping[str, Sequence[SliceShare]]
"""By column, the slices by what they explain of its change."""
_QUIET = frozenset({Verdict.STABLE, Verdict.STILL})


def drift(found: Drift, *, slices: Sequence[SliceShare] = (), by_column: Slices = MappingProxyType({})) -> Blocks:
    """A row per column that is not stable, what slices explain, and the distances of the worst columns.

    `slices` explain all columns together, `by_column` some of them, each by itself.
    """
    worst = [column for column in found.worst(WORST) if column.distances is not None]
    distances = (Title(_("Distances, which decide nothing")), _distance_table(worst)) if worst else ()
    drawn = [block for column in found.worst(DRAWN) for block in _figure_of(column)]
    figures: Blocks = (Title(_("Distributions")), *drawn) if drawn else ()
    worst_slices = [(column, by_column.get(column.name, ())) for column in found.worst(WORST)]
    notes = [Line(note, Tone.FAINT) for column, shares in worst_slices for note in _notes(column, shares)]
    return (*_column_blocks(found), *notes, *_slice_blocks(slices), *distances, *figures, _basis(found))


def _notes(column: ColumnDrift, slices: Sequence[SliceShare]) -> Iterator[str]:
    """What a row of the table has no room for: what would tell of an unsure column, which values are gone, and why."""
    if column.verdict is Verdict.UNSURE:
        yield f"{short(column.name)}: {column.words}"
    if column.vanished:
        yield _vanished_text(column)
    if slices:
        yield _explained_text(column, slices)


def _explained_text(column: ColumnDrift, slices: Sequence[SliceShare]) -> str:
    """Which slices explain one column's change most."""
    told = ", ".join(f"{short(one.slice)} ({share_text(one.share)})" for one in slices[:EXPLAINING])
    return _("{column}: explained by {slices}").format(column=short(column.name), slices=told)


def left_out(columns: Mapping[str, str]) -> Blocks:
    """Which columns were not compared, and why."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in columns.items():
        by_reason.setdefault(reason, []).append(short(name))
    lines = (_("left out: {names} ({why})").format(names=", ".join(names), why=why) for why, names in by_reason.items())
    return tuple(Line(text, Tone.FAINT) for text in lines)


def drift_verdict(found: Drift) -> str:
    """The worst column and how it changed, then how many there are of its kind."""
    worst = next(iter(found.worst(1)), None)
    if worst is None or not (found.reference and found.current):
        return found.words
    return _("{column}: {change}; {all}").format(column=short(worst.name), change=change_text(worst), all=found.words)


def drift_html(
    found: Drift,
    title: str,
    *,
    slices: Sequence[SliceShare] = (),
    by_column: Slices = MappingProxyType({}),
    apart: Mapping[str, str] = MappingProxyType({}),
    beside: Blocks = (),
    answer: str | None = None,
) -> str:
    """The report as a page of its own: every column with a figure, those that ask for a look in detail.

    `slices` and `by_column` are as for `drift`; `apart` are columns that were not compared, and why; `beside` is shown
    after them. `answer` stands at the head, `drift_verdict` where None.
    """
    asking = found.worst(len(found.columns))
    anchors = {column.name: f"column-{place}" for place, column in enumerate(asking, start=1)}
    measured = [column for column in asking if column.distances is not None]
    told = (Title(_("Distances, which decide nothing")), _distance_table(measured)) if measured else ()
    quiet = [block for column in found.columns if column.verdict in _QUIET for block in _figure_of(column)]
    blocks: Blocks = (
        _basis(found),
        Title(_("Columns")),
        *_column_blocks(found, anchors=anchors),
        *left_out(apart),
        *beside,
        *_slice_blocks(slices),
        *told,
        *([Title(_("Columns that changed, or may have"))] if asking else ()),
        *(
            block
            for column in asking
            for block in _section(column, by_column.get(column.name, ()), anchors[column.name])
        ),
        *([Title(_("Stable columns")), *quiet] if quiet else ()),
    )
    return to_page(title, blocks, answer=drift_verdict(found) if answer is None else answer)


def _section(column: ColumnDrift, slices: Sequence[SliceShare], anchor: str) -> Blocks:
    """All that is known of one column, in a page."""
    facts = [shift for shift in column.shifts if shift.size and shift.verdict not in _QUIET]
    lines = [Line(_shift_text(shift), verdict_cell(shift.verdict).tone) for shift in facts]
    if column.verdict is not Verdict.DRIFTED or column.bars is None:
        lines.append(Line(column.words, Tone.DOUBTFUL))
    lines += [Line(_vanished_text(column))] * bool(column.vanished)
    lines += [Line(_explained_text(column, slices))] * bool(slices)
    return (Title(short(column.name), level=2, anchor=anchor), *lines, *_figure_of(column))


def _figure_of(column: ColumnDrift) -> Blocks:
    """Both sides of a column in a picture, if there is something to draw."""
    caption = f"{short(column.name)}: {verdict_cell(column.verdict).text}"
    facts = dict.fromkeys(filter(None, (column.shift(Fact.VALUES), deciding(column))))
    figure = compared(column, caption, ". ".join([caption, *map(_shift_text, facts)]))
    return (figure,) if figure is not None else ()


def deciding(column: ColumnDrift) -> Shift | None:
    """The fact that made the verdict, of several that which moved most; None if there is nothing to measure."""
    agreeing = [shift for shift in column.shifts if shift.verdict is column.verdict]
    return max(agreeing, key=lambda shift: shift.excess, default=None)


def change_text(column: ColumnDrift) -> str:
    """What moved, by how much and between which bounds; the reason if nothing could be measured."""
    shift = deciding(column)
    if shift is None or shift.size is None:
        return column.words
    return _shift_text(shift)


def _shift_text(shift: Shift) -> str:
    """How much one fact moved, and between which bounds that is; else what it came to."""
    if shift.size is None:
        return shift.words
    filled = {
        "fact": of_fact(shift.fact),
        "size": share_text(shift.size.value),
        "low": share_text(shift.size.low),
        "high": share_text(shift.size.high),
        "margin": share_text(shift.margin),
    }
    if shift.before is None or shift.after is None:
        return _("{fact} moved by {size} (between {low} and {high}, margin {margin})").format(**filled)
    rates = {"before": share_text(shift.before), "after": share_text(shift.after)}
    return _("{fact} went from {before} to {after} (by {low} to {high}, margin {margin})").format(**filled, **rates)


def verdict_cell(verdict: Verdict) -> Cell:
    """A verdict with its mark."""
    match verdict:
        case Verdict.DRIFTED:
            return Cell(_("✗ drifted"), Tone.BAD)
        case Verdict.NOT_COMPARABLE:
            return Cell(_("! not comparable"), Tone.DOUBTFUL)
        case Verdict.UNSURE:
            return Cell(_("? unsure"), Tone.DOUBTFUL)
        case Verdict.STABLE:
            return Cell(_("✓ stable"), Tone.GOOD)
        case Verdict.STILL:
            return Cell(_("✓ still"), Tone.GOOD)


def share_text(share: float) -> str:
    """A share of rows: `3.1 %`."""
    return percent(share, 1)


def short(name: str) -> str:
    """A column's name, cut where it is longer than a sentence bears."""
    return cut(clean(name), NAME_CELLS)


def _column_blocks(found: Drift, *, anchors: Mapping[str, str] = MappingProxyType({})) -> Blocks:
    """A row for each column that is not stable, and how many are; `anchors` are where a page tells more of them."""
    asking = found.worst(len(found.columns))
    quiet = len(found.columns) - len(asking)
    columns = (
        Column(_("column"), names=True),
        Column(_("verdict"), fixed=True),
        Column(_("what moved")),
        Column(_("change"), right=True),
        Column(_("between"), right=True, spare=1),
        Column(_("margin"), right=True, spare=2),
        Column(_("reference"), right=True, spare=3),
        Column(_("now"), right=True, spare=3),
    )
    rows: Blocks = (
        (table(columns, (_row(column, anchors.get(column.name, "")) for column in asking)),) if asking else ()
    )
    if not quiet:
        return rows
    sentence = ngettext("✓ {n} column is stable", "✓ {n} columns are stable", quiet)
    return (*rows, Line("  " + sentence.format(n=number(quiet)), Tone.GOOD))


def _row(column: ColumnDrift, anchor: str) -> tuple[Cell | str, ...]:
    shift = deciding(column)
    size = shift.size if shift is not None else None
    return (
        Cell(short(column.name), anchor=anchor),
        verdict_cell(column.verdict),
        of_fact(shift.fact) if shift is not None and size is not None else column.words,
        share_text(size.value) if size else NOTHING,
        between(size),
        share_text(shift.margin) if shift is not None else NOTHING,
        number(column.reference),
        number(column.current),
    )


def between(size: Estimate | None) -> str:
    """The interval of a share."""
    return f"{share_text(size.low)} … {share_text(size.high)}" if size else NOTHING


def _distance_table(columns: Sequence[ColumnDrift]) -> Table:
    """What is known of how far columns moved; nothing of it decides."""
    headings = (
        Column(_("column"), names=True),
        Column(_("moved"), right=True),
        Column(_("Jensen–Shannon"), right=True),
        Column(_("PSI"), right=True),
        Column(_("PSI by chance"), right=True, spare=2),
        Column(_("Wasserstein"), right=True, spare=1),
        Column(_("mean"), right=True, spare=1),
    )
    return table(headings, (_distances(column) for column in columns))


def _distances(column: ColumnDrift) -> tuple[str, ...]:
    told = column.distances
    largest = max((shift.size.value for shift in column.shifts if shift.size), default=None)
    return (
        short(column.name),
        share_text(largest) if largest is not None else NOTHING,
        number(told.jensen_shannon.value, decimals=3) if told else NOTHING,
        number(told.psi.value, decimals=3) if told else NOTHING,
        number(told.psi.expected) if told else NOTHING,
        number(told.wasserstein.value, decimals=3) if told and told.wasserstein else NOTHING,
        _plus(told.mean_shift.value) if told and told.mean_shift else NOTHING,
    )


def _plus(value: float) -> str:
    """A change with its sign."""
    text = number(value, decimals=3)
    return f"+{text}" if value > 0 else text


def _slice_blocks(slices: Sequence[SliceShare]) -> Blocks:
    """Which slices explain the change, the most first."""
    if not slices:
        return ()
    columns = (
        Column(_("slice"), names=True),
        Column(_("explains"), right=True),
        Column(""),
        Column(_("by its size"), right=True, spare=2),
        Column(_("by its values"), right=True, spare=2),
        Column(_("reference"), right=True, spare=1),
        Column(_("now"), right=True, spare=1),
    )
    rows = (
        (
            short(one.slice),
            share_text(one.share),
            Cell("", share=max(0.0, one.share)),
            share_text(round(one.mix, 3)),
            share_text(round(one.within, 3)),
            number(one.reference),
            number(one.current),
        )
        for one in slices[:SLICES]
    )
    left = len(slices) - SLICES
    more = ngettext("and {n} further slice", "and {n} further slices", left).format(n=number(left)) if left > 0 else ""
    rest: Blocks = (Line("  " + more, Tone.FAINT),) if more else ()
    return (Title(_("Which slices explain it")), table(columns, rows), *rest)


def _vanished_text(column: ColumnDrift) -> str:
    """Which values occur no more."""
    told = ", ".join(short(value) for value in column.vanished[:VANISHED])
    left = len(column.vanished) - VANISHED
    text = _("{column}: no more {values}").format(column=short(column.name), values=told)
    return f"{text}, … (+{number(left)})" if left > 0 else text


def _basis(found: Drift) -> Line:
    """Of how many rows this was found, and how often it may be wrong."""
    told = _(
        "{reference} of reference, {current} now; the chance of any false alarm is at most {alpha} over {columns} "
        "and {looks}"
    )
    text = told.format(
        reference=_rows(found.reference),
        current=_rows(found.current),
        alpha=share_text(found.budget.alpha),
        columns=ngettext("{n} column", "{n} columns", found.budget.columns).format(n=number(found.budget.columns)),
        looks=ngettext("{n} look", "{n} looks", found.budget.looks).format(n=number(found.budget.looks)),
    )
    return Line(text, Tone.FAINT)


def _rows(count: int) -> str:
    return ngettext("{n} row", "{n} rows", count).format(n=number(count))
