"""How good predictions are, in numbers with intervals, from what was counted of them.

Rules:

1. Of two classes, precision, recall, F1 and ROC AUC are of the positive one. Of more – or if none is said to be the
   positive one – they are means over the classes (macro) of which there are rows. A class that is never predicted has a
   precision of 0.
2. Counts may be expected ones; the interval is that of the number which so many rows will show.
3. Shares have Wilson's interval. So has F1 of one class: with J = TP / (TP + FP + FN), which is a share,
   F1 = 2J / (1 + J). Means over classes have the delta method's, of a multinomial confusion, or the one that Wilson's
   of all classes come to (MOVER: Zou and Donner 2008) where that reaches further: of a class with a few rows, which may
   all be right or all be wrong, the delta method sees no variance.
4. ROC AUC has the variance of DeLong et al. (1988), rows of one cell being tied, and its interval is made on the
   logit's scale, with Student's tails of as many rows as the smaller class has: two positives that are alike by chance
   have no variance. Of a mean, the standard errors' mean, which is right if classes err together and else too large.
5. Errors of a regression have the delta method's interval on the logarithm's scale: it holds no value below 0. How far
   errors spread is told by the rows themselves, or by those they are compared with where those spread further: a few
   rows can be alike by chance. The interval is Student's, whose tails are those of so many rows; a single one tells
   nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import TYPE_CHECKING

from lastro.drift.result import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lastro.drift.tally import Tally

    Floats = NDArray[np.float64]


class Metric(StrEnum):
    """What is measured of predictions; of MAE and RMSE less is better, of all others more."""

    ACCURACY = "accuracy"
    PRECISION = "precision"
    RECALL = "recall"
    F1 = "f1"
    ROC_AUC = "roc_auc"
    MAE = "mae"
    RMSE = "rmse"

    @property
    def is_error(self) -> bool:
        """True if less is better."""
        return self in (Metric.MAE, Metric.RMSE)


_WIDTH_MAX = 300.0
"""Whatever is so many powers of e above or below itself is not known at all."""
CLASSIFICATION = (Metric.ACCURACY, Metric.PRECISION, Metric.RECALL, Metric.F1, Metric.ROC_AUC)
REGRESSION = (Metric.MAE, Metric.RMSE)
Measured = Mapping[Metric, Estimate]
"""What could be measured; a metric that the rows do not have is not in it."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Sums over rows of a regression's error, which is prediction less label: `absolute` of |e|, `squared` of e²,
    `fourth` of e⁴.
    """

    rows: int = 0
    absolute: float = 0.0
    squared: float = 0.0
    fourth: float = 0.0

    def plus(self, errors: Floats) -> Errors:
        """These and more rows."""
        squares = errors * errors
        return Errors(
            self.rows + len(errors),
            self.absolute + float(abs(errors).sum()),
            self.squared + float(squares.sum()),
            self.fourth + float((squares * squares).sum()),
        )

    def spread(self, metric: Metric) -> float:
        """The relative standard deviation of what one row adds to the metric; 0 if all rows are alike."""
        if not self.rows or not self.squared:
            return 0.0
        mean, square, fourth = (each / self.rows for each in (self.absolute, self.squared, self.fourth))
        if metric is Metric.MAE:
            return math.sqrt(max(0.0, square - mean * mean)) / mean
        # sqrt halves a relative deviation.
        return math.sqrt(max(0.0, fourth - square * square)) / square / 2


def of_classes(tally: Tally, deviations: float, *, positive: int | None, among: frozenset[int]) -> Measured:
    """The metrics of a classifier; intervals reach so many standard `deviations`. `among` are the classes of rule 1."""
    import numpy as np

    if tally.counted <= 0:
        return {}
    known = tally.confusion[:-1]
    found = {Metric.ACCURACY: share(float(np.trace(known)), tally.counted, deviations)}
    found |= _of_one(tally, positive, deviations) if positive is not None else _of_all(tally, among, deviations)
    places = [positive] if positive is not None else sorted(among)
    curves = [curve for place in places if (curve := _curve(tally, place, deviations)) is not None]
    if curves and len(curves) == len(places):
        value, error = (math.fsum(each) / len(curves) for each in zip(*curves, strict=True))
        least = min(min(tally.hits[k].sum(), (tally.rows[k] - tally.hits[k]).sum()) for k in places)
        found[Metric.ROC_AUC] = _on_logit(value, error, float(least), deviations)
    return found


def of_errors(
    errors: Errors, deviations: float, *, beside: Errors | None = None, spread: Errors | None = None, doubt: float = 0.0
) -> Measured:
    """The metrics of a regression. `beside` are the errors of the rows that these are compared with (rule 5); `spread`
    are errors that alone tell how far these do, of rows enough to know. `doubt` is a further relative standard error.
    """
    if not errors.rows:
        return {}
    reach = deviations if spread is not None else _of_student(deviations, errors.rows)
    told = [spread] if spread is not None else [errors, beside or errors]
    values = {Metric.MAE: errors.absolute / errors.rows, Metric.RMSE: math.sqrt(errors.squared / errors.rows)}
    found = {}
    for metric, value in values.items():
        one = max(each.spread(metric) for each in told)
        error = math.sqrt(one * one / errors.rows + doubt * doubt)
        width = reach * error if math.isfinite(reach) else math.inf
        high = value * math.exp(width) if width < _WIDTH_MAX else math.inf
        found[metric] = Estimate(value, value * math.exp(-width), high)
    return found


def share(part: float, whole: float, deviations: float) -> Estimate:
    """A share with Wilson's interval (Wilson 1927)."""
    value, square = part / whole, deviations * deviations
    middle = (value + square / (2 * whole)) / (1 + square / whole)
    width = deviations * math.sqrt(max(0.0, value * (1 - value)) / whole + square / (4 * whole * whole))
    width /= 1 + square / whole
    return Estimate(value, max(0.0, min(value, middle - width)), min(1.0, max(value, middle + width)))


