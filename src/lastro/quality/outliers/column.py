"""Outliers of one column: numbers too far from the others.

Rules:

1. Distances are in deviations from the median: of the median absolute deviation, made comparable with a normal's
   standard deviation (Iglewicz and Hoaglin 1993); where more than half of the numbers are one, of the mean absolute
   deviation; where all are one, there is no distance and no outlier.
2. The fences are Tukey's, 1.5 quartile ranges beyond the quartiles, moved by the medcouple for skewness (Hubert and
   Vandervieren 2008). Where the quartiles are one number, there are no fences.
3. An outlier is beyond the fences *and* more than 3.5 deviations away. Alone, either cries wolf: the fences at 0.7 % of
   a normal's rows, the deviations at every tenth row of a skewed column.
4. Limits are made of a sample, and all rows are counted under them: counts add up.
5. Missing and infinite numbers have no distance; infinite ones are counted apart.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lastro.quality.outliers import words
from lastro.quality.outliers.distances import Scale, scale_of
from lastro.quality.outliers.medcouple import medcouple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEVIATIONS = 3.5
REACH = 1.5
MEDCOUPLE_MAX = 10_000
"""Of more numbers than this, the medcouple takes some, evenly from the smallest to the largest."""
_OF_MEDIAN = 1.4826
"""A normal's standard deviation in median absolute deviations."""
_OF_MEAN = 1.2533
"""A normal's standard deviation in mean absolute deviations."""


class Spread(StrEnum):
    """What a column's deviation is: of the median, of the mean, or none."""

    MEDIAN = "median absolute deviation"
    MEAN = "mean absolute deviation"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too far in one column, as distances on its scale.

    `low` and `high` are the limits beyond which a number is an outlier, `fences` those of the skewness alone; infinite
    where there are none. `made_of` is how many finite numbers they were made of.
    """

    scale: Scale
    centre: float
    deviation: float
    spread: Spread
    fences: tuple[float, float]
    low: float
    high: float
    skewness: float
    made_of: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows counted under limits: `lowest` and `highest` are how many deviations the farthest outliers are away."""

    rows: int = 0
    missing: int = 0
    infinite: int = 0
    below: int = 0
    above: int = 0
    lowest: float = 0.0
    highest: float = 0.0

    @property
    def outside(self) -> int:
        """How many rows are beyond the limits."""
        return self.below + self.above

    @property
    def share(self) -> float:
        """The outliers' share of the present numbers."""
        return self.outside / (self.rows - self.missing) if self.rows > self.missing else 0.0

    def plus(self, other: Counts) -> Counts:
        """The counts of the rows of both."""
        return Counts(
            self.rows + other.rows,
            self.missing + other.missing,
            self.infinite + other.infinite,
            self.below + other.below,
            self.above + other.above,
            max(self.lowest, other.lowest),
            max(self.highest, other.highest),
        )


