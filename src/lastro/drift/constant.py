"""Columns of one number, or of few: what edges cannot show of a change, and extremes and sums can.

Rules:

1. A bin that was made for one number also counts those between the edge before and that number. Of a constant
   reference, the window's extremes tell whether there may be such.
2. Of a reference of few numbers, the sums tell: all that lies between the edges is less than the number of its bin, so
   that their sum is less than if every bin held its number only. What lies above all edges, which is seen, may hide
   that.
3. Numbers that were seen between edges are somewhere: the gaps they fell into bound from below how many they are. At
   the edge above the gap that holds most, the distributions are that far apart, less what is apart at the edge below.
   How many they are at most follows from the least that one may lie below its bin's number: 1 for whole numbers, else
   a thousandth of the gap; a smaller difference counts as none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime

from lastro.model.profile import ColumnProfile, NumberCounts, NumberFrame, ValueCounts

ROUNDED = 1e-9
"""Sums of doubles are right to this share of what was added."""
STEP = 1 / 1000
"""What part of a gap a number must lie below its bin's to be another one."""
WHOLE = frozenset({"byte", "short", "integer", "long", "date", "string"})
"""Types whose numbers (of texts: lengths) are whole."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """How many of the window's numbers may have moved inside of one bin, as a share, and how many surely did at
    `least`; `all_moved` if all of them did.
    """

    share: float = 0.0
    all_moved: bool = False
    least: float = 0.0


def single(numbers: NumberCounts | None) -> str | None:
    """The one number that all are, as it is written; None if there are several, or none."""
    if numbers is None or not numbers.counted or numbers.minimum != numbers.maximum:
        return None
    return numbers.minimum


def still(first: ColumnProfile, second: ColumnProfile) -> bool:
    """True if each side is one value, and the same."""
    if first.values is not None and second.values is not None:
        return _one(first.values) is not None and _one(first.values) == _one(second.values)
    alone = single(first.numbers)
    return alone is not None and alone == single(second.numbers) and not _apart(first.numbers, second.numbers)


def hidden(first: ColumnProfile, second: ColumnProfile) -> Hidden:
    """What the edges do not show of a change from a constant reference."""
    numbers, alone = second.numbers, single(first.numbers)
    if alone is None and first.numbers is not None and numbers is not None:
        return _between(first, second)
    if alone is None or first.numbers is None or numbers is None or not numbers.counted or first.frame.numbers is None:
        return Hidden()
    if single(numbers) is not None:
        return Hidden(all_moved=single(numbers) != alone)
    place = next(index for index, count in enumerate(first.numbers.bins) if count)
    constant, least, most = (_number(text) for text in (alone, numbers.minimum, numbers.maximum))
    if constant is None or least is None or most is None:
        return Hidden(numbers.bins[place] / numbers.counted)
    edges = first.frame.numbers.edges
    low = edges[place - 1] if place else -math.inf
    high = edges[place] if place < len(edges) else math.inf
    whole = first.frame.type in WHOLE
    below, above = (
        (constant - 1, constant + 1)
        if whole
        else (math.nextafter(constant, -math.inf), math.nextafter(constant, math.inf))
    )
    room = (least < constant and low < below) or (most > constant and high >= above)
    return Hidden(numbers.bins[place] / numbers.counted if room else 0.0)


def _between(first: ColumnProfile, second: ColumnProfile) -> Hidden:
    """What lies between the edges of a frame of few numbers (rules 2 and 3)."""
    frame = first.frame.numbers
    if frame is None or not frame.single or first.numbers is None or second.numbers is None:
        return Hidden()
    gaps = [_gaps(side, frame, is_whole=first.frame.type in WHOLE) for side in (first.numbers, second.numbers)]
    is_one = gaps[0].seen != gaps[1].seen
    return Hidden(share=max(each.most for each in gaps), least=max(each.least for each in gaps) if is_one else 0.0)


@dataclass(frozen=True, slots=True)
class _Gaps:
    """How many of a side's numbers lie between edges, as shares: at most in one bin, and at least. `seen` if any do."""

    seen: bool = False
    most: float = 0.0
    least: float = 0.0


def _gaps(counts: NumberCounts, frame: NumberFrame, *, is_whole: bool) -> _Gaps:
    edges, lowest = frame.edges, _number(counts.minimum)
    begins = (edges[0] if lowest is None else min(lowest, edges[0]), *edges[:-1])
    widths = [high - low for low, high in zip(begins, edges, strict=True)]
    wide = [
        (count, width)
        for count, width in zip(counts.bins, widths, strict=False)
        if count and width > (1 if is_whole else 0)
    ]
    short = _short(counts, frame)
    if not wide or short <= 0 or not math.isfinite(sum(width for _count, width in wide)):
        return _Gaps()
    most = max(min(count, short / (1 if is_whole else width * STEP)) for count, width in wide)
    least = short / math.fsum(width for _count, width in wide)
    return _Gaps(seen=True, most=most / counts.counted, least=min(1.0, least / counts.counted))


def _short(counts: NumberCounts, frame: NumberFrame) -> float:
    """By how much the sum is less than if every bin held its number only; 0 if it is not, or if that is not known."""
    places = [*zip(counts.bins, frame.edges, strict=False), (counts.bins[-1], frame.edges[-1])]
    if not all(math.isfinite(count * (edge - frame.centre)) for count, edge in places):
        return 0.0
    summed = math.fsum(count * (edge - frame.centre) for count, edge in places)
    size = math.fsum(count * (abs(edge - frame.centre) + ROUNDED * abs(edge)) for count, edge in places)
    short = summed - counts.total
    is_known = not counts.infinite and math.isfinite(summed) and math.isfinite(counts.total)
    return short if is_known and short > ROUNDED * size else 0.0


def _apart(first: NumberCounts | None, second: NumberCounts | None) -> bool:
    """True if the two fill different bins, which the same number cannot."""
    places = [[bool(count) for count in side.bins] for side in (first, second) if side is not None]
    return places[0] != places[-1]


def _one(values: ValueCounts) -> int | None:
    """The place of the only value that occurs; None if there are several, none, or others."""
    places = [place for place, count in enumerate(values.times) if count]
    return places[0] if len(places) == 1 and not values.others else None


def _number(text: str | None) -> float | None:
    """An extreme as the number it is counted as; None if it is written in another way."""
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == len("2026-01-31"):
        return float(moment.date().toordinal() - date(1970, 1, 1).toordinal())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