def _of_student(deviations: float, rows: float) -> float:
    """How many standard errors of so many rows are as unlikely as so many standard deviations."""
    from scipy.special import stdtrit

    return -float(stdtrit(rows - 1, NormalDist().cdf(-deviations))) if rows > 1 else math.inf


def _of_one(tally: Tally, place: int, deviations: float) -> dict[Metric, Estimate]:
    hit = float(tally.confusion[place, place])
    predicted, are = float(tally.confusion[:, place].sum()), float(tally.confusion[place].sum())
    found = {}
    if predicted > 0:
        found[Metric.PRECISION] = share(hit, predicted, deviations)
    if are > 0:
        found[Metric.RECALL] = share(hit, are, deviations)
        found.setdefault(Metric.PRECISION, Estimate(0.0, 0.0, 1.0))
    if predicted + are > 0:
        both = share(hit, predicted + are - hit, deviations)
        found[Metric.F1] = Estimate(*(2 * each / (1 + each) for each in (both.value, both.low, both.high)))
    return found


def _of_all(tally: Tally, among: frozenset[int], deviations: float) -> dict[Metric, Estimate]:
    import numpy as np

    confusion, places = tally.confusion, sorted(among)
    if not places:
        return {}
    found = {}
    predicted, are = confusion.sum(axis=0), confusion.sum(axis=1)
    for metric in (Metric.PRECISION, Metric.RECALL, Metric.F1):
        values, slope = [], np.zeros_like(confusion)
        apart: list[Estimate] = []
        for k in places:
            hit = confusion[k, k]
            # What the class's part is of, and how that grows with each of the confusion's cells.
            grows = np.zeros_like(confusion)
            if metric is not Metric.RECALL:
                grows[:, k] += 1
            if metric is not Metric.PRECISION:
                grows[k] += 1
            times = 2.0 if metric is Metric.F1 else 1.0
            whole = {Metric.PRECISION: predicted[k], Metric.RECALL: are[k], Metric.F1: predicted[k] + are[k]}[metric]
            values.append(times * hit / whole if whole > 0 else 0.0)
            apart.append(_of_class(metric, float(hit), float(whole) or float(are[k]), deviations))
            if whole > 0:
                slope -= grows * (times * hit / whole**2)
                slope[k, k] += times / whole
        value = math.fsum(values) / len(places)
        error = math.sqrt(float((slope**2 * confusion).sum())) / len(places)
        found[metric] = _wider(_on_logit(value, error, float(are[places].min()), deviations), apart)
    return found


def _of_class(metric: Metric, hit: float, whole: float, deviations: float) -> Estimate:
    """One class's part of a mean; what it would be of is its own rows where it is never predicted."""
    if metric is not Metric.F1:
        return share(hit, whole, deviations)
    found = share(hit, whole - hit, deviations)
    return Estimate(*(2 * each / (1 + each) for each in (found.value, found.low, found.high)))


def _wider(found: Estimate, apart: Sequence[Estimate]) -> Estimate:
    """The interval of a mean, or that of the means' parts if it reaches further."""
    low = math.hypot(*(each.value - each.low for each in apart)) / len(apart)
    high = math.hypot(*(each.high - each.value for each in apart)) / len(apart)
    return Estimate(
        found.value, max(0.0, min(found.low, found.value - low)), min(1.0, max(found.high, found.value + high))
    )


def _curve(tally: Tally, place: int, deviations: float) -> tuple[float, float] | None:
    """The area under the ROC curve of one class against all others, and its standard error, which is larger where rows
    are too few to tell it.
    """
    hits = tally.hits[place]
    misses = tally.rows[place] - hits
    are, others = float(hits.sum()), float(misses.sum())
    # Expected counts of less than one row are no rows.
    if are < 1 or others < 1:
        return None
    above = (misses.cumsum() - misses / 2) / others
    below = (hits[::-1].cumsum()[::-1] - hits / 2) / are
    value = float((hits * above).sum() / are)
    first = float((hits * (above - value) ** 2).sum() / are) / are
    second = float((misses * (below - value) ** 2).sum() / others) / others
    widened = _of_student(deviations, min(are, others)) / deviations
    error = math.sqrt(max(0.0, first + second))
    return value, error * widened if error else 0.0


def _on_logit(value: float, error: float, rows: float, deviations: float) -> Estimate:
    """An interval within 0 and 1; where no error can be seen, that of a share of so many rows."""
    if error <= 0 or not 0 < value < 1:
        return share(value * rows, rows, deviations) if rows > 0 else Estimate(value, 0.0, 1.0)
    middle, width = math.log(value / (1 - value)), min(deviations * error / (value * (1 - value)), 700.0)
    low, high = (1 / (1 + math.exp(-min(max(middle + side, -700.0), 700.0))) for side in (-width, width))
    return Estimate(value, low, high)
