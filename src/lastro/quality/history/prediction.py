"""What a metric's past lets expect of its next value.

Rules:

1. There are five ways to predict: the level, which is the median of the last 14 values; the median of the last three,
   for what wanders; the level moved along the trend; the median of the same weekday's values in the last eight weeks;
   and that moved along the trend.
2. The trend is the median slope over pairs of the last 28 values (Theil 1950, Sen 1968); with weekdays, over pairs of
   the same weekday only, a week or more apart (Hirsch, Slack and Smith 1982), so that the week's pattern is no trend.
3. A weekday is known from four weeks on: of four values the median outlives a bad one. Before that, the weekend is part
   of the metric's usual scatter, and limits are wide rather than wrong.
4. Every value was once the next: each way's errors are those it would have made then, with what was known then. A way
   is used once it has made 14 predictions, and only if it erred less than a simpler one, by a tenth; the largest tenth
   of each one's errors does not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

VALUES_MIN = 5
LEVEL_VALUES = 14
LAST_VALUES = 3
TREND_VALUES = 28
WEEKS = 8
WEEKS_MIN = 4
WEEK_VALUES = 112
"""Of more values in the last weeks than this, the trend takes some, evenly."""
PREDICTIONS_MIN = 14
COMPARED = 28
SIMPLER = 0.9
COUNTED = 0.9


class Way(StrEnum):
    """How a value is predicted; the simplest first."""

    LEVEL = "level"
    LAST = "last values"
    TREND = "trend"
    WEEKDAY = "weekday"
    WEEKDAY_TREND = "weekday and trend"


WAYS = tuple(Way)


@dataclass(frozen=True, slots=True, repr=False)
class Series:
    """Values in the order of their moments, told in days; and the days' numbers, from which the weekday follows."""

    times: Floats
    dates: NDArray[np.int64]
    values: Floats

    def __len__(self) -> int:
        return len(self.values)


def predictions(series: Series) -> Floats:
    """Of each value, what each way predicts from the finite ones before, of shape (values, ways); NaN if too early."""
    import numpy as np

    found = np.full((len(series), len(WAYS)), np.nan)
    for place in range(VALUES_MIN, len(series)):
        found[place] = (*_by_level(series, place), *_by_weekday(series, place))
    return found


def chosen(errors: Floats) -> int | None:
    """The way to use after these errors of the ways, of shape (values, ways); None if it is too early."""
    import numpy as np

    ready: list[int] = [way for way in range(len(WAYS)) if np.isfinite(errors[:, way]).sum() >= PREDICTIONS_MIN]
    if not ready:
        return None
    best = ready[0]
    for way in ready[1:]:
        both = errors[:, [best, way]]
        both = np.sort(np.abs(both[np.isfinite(both).all(axis=1)][-COMPARED:]), axis=0)
        mine, its = both[: max(1, int(COUNTED * len(both)))].mean(axis=0)
        best = way if its < SIMPLER * mine else best
    return best


def _by_level(series: Series, place: int) -> tuple[float, float, float]:
    import numpy as np

    recent = np.flatnonzero(np.isfinite(series.values[:place]))[-TREND_VALUES:]
    if len(recent) < VALUES_MIN:
        return np.nan, np.nan, np.nan
    times, values = series.times[recent], series.values[recent]
    later, earlier = _pairs(len(values))
    slope = _median_slope(times[later] - times[earlier], values[later] - values[earlier], least=0.0)
    ahead = series.times[place] - times[-LEVEL_VALUES:]
    level = values[-LEVEL_VALUES:]
    last = float(np.median(level[-LAST_VALUES:]))
    return float(np.median(level)), last, float(np.median(level + slope * ahead))


def _by_weekday(series: Series, place: int) -> tuple[float, float]:
    import numpy as np

    date = series.dates[place]
    recent = np.flatnonzero(np.isfinite(series.values[:place]) & (series.dates[:place] >= date - 7 * WEEKS))
    dates, times, values = series.dates[recent], series.times[recent], series.values[recent]
    alike = (date - dates) % 7 == 0
    alike &= dates < date
    if len(np.unique(dates[alike])) < WEEKS_MIN:
        return np.nan, np.nan
    some = np.unique(np.linspace(0, len(values) - 1, min(len(values), WEEK_VALUES)).astype(np.int64))
    later, earlier = (some[side] for side in _pairs(len(some)))
    paired = (dates[later] - dates[earlier]) % 7 == 0
    later, earlier = later[paired], earlier[paired]
    slope = _median_slope(times[later] - times[earlier], values[later] - values[earlier], least=6.0)
    ahead = series.times[place] - times[alike]
    return float(np.median(values[alike])), float(np.median(values[alike] + slope * ahead))


@lru_cache(maxsize=2 * WEEK_VALUES)
def _pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of so many values: the places of the later ones, and of the earlier ones."""
    import numpy as np

    later, earlier = np.tril_indices(count, -1)
    return later, earlier


def _median_slope(apart: Floats, rise: Floats, *, least: float) -> float:
    """The median slope of pairs more than `least` days apart; 0 of none."""
    import numpy as np

    counted = apart > least
    return float(np.median(rise[counted] / apart[counted])) if counted.any() else 0.0