@dataclass(frozen=True, slots=True)
class ColumnOutliers:
    """One column's limits and what lies beyond them."""

    name: str
    limits: Limits
    counts: Counts

    @property
    def low(self) -> float | int | None:
        """The number below which one is an outlier; None if there is none."""
        return _finite(self.limits.scale.low(self.limits.low))

    @property
    def high(self) -> float | int | None:
        """The number above which one is an outlier; None if there is none."""
        return _finite(self.limits.scale.high(self.limits.high))

    @property
    def words(self) -> str:
        """What was found, without a value."""
        counts, limits = self.counts, self.limits
        if not counts.outside:
            return words.of_no_outliers(numbers=limits.made_of, differ=limits.spread is not Spread.NONE)
        return words.of_outliers(counts.below, counts.above, counts.lowest, counts.highest)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The finding as plain values."""
        counts = self.counts
        return {
            "rows": counts.rows,
            "missing": counts.missing,
            "infinite": counts.infinite,
            "outside": counts.outside,
            "below": counts.below,
            "above": counts.above,
            "share": counts.share,
            "low": self.low,
            "high": self.high,
            "deviations_below": counts.lowest,
            "deviations_above": counts.highest,
            "spread": self.limits.spread.value,
            "skewness": self.limits.skewness,
            "made_of": self.limits.made_of,
            "words": self.words,
        }


def outlying(columns: Mapping[str, NDArray[Any]]) -> tuple[ColumnOutliers, ...]:  # Any: whichever numbers
    """The outliers of columns of numbers, masked or NaN where missing; the column with the largest share comes first.

    Raises `ValueError` if a column holds no numbers.
    """
    made = ((name, values, limits_of(values)) for name, values in columns.items())
    return ranked(ColumnOutliers(name, limits, count(values, limits)) for name, values, limits in made)


def ranked(found: Iterator[ColumnOutliers]) -> tuple[ColumnOutliers, ...]:
    """Columns by the share of their outliers, then by how far the farthest is away."""
    return tuple(
        sorted(found, key=lambda each: (-each.counts.share, -max(each.counts.lowest, each.counts.highest), each.name))
    )


def limits_of(values: NDArray[Any]) -> Limits:  # Any: whichever numbers
    """The limits that follow from these numbers, or a sample of them. Raises `ValueError` if they are no numbers."""
    import numpy as np

    scale = scale_of(values)
    found = scale.of(values)
    found = np.sort(found[np.isfinite(found)])
    if not len(found):
        return Limits(scale, 0.0, 0.0, Spread.NONE, (-math.inf, math.inf), -math.inf, math.inf, 0.0, 0)
    centre = float(np.median(found))
    deviation, spread = _deviation(np.abs(found - centre))
    skewness = medcouple(_some(found))
    fences = _fences(found, skewness)
    far = DEVIATIONS * deviation
    low, high = min(fences[0], centre - far), max(fences[1], centre + far)
    if spread is Spread.MEAN:
        low, high = centre - far, centre + far
    if spread is Spread.NONE:
        low, high = -math.inf, math.inf
    return Limits(scale, centre, deviation, spread, fences, low, high, skewness, len(found))


def count(values: NDArray[Any], limits: Limits) -> Counts:  # Any: whichever numbers
    """The rows beyond the limits. Raises `ValueError` if they are no numbers."""
    import numpy as np

    found = limits.scale.of(values)
    is_missing, is_infinite = np.isnan(found), np.isinf(found)
    finite = found[~(is_missing | is_infinite)]
    below, above = finite[finite < limits.low], finite[finite > limits.high]
    return Counts(
        len(found),
        int(is_missing.sum()),
        int(is_infinite.sum()),
        len(below),
        len(above),
        _deviations(limits.centre - float(below.min()), limits) if len(below) else 0.0,
        _deviations(float(above.max()) - limits.centre, limits) if len(above) else 0.0,
    )


def _deviations(distance: float, limits: Limits) -> float:
    """How many deviations a distance is; the largest number there is, of a deviation that is next to nothing."""
    return min(distance / limits.deviation, sys.float_info.max)


def _finite(number: float | int) -> float | int | None:
    return number if math.isfinite(number) else None


def _deviation(away: NDArray[np.float64]) -> tuple[float, Spread]:
    """The deviation of numbers so far away from their median (rule 1)."""
    import numpy as np

    median = _OF_MEDIAN * float(np.median(away))
    if median > 0:
        return median, Spread.MEDIAN
    mean = _OF_MEAN * float(away.mean())
    return (mean, Spread.MEAN) if mean > 0 else (0.0, Spread.NONE)


def _fences(ordered: NDArray[np.float64], skewness: float) -> tuple[float, float]:
    """The fences of ascending numbers (rule 2)."""
    import numpy as np

    first, third = (float(quartile) for quartile in np.quantile(ordered, (0.25, 0.75)))
    reach = REACH * (third - first)
    if reach <= 0:
        return -math.inf, math.inf
    down, up = (-4.0, 3.0) if skewness >= 0 else (-3.0, 4.0)
    return first - reach * math.exp(down * skewness), third + reach * math.exp(up * skewness)


def _some(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    """So many of ascending numbers as the medcouple takes, evenly."""
    import numpy as np

    if len(ordered) <= MEDCOUPLE_MAX:
        return ordered
    return ordered[np.linspace(0, len(ordered) - 1, MEDCOUPLE_MAX).round().astype(np.int64)]
