"""Bounds from extremes that were seen: how far beyond them the next rows may lie.

Rules:

1. Beyond the median, a tail is taken to be exponential: from there to the extreme of n numbers it falls from n/2 to 1,
   at the rate b = |extreme - median| / ln(n/2).
2. The extreme of n more numbers then lies beyond that of these by more than ln(1/c - 1) b with the chance c, since the
   difference of two Gumbel variables is logistic. Lighter tails pass it even more rarely, heavier ones more often.
3. A bound is rounded outwards to the digit of its slack, so that it is no person's own value. Without slack, where the
   extreme is the median, too, it is a value of many rows, and stays.
4. No bound passes zero where no number did.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal as Number

from lastro.model.profile import ColumnProfile
from lastro.quality.summary import quantile

CHANCE = 0.01
MAGNITUDE_MAX = 10**15
"""Larger bounds are no promise that a person could check; smaller ones than its inverse neither."""
DIGITS_MAX = 15
NUMBERS_MIN = 100
"""Fewer numbers get the slack of so many."""


@dataclass(frozen=True, slots=True)
class Span:
    """Extremes, median, and how many numbers they are of."""

    low: Number
    middle: Number
    high: Number
    n: int


def span_of(column: ColumnProfile) -> Span | None:
    """What the numbers, or lengths, of a column span; None if that is not known, or has no end."""
    counts, frame = column.numbers, column.frame.numbers
    if counts is None or frame is None or counts.nans or counts.infinite:
        return None
    low, high, middle = counts.minimum, counts.maximum, quantile(counts, frame, 0.5, kind="long")
    if low is None or high is None or middle is None:
        return None
    ends = Number(low), Number(high)
    return Span(ends[0], min(ends[1], max(ends[0], Number(repr(middle)))), ends[1], counts.counted)


def widened(span: Span, low: Number, high: Number, *, whole: bool) -> tuple[Number, Number]:
    """The bounds around the extremes `low` and `high` of all versions, by the tails of the one that has most."""
    factor = Number(math.log(1 / CHANCE - 1) / math.log(max(span.n, NUMBERS_MIN) / 2))
    least = _outward(low, factor * (span.middle - low), up=False, whole=whole)
    most = _outward(high, factor * (high - span.middle), up=True, whole=whole)
    return max(least, Number(0)) if low >= 0 else least, min(most, Number(0)) if high <= 0 else most


def _outward(extreme: Number, slack: Number, *, up: bool, whole: bool) -> Number:
    """The extreme moved outwards by the slack, then on to the next number that has no finer digit than the slack, nor
    more digits than a double surely keeps.
    """
    moved = extreme + slack if up else extreme - slack
    finest = slack.adjusted() if slack > 0 else min(0, extreme.adjusted() - len(extreme.as_tuple().digits) + 1)
    step = Number(1).scaleb(max(finest, moved.adjusted() - DIGITS_MAX + 1))
    step = max(step, Number(1)) if whole else step
    found = moved.quantize(step, "ROUND_CEILING" if up else "ROUND_FLOOR")
    is_inside = found < extreme if up else found > extreme  # the sum was rounded to fewer digits than the extreme has
    return found + (step if up else -step) if is_inside else found


def rounded(number: Number, *, up: bool) -> Number:
    """The number in two digits, away from or towards zero, without an exponent."""
    if not number:
        return number
    step = Number(1).scaleb(number.adjusted() - 1)
    found = number.quantize(step, "ROUND_CEILING" if up else "ROUND_FLOOR")
    return found.quantize(Number(1)) if found == found.to_integral_value() else found.normalize()
