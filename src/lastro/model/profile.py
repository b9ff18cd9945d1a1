"""Profiles: what is counted of many rows, so that it can be added, taken away and compared without the rows.

Rules:

1. A frame says what is counted of a column: edges for numbers, values for texts. It is made once, from a version with
   rows, and kept by the versions after it, so that their counts mean the same.
2. Bins are closed above: of the edges `e0 < e1 < …`, bin 0 counts numbers `<= e0`, bin 1 those in `(e0, e1]`, the last
   one those above all edges. Infinities fall into the outer bins; NaN is counted apart, as is a missing value.
3. Of texts, the frame's values are counted each, all others together; their lengths in characters are numbers.
4. Everything is an exact whole number, but for the sums behind mean and deviation, which are taken from a centre near
   the median so that they do not cancel. They depend on the rows' order in their last digits.
5. Profiles of the same frame add, and subtract where rows left a table. After rows left, the extremes are bounds only.
6. A column whose values may be shown to nobody is counted as present or missing, and no more.
7. The shape of a text says what its characters are, not which: a digit is `9`, letters in a row are `A` if they are
   A to Z and `a` otherwise, blanks and controls are a blank, all else stands for itself. The frame's shapes are counted
   each, all others together. Where hardly a value recurred, that is done with one value in `every`, chosen by its hash.
8. How many different values there are (`distinct`), and what columns have to do with each other (`together`), is
   counted without a frame of its own. A profile of an older Lastro lacks both, and so does whatever is added to it;
   profiles whose columns stand in another order have no `together` when they are added.

Dates are days, moments seconds since 1970-01-01 in UTC, times without a zone likewise; booleans are values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from operator import add, sub
from typing import TypeVar

from lastro.model import distinct, together
from lastro.model.distinct import Distinct
from lastro.model.together import Together

_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True)
class NumberFrame:
    """Where numbers are counted: between ascending `edges`, their sums taken from `centre`.

    `single` if there was a bin for every number when it was made: each bin but the last then is its upper edge.
    """

    edges: tuple[float, ...]
    centre: float = 0.0
    single: bool = False


@dataclass(frozen=True, slots=True)
class ValueFrame:
    """Which values are counted each, the most frequent first; `complete` if there were no others when it was made."""

    values: tuple[str, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class ColumnFrame:
    """What is counted of one column, whose type (by its Delta name) is `type`.

    `numbers` are the column's own values, or of a text column the lengths in characters; `values` are counted of text
    and truth columns, `shapes` of texts. With none of them, only the missing are counted. `made_of` is how many present
    values it was made of. If `every` is not 1, hardly a value recurred, and one value in so many is looked at closely.
    """

    type: str
    numbers: NumberFrame | None = None
    values: ValueFrame | None = None
    made_of: int = 0
    shapes: tuple[str, ...] | None = None
    every: int = 1


Frame = Mapping[str, ColumnFrame]


@dataclass(frozen=True, slots=True)
class NumberCounts:
    """Numbers counted in `len(edges) + 1` bins.

    `total` and `squares` are the sums of `v - centre` and of its square over the finite numbers. `minimum` and
    `maximum` are written as text, exactly, and None if there is no number. `nans` are in no bin, `infinite` in the
    outer two.
    """

    bins: tuple[int, ...]
    total: float = 0.0
    squares: float = 0.0
    minimum: str | None = None
    maximum: str | None = None
    nans: int = 0
    infinite: int = 0

    @property
    def counted(self) -> int:
        """How many numbers the bins hold."""
        return sum(self.bins)

    @property
    def finite(self) -> int:
        """How many numbers the sums are about."""
        return self.counted - self.infinite

    def mean(self, frame: NumberFrame) -> float | None:
        """The arithmetic mean of the finite numbers; None if there are none, or if their sum is beyond a double."""
        return frame.centre + self.total / self.finite if self.finite and math.isfinite(self.total) else None

    def deviation(self) -> float | None:
        """The standard deviation of the finite numbers, with n - 1; None of fewer than two, or as `mean`."""
        if self.finite < 2 or not math.isfinite(self.squares) or not math.isfinite(self.total):
            return None
        return math.sqrt(max(0.0, self.squares - self.total**2 / self.finite) / (self.finite - 1))


@dataclass(frozen=True, slots=True)
class ValueCounts:
    """How often each of the frame's values, or shapes, occurs, and all `others` together."""

    times: tuple[int, ...]
    others: int = 0

    @property
    def counted(self) -> int:
        """How many values were looked at."""
        return sum(self.times) + self.others


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column's counts under its frame. `withheld` if the column's policy forbids to count more than the missing."""

    frame: ColumnFrame
    nulls: int
    numbers: NumberCounts | None = None
    values: ValueCounts | None = None
    withheld: bool = False
    shapes: ValueCounts | None = None
    distinct: Distinct | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What was counted of a version, or of some rows of it. `bounds_exact` is false if extremes may be too wide.

    `together` is None if it was not counted.
    """

    rows: int
    columns: Mapping[str, ColumnProfile] = field(default_factory=dict)
    bounds_exact: bool = True
    together: Together | None = None

    @property
    def frame(self) -> Frame:
        """What was counted of each column."""
        return {name: column.frame for name, column in self.columns.items()}


