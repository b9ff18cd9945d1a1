"""Whether predictions became worse, by more than anybody cares about and than chance may do.

Rules:

1. A metric is held against the reference's. Of a share, the margin is a part of the whole: with 5 %, an accuracy of
   90 % may become 85 %. Of an error, it is a part of the reference's: with 5 %, an error of 100 may become 105.
2. `alpha` bounds the chance that anything is called worse that is not, over all metrics, all ways to know them and all
   looks together: each interval fails with an even part of it, and intervals hold for both sides.
3. The change's interval is made of both sides' (MOVER: Zou and Donner 2008; for shares it is Newcombe's hybrid of
   Wilson's). It is worse if the whole interval lies beyond the margin, no worse if none of it does, else not told yet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from lastro.drift.metrics import Measured, Metric
from lastro.drift.result import Estimate

WAYS = 2
"""Performance is known in so many ways: as it was realised, and as it is expected."""


class Standing(StrEnum):
    """What a metric, or all together, came to; of several the first of these counts."""

    WORSE = "worse"
    UNSURE = "unsure"
    NO_WORSE = "no worse"
    UNKNOWN = "unknown"


ORDER = tuple(Standing)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much worse is worse, and how often a false alarm may be raised; see the rules.

    Raises `ValueError` for numbers that make no sense.
    """

    alpha: float = 0.05
    looks: int = 30
    margin: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise ValueError("alpha is a probability between 0 and 1")
        if self.looks < 1:
            raise ValueError("looks are counted from 1")
        if not 0 <= self.margin < 1:
            raise ValueError("a margin is a share: at least 0, less than 1")

    def deviations(self, metrics: int) -> float:
        """How many standard deviations an interval reaches if there are so many metrics."""
        return NormalDist().inv_cdf(1 - self.alpha / (2 * WAYS * self.looks * max(1, metrics)))


@dataclass(frozen=True, slots=True)
class Change:
    """One metric against the reference's. `size` is by how much it changed: in parts of the whole, or for an error in
    parts of the reference's. What could not be measured is None.
    """

    metric: Metric
    standing: Standing
    margin: float
    reference: Estimate | None = None
    now: Estimate | None = None
    size: Estimate | None = None


def changes(metrics: tuple[Metric, ...], reference: Measured, now: Measured, *, margin: float) -> tuple[Change, ...]:
    """Each of these metrics, compared."""
    return tuple(_change(metric, reference.get(metric), now.get(metric), margin) for metric in metrics)


def standing_of(found: tuple[Change, ...]) -> Standing:
    """What metrics came to together; `unknown` of none."""
    return min((change.standing for change in found), key=ORDER.index, default=Standing.UNKNOWN)


def _change(metric: Metric, before: Estimate | None, now: Estimate | None, margin: float) -> Change:
    if before is None or now is None or (metric.is_error and before.value <= 0):
        return Change(metric, Standing.UNKNOWN, margin, before, now)
    size = _ratio(before, now) if metric.is_error else _difference(before, now)
    lost = (size.low, size.high) if metric.is_error else (-size.high, -size.low)
    undecided = Standing.UNSURE if lost[1] > margin else Standing.NO_WORSE
    standing = Standing.WORSE if lost[0] > margin else undecided
    return Change(metric, standing, margin, before, now, size)


def _difference(before: Estimate, now: Estimate) -> Estimate:
    value = now.value - before.value
    low = math.hypot(now.value - now.low, before.high - before.value)
    high = math.hypot(now.high - now.value, before.value - before.low)
    return Estimate(value, value - low, value + high)


def _ratio(before: Estimate, now: Estimate) -> Estimate:
    """By which part of itself an error grew."""
    if now.value <= 0:
        return Estimate(-1.0, -1.0, -1.0)
    logs = [Estimate(*(math.log(max(each, 1e-300)) for each in (x.value, x.low, x.high))) for x in (before, now)]
    found = _difference(*logs)
    return Estimate(*(math.expm1(min(each, 700.0)) for each in (found.value, found.low, found.high)))
