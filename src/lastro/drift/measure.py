"""The facts of a column, measured: how much of it moved, and between which bounds that lies.

Rules:

1. A margin decides, never a p-value: a fact drifted if its lower bound is above the margin, it is stable if its upper
   bound is not, else it is unsure, and it is told how many rows of the window would decide.
2. Numbers and lengths move by KS at the frame's edges; values by the total variation.
3. Missing rows are of all rows, NaN of those present, infinite numbers of those in bins. They are in no histogram of
   another fact, save that infinite numbers are in the outer bins.
4. Where the frame's list of values was complete, all others are new: they are a rate of their own and not in the
   histogram. Where it was not, others are one more value of it.
5. A reference of one constant number, or of few, shows at the edges only what leaves their bins. What may have moved
   inside of them is added to the upper bound, and what surely did is the size; if both are constant, the answer is
   known (`constant`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lastro.drift import bounds, distance
from lastro.drift.constant import Hidden
from lastro.drift.result import Estimate, Shift, Verdict
from lastro.drift.settings import Chance, Fact
from lastro.drift.words import of_shift, rows_needed

Size = Callable[[int, int], Estimate]
"""The size of a change, had the same shares been counted of so many rows of the reference and of the window."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of `total` rows, which must not be 0."""

    count: int
    total: int

    @property
    def share(self) -> float:
        """The counted rate."""
        return self.count / self.total

    def interval(self, rows: int, chance: float) -> tuple[float, float]:
        """Where the true rate is, had it been counted so of so many rows."""
        count = self.count if rows == self.total else min(rows, round(self.share * rows))
        return bounds.rate_interval(count, rows, chance)


def distribution(first: Sequence[int], second: Sequence[int], hidden: Hidden, chance: Chance) -> Size:
    """The size of a change of numbers in bins."""
    counted = distance.kolmogorov_smirnov(distance.shares(first), distance.shares(second))
    value = 1.0 if hidden.all_moved else max(counted, hidden.least - counted)
    most = max(value, counted + hidden.share)

    def size(n: int, m: int) -> Estimate:
        width = bounds.distribution_width(n, m, chance)
        return Estimate(value, max(0.0, value - width), min(1.0, most + width))

    return size


def categories(first: Sequence[int], second: Sequence[int], chance: Chance, *, others: bool) -> Size:
    """The size of a change of values' shares; `others` if the last count is of all values that are not listed."""
    value, half = distance.total_variation(distance.shares(first), distance.shares(second)), chance.half()
    totals, listed = (sum(first), sum(second)), len(first) - others

    def interval(counts: Sequence[int], rows: int, part: float) -> bounds.Intervals:
        ratio = rows / sum(counts)
        scaled = [round(count * ratio) for count in counts[:listed]]
        return bounds.exact_interval(scaled, rows, part / max(listed, 1))

    before = interval(first, totals[0], half.reference)

    def size(n: int, m: int) -> Estimate:
        width = bounds.sets_width(n, m, 2 * listed + 1 if others else listed, half)
        one = before if n == totals[0] else interval(first, n, half.reference)
        low, high = bounds.each_category(one, interval(second, m, half.look))
        most = min(value + width, 1.0) if others else min(value + width, high, 1.0)
        return Estimate(value, min(value, max(value - width, low, 0.0)), max(value, most))

    return size


def rate(first: Rate, second: Rate, chance: Chance) -> Size:
    """The size of a change of a rate, in either direction."""
    value = abs(second.share - first.share)

    def size(n: int, m: int) -> Estimate:
        low, high = first.interval(n, chance.reference)
        least, most = second.interval(m, chance.look)
        return Estimate(value, max(0.0, least - high, low - most), max(most - low, high - least))

    return size


def new_values(first: Rate, second: Rate, listed: int, chance: Chance) -> Size:
    """The size of a rise of values that are not among the `listed`."""
    value = max(0.0, second.share - first.share)

    def size(n: int, m: int) -> Estimate:
        low, _high = first.interval(n, chance.reference)
        high = bounds.outside_high(listed, round(first.share * n), n, chance.reference)
        least, most = second.interval(m, chance.look)
        return Estimate(value, min(value, max(0.0, least - high)), max(0.0, most - low))

    return size


def judged(fact: Fact, size: Size, rows: tuple[int, int], margin: float, rates: tuple[Rate, Rate] | None) -> Shift:
    """What the size of a change means, with the rows that would tell if these do not."""
    n, m = rows
    found = size(n, m)
    verdict = decided(found, margin)
    before, after = (rates[0].share, rates[1].share) if rates else (None, None)
    needed, of_both = _needed(size, rows, margin) if verdict is Verdict.UNSURE else (None, False)
    why = rows_needed(needed, of_both=of_both) if verdict is Verdict.UNSURE else ""
    return Shift(fact, verdict, of_shift(fact, verdict, why=why), margin, found, before, after, needed, of_both)


def decided(size: Estimate, margin: float) -> Verdict:
    """The margin rule."""
    if size.low > margin:
        return Verdict.DRIFTED
    return Verdict.STABLE if size.high <= margin else Verdict.UNSURE


def _needed(size: Size, rows: tuple[int, int], margin: float) -> tuple[int | None, bool]:
    """How many rows of the window would tell; if none would, how many of each side, and True."""
    n, m = rows

    def tells(before: int, after: int) -> bool:
        return decided(size(before, after), margin) is not Verdict.UNSURE

    needed = bounds.rows_needed(lambda more: tells(n, more), m)
    if needed is not None:
        return needed, False
    needed = bounds.rows_needed(lambda more: tells(max(n, more), max(m, more)), min(n, m))
    return needed, needed is not None