def concealed(profile: Profile, names: Collection[str]) -> Profile:
    """The profile with no more of these columns than how much is missing, and without what columns have in common."""
    columns = {
        name: ColumnProfile(ColumnFrame(column.frame.type), column.nulls, withheld=True) if name in names else column
        for name, column in profile.columns.items()
    }
    return replace(profile, columns=columns, together=None)


def merged(first: Profile, second: Profile) -> Profile:
    """The profile of the rows of both. Raises `ValueError` if their frames differ."""
    columns = {name: _merged(one, two) for name, one, two in _pairs(first, second)}
    both = _both(together.merged, first.together, second.together)
    return Profile(first.rows + second.rows, columns, first.bounds_exact and second.bounds_exact, both)


def without(whole: Profile, part: Profile) -> Profile:
    """The profile of the rows of `whole` that are not in `part`. Raises `ValueError` if their frames differ, or if
    something is counted more often in the part than in the whole.
    """
    columns = {name: _without(one, two) for name, one, two in _pairs(whole, part)}
    if whole.rows < part.rows:
        raise ValueError("the part has more rows than the whole")
    left = _both(together.without, whole.together, part.together)
    return Profile(whole.rows - part.rows, columns, whole.bounds_exact and not part.rows, left)


def _both(change: Callable[[_Kept, _Kept], _Kept | None], one: _Kept | None, two: _Kept | None) -> _Kept | None:
    """What both have, added or taken away; None if one of them lacks it."""
    return None if one is None or two is None else change(one, two)


def _pairs(first: Profile, second: Profile) -> list[tuple[str, ColumnProfile, ColumnProfile]]:
    if first.frame != second.frame:
        raise ValueError("profiles with different frames do not add up")
    return [(name, column, second.columns[name]) for name, column in first.columns.items()]


def _merged(one: ColumnProfile, two: ColumnProfile) -> ColumnProfile:
    return replace(
        one,
        nulls=one.nulls + two.nulls,
        numbers=_both(_merged_numbers, one.numbers, two.numbers),
        values=_both(_merged_values, one.values, two.values),
        shapes=_both(_merged_values, one.shapes, two.shapes),
        distinct=_both(distinct.merged, one.distinct, two.distinct),
    )


def _merged_values(one: ValueCounts, two: ValueCounts) -> ValueCounts:
    return ValueCounts(tuple(map(add, one.times, two.times)), one.others + two.others)


def _merged_numbers(one: NumberCounts, two: NumberCounts) -> NumberCounts:
    lows = [low for low in (one.minimum, two.minimum) if low is not None]
    highs = [high for high in (one.maximum, two.maximum) if high is not None]
    return NumberCounts(
        tuple(map(add, one.bins, two.bins)),
        one.total + two.total,
        one.squares + two.squares,
        min(lows, key=written_order, default=None),
        max(highs, key=written_order, default=None),
        one.nans + two.nans,
        one.infinite + two.infinite,
    )


def _without(one: ColumnProfile, two: ColumnProfile) -> ColumnProfile:
    return replace(
        one,
        nulls=_less((one.nulls,), (two.nulls,))[0],
        numbers=_both(_without_numbers, one.numbers, two.numbers),
        values=_both(_without_values, one.values, two.values),
        shapes=_both(_without_values, one.shapes, two.shapes),
        distinct=_both(distinct.without, one.distinct, two.distinct),
    )


def _without_values(one: ValueCounts, two: ValueCounts) -> ValueCounts:
    return ValueCounts(_less(one.times, two.times), _less((one.others,), (two.others,))[0])


def _without_numbers(one: NumberCounts, two: NumberCounts) -> NumberCounts:
    left = replace(
        one,
        bins=_less(one.bins, two.bins),
        total=one.total - two.total,
        squares=one.squares - two.squares,
        nans=_less((one.nans,), (two.nans,))[0],
        infinite=_less((one.infinite,), (two.infinite,))[0],
    )
    return left if any(left.bins) else replace(left, total=0.0, squares=0.0, minimum=None, maximum=None)


def _less(whole: tuple[int, ...], part: tuple[int, ...]) -> tuple[int, ...]:
    left = tuple(map(sub, whole, part))
    if any(count < 0 for count in left):
        raise ValueError("something is counted more often in the part than in the whole")
    return left


def written_order(text: str) -> tuple[float, str]:
    """Orders extremes as they are written: numbers by value, dates and moments by their text."""
    try:
        return float(text), text
    except ValueError:
        return 0.0, text
