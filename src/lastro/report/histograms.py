"""Figures of columns: both sides of a comparison, or one side of a profile.

Rules:

1. Numbers are drawn in equal steps between the 0.5 and the 99.5 percent quantiles of both sides, or nearer where these
   lie far from the reference, so that no outlier squeezes the picture; what lies beyond counts in the outer steps.
2. A whole number is 1 wide, so that every step holds as many of them as the others.
3. Where the reference was a few numbers, each has a bar of its own.
4. Values are drawn the most frequent first, those of least weight with all others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lastro.drift.constant import WHOLE
from lastro.drift.result import Bars, ColumnDrift
from lastro.model.text import _
from lastro.quality.steps import Piece, stepped, visible
from lastro.quality.summary import SHOWN_VALUES, ColumnSummary, text_of
from lastro.report.blocks import Figure, Series
from lastro.report.cells import clean, cut
from lastro.report.numbers import number, percent

STEPS = 24
SINGLE = 10
TOLD = 3
VALUE_CELLS = 40


def compared(column: ColumnDrift, caption: str, says: str) -> Figure | None:
    """Both sides of a column; None if nothing of it may be drawn, or there is nothing."""
    bars = column.bars
    if bars is None or not (any(bars.reference) or any(bars.current)):
        return None
    if bars.values is not None:
        return _bars([*map(value_text, bars.values), _("all others")], bars, caption, says)
    edges, kind = bars.edges or (), "long" if column.type == "string" else column.type
    if len(edges) < 2 or (bars.single and len(edges) <= SINGLE):
        texts = [text_of(edge, kind) for edge in edges] or [_("all")]
        labels = [*texts, f"> {texts[-1]}"] if edges else texts
        return Figure(caption, says, _sides(bars.reference, bars.current), tuple(labels))
    return _stepped(bars, edges, kind, (caption, says))


def counted(column: ColumnSummary) -> Figure | None:
    """What is known of a profile's column; None if nothing of it may be drawn, or there is nothing."""
    present = column.rows - column.missing
    if column.values and present:
        pairs = [(value_text(value), times / present) for value, times in column.values]
        others = [(_("all others"), column.others / present)] if column.others else []
        labels, shares = zip(*pairs, *others, strict=True)
        told = ", ".join(f"{label} {percent(share, 1)}" for label, share in pairs[:TOLD])
        says = _("{column}: most frequent are {values}").format(column=_name(column.name), values=told)
        return Figure(_("frequent values"), says, (Series(_("now"), shares),), labels)
    total = sum(column.picture)
    if not total or column.low is None or column.high is None:
        return None
    kind = "long" if column.type == "string" else column.type
    ends = _ends(column.low, column.high, kind)
    median = dict(column.quantiles).get(0.5, "")
    says = _("{column}: from {low} to {high}, median {median}").format(
        column=_name(column.name), low=ends[0], high=ends[1], median=median
    )
    caption = _("lengths of texts") if column.type == "string" else _("distribution of values")
    return Figure(caption, says, (Series(_("now"), tuple(each / total for each in column.picture)),), ends=ends)


def value_text(value: str) -> str:
    """A value as a label: what is blank is quoted."""
    return cut(clean(value if value.strip() else repr(value)), VALUE_CELLS)


def _name(name: str) -> str:
    return cut(clean(name), VALUE_CELLS)


def _sides(reference: Sequence[float], current: Sequence[float]) -> tuple[Series, ...]:
    return Series(_("reference"), tuple(reference)), Series(_("now"), tuple(current))


def _bars(labels: Sequence[str], bars: Bars, caption: str, says: str) -> Figure:
    """The values that are most frequent on either side, then all others together."""
    shares = list(zip(bars.reference, bars.current, strict=True))
    order = sorted(range(len(shares) - 1), key=lambda place: -max(shares[place]))[:SHOWN_VALUES]
    left = [shares[place] for place in range(len(shares)) if place not in set(order)]
    one, two = (math.fsum(pair[side] for pair in left) for side in (0, 1))
    shown = [(labels[place], *shares[place]) for place in order]
    if one or two:
        shown.append((labels[-1], one, two))
    names, first, second = zip(*shown, strict=True)
    return Figure(caption, says, _sides(first, second), names)


def _stepped(bars: Bars, edges: tuple[float, ...], kind: str, words: tuple[str, str]) -> Figure:
    whole = kind in WHOLE
    sides = [_pieces(edges, shares, single=bars.single, whole=whole) for shares in (bars.reference, bars.current)]
    low, high = visible(*sides) or (0.0, 0.0)
    steps = STEPS
    if whole:
        low, high, steps = _whole(low, high)
    heights = [stepped(pieces, low, high, steps) for pieces in sides]
    inside = 0.5 if whole else 0.0
    return Figure(*words, _sides(*heights), ends=_ends(low + inside, high - inside, kind))


def _ends(low: float, high: float, kind: str) -> tuple[str, str]:
    """Where a picture begins and ends, with as many digits as tell its steps apart."""
    if kind == "date" or kind.startswith("timestamp"):
        return text_of(low, kind), text_of(high, kind)
    wide = high - low
    if kind in WHOLE:
        return number(round(low)), number(round(high))
    decimals = min(12, max(0, 2 - math.floor(math.log10(wide)))) if wide > 0 and math.isfinite(wide) else 4
    return number(round(low, decimals), decimals=decimals), number(round(high, decimals), decimals=decimals)


def _pieces(edges: tuple[float, ...], shares: Sequence[float], *, single: bool, whole: bool) -> list[Piece]:
    """Where each bin's numbers lie; what is beyond the edges, at the edges. A whole number is 1 wide."""
    if whole:
        ends = [*edges, edges[-1] + 1]
        begins = [end - 1 for end in ends] if single else [edges[0] - 1, *edges]
        return [(one + 0.5, two + 0.5, share) for one, two, share in zip(begins, ends, shares, strict=True)]
    ends = [*edges, edges[-1]]
    return list(zip(ends if single else [edges[0], *edges], ends, shares, strict=True))


def _whole(low: float, high: float) -> tuple[float, float, int]:
    """The limits moved to between whole numbers, and how many steps there are."""
    first, last = math.floor(low + 0.5), math.ceil(high - 0.5)
    return first - 0.5, last + 0.5, min(STEPS, max(1, last - first + 1))
