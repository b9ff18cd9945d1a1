"""The judgement of a metric's history: which values are not what those before let expect.

Rules:

1. Every value is judged by those before it alone; what is missing is passed over.
2. A metric that is never negative is taken by its logarithm, moved by a tenth of its median so that 0 has one: then a
   halving weighs as a doubling, and the lower limit is never below 0.
3. It is an anomaly if it is further from what was expected than the limit for its budget (`limits`) allows.
4. An anomaly's error counts later as at most twice the error its limit came from, and not at all if the
   value before was an anomaly too: one outage must not hide the next, but limits that are too narrow must widen. If
   anomalies become usual – more than a quarter of the last 28 values – the metric is another one now, and they count.
5. With fewer than 14 errors to go by – at least 19 values before – nothing is judged, and it is said how many are
   lacking.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lastro.quality.history import limits, words
from lastro.quality.history.prediction import PREDICTIONS_MIN, VALUES_MIN, WAYS, Series, Way, chosen, predictions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BUDGET = 0.25
ERRORS_MAX = 400
RECENT = 28
USUAL = 0.25
WIDER = 2.0
OFFSET = 0.1
ROUNDING = 1e-9
"""What differs by less than this share differs by how it was added up."""


class Verdict(StrEnum):
    """What a value of a history is: as expected, not as expected, or too early to be told."""

    EXPECTED = "expected"
    ANOMALY = "anomaly"
    TOO_LITTLE = "too little history"


@dataclass(frozen=True, slots=True)
class Judged:
    """One value of a metric, what was expected, and between which limits.

    Without enough history `low`, `high`, `expected` and `way` are None, and `lacking` says how many values more it
    takes.
    """

    moment: datetime
    value: float
    verdict: Verdict
    words: str
    low: float | None = None
    high: float | None = None
    expected: float | None = None
    way: Way | None = None
    lacking: int = 0

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The judgement as plain values."""
        return {
            "moment": self.moment,
            "value": self.value,
            "verdict": self.verdict.value,
            "low": self.low,
            "high": self.high,
            "expected": self.expected,
            "way": self.way.value if self.way else None,
            "lacking": self.lacking,
            "words": self.words,
        }


def judged(history: Iterable[tuple[datetime, float | None]], *, budget: float = BUDGET) -> tuple[Judged, ...]:
    """Every value of a metric in the order of its moments, judged by those before; None and NaN are left out.

    `budget` is how many false alarms a month may have, on average. Moments without a zone are taken as UTC; a weekday
    is that of the moment's own zone. Raises `ValueError` if the budget is not positive.
    """
    if not budget > 0:
        raise ValueError("a budget of false alarms is more than none")
    points = [
        (_zoned(moment), float(value)) for moment, value in history if value is not None and not math.isnan(value)
    ]
    points.sort(key=lambda point: point[0])
    if not points:
        return ()
    import numpy as np

    scale = _scale_of([value for _moment, value in points[:-1]])
    series = _series(points, scale)
    # What overflows is no finite error, and is passed over.
    with np.errstate(over="ignore", invalid="ignore"):
        walk = _Walk(series, predictions(series), budget, scale)
        return tuple(walk.judge(place, *point) for place, point in enumerate(points))


@dataclass(frozen=True, slots=True)
class _Scale:
    """What is reckoned with instead of the values: their logarithm if there is an `offset`, else themselves."""

    offset: float | None

    def of(self, value: float) -> float:
        if self.offset is None or value == math.inf:
            return value
        moved = value + self.offset
        return math.log(moved) if moved > 0 else -math.inf

    def value(self, number: float) -> float:
        if self.offset is None:
            return number
        return max(0.0, math.exp(number) - self.offset) if number < 700 else math.inf


class _Walk:
    """Judges values one after another."""

    def __init__(self, series: Series, expected: Floats, budget: float, scale: _Scale) -> None:
        self._errors = series.values[:, None] - expected
        self._series, self._expected, self._budget, self._scale = series, expected, budget, scale
        self._anomalies: dict[int, float] = {}

    def judge(self, place: int, moment: datetime, value: float) -> Judged:
        way = chosen(self._errors[:place])
        lacking = VALUES_MIN + PREDICTIONS_MIN - place
        if way is None or not math.isfinite(self._expected[place, way]):
            return _too_little(moment, value, max(1, lacking))
        expected, errors = float(self._expected[place, way]), self._counted(place, way)
        looks = limits.looks_of_a_month(self._series.times[: place + 1].tolist())
        at_rest = limits.looks_at_rest(looks, self._budget)
        if not any(errors) and len(errors) < at_rest:
            return _too_little(moment, value, at_rest - len(errors), at_rest=True)
        base, factor = limits.reach(errors, self._budget / looks)
        reach = max(base * factor, ROUNDING * abs(expected))
        error = self._series.values[place] - expected
        is_anomaly = not abs(error) <= reach
        if is_anomaly:
            self._anomalies[place] = WIDER * base if base else math.inf
        return Judged(
            moment,
            value,
            Verdict.ANOMALY if is_anomaly else Verdict.EXPECTED,
            words.of_error(WAYS[way], error if is_anomaly else 0.0),
            self._scale.value(expected - reach),
            self._scale.value(expected + reach),
            self._scale.value(expected),
            WAYS[way],
        )

    def _counted(self, place: int, way: int) -> Sequence[float]:
        """The errors to go by (rule 4)."""
        import numpy as np

        recent = [each for each in self._anomalies if each >= place - RECENT]
        usual = set(recent) if len(recent) > USUAL * RECENT else set()
        errors = np.abs(self._errors[:place, way])
        for each, most in self._anomalies.items():
            if each not in usual:
                errors[each] = math.nan if each - 1 in self._anomalies else min(errors[each], most)
        found: list[float] = errors[np.isfinite(errors)][-ERRORS_MAX:].tolist()
        return found


def _too_little(moment: datetime, value: float, lacking: int, *, at_rest: bool = False) -> Judged:
    told = words.too_little(lacking, at_rest=at_rest)
    return Judged(moment, value, Verdict.TOO_LITTLE, told, lacking=lacking)


def _scale_of(values: Sequence[float]) -> _Scale:
    import numpy as np

    finite = [value for value in values if math.isfinite(value)]
    if not finite or min(finite) < 0:
        return _Scale(None)
    median = float(np.median(finite))
    return _Scale(OFFSET * median if median > 0 else None)


def _series(points: Sequence[tuple[datetime, float]], scale: _Scale) -> Series:
    import numpy as np

    return Series(
        np.array([moment.timestamp() / 86400 for moment, _value in points]),
        np.array([moment.toordinal() for moment, _value in points], dtype=np.int64),
        np.array([scale.of(value) for _moment, value in points]),
    )


def _zoned(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
