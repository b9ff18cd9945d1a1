"""Distances between two rows of shares, and what is estimated of them.

Rules:

1. Numbers stand for the upper edge of their bin, those above all edges for the last edge. So no number is further out
   than the frame's edges, and gross outliers weigh as many rows as they are.
2. The unit of lengths is the reference's spread: the distance between its quartiles, as edges, over 1.349 (the
   deviation of a normal law); where that is 0, the deviation of its edges.
3. PSI is taken over groups with at least five rows expected on either side; of ordered bins there are at most ten.
   Without drift it is (1/n + 1/m) times a chi-squared with one degree less than there are groups.
4. Jensen and Shannon's divergence is, near 0, one eighth of (1/n + 1/m) times a noncentral chi-squared; its mean
   without drift is taken off, its interval is that law's.
5. The intervals of JS, Wasserstein and the mean are approximate, each on its own, and decide nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import add
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from lastro.drift.result import Estimate, Psi

Numbers = NDArray[np.float64]
Shares = Sequence[float] | Numbers
GROUPS, EXPECTED_MIN = 10, 5
NEGLIGIBLE = 1e-9
FAR = 1e150
"""Numbers beyond this have no squares that a double holds, so no spread is taken of them."""
QUARTILES_OF_NORMAL = 1.349


@dataclass(frozen=True, slots=True)
class Sides:
    """The counts of both sides, none of which is all zeros, with how many they are and the shares made of them."""

    first: Sequence[int]
    second: Sequence[int]
    n: int
    m: int
    one: Numbers
    two: Numbers

    @classmethod
    def of(cls, first: Sequence[int], second: Sequence[int]) -> Sides:
        """Both sides' counts of the same cells."""
        return cls(first, second, sum(first), sum(second), shares(first), shares(second))


def shares(counts: Sequence[int]) -> Numbers:
    """Each count's share of all of them, which must not be none."""
    counted = np.array(counts, dtype=np.float64)
    found: Numbers = counted / counted.sum()
    return found


def kolmogorov_smirnov(first: Shares, second: Shares) -> float:
    """The largest difference of the two distribution functions at the bins' edges."""
    return min(1.0, float(np.abs(_apart(first, second)).max(initial=0.0)))


def total_variation(first: Shares, second: Shares) -> float:
    """The least share of rows that would have to move to make the one into the other."""
    return min(1.0, float(np.abs(np.subtract(first, second)).sum()) / 2)


def jensen_shannon(first: Shares, second: Shares) -> float:
    """Jensen and Shannon's divergence in nats, 0 to log 2."""
    sides = np.array((first, second))
    middle = sides.sum(axis=0) / 2
    # Of a share that is 0 the term is 0; where both are, neither side of the ratio matters.
    ratio = np.where(sides > 0, sides, 1.0) / np.where(sides > 0, middle, 1.0)
    return max(0.0, float((sides * np.log(ratio)).sum()) / 2)


def wasserstein(first: Shares, second: Shares, edges: Sequence[float]) -> float:
    """How far a row has to be moved in the mean, all numbers being at edges."""
    widths = np.diff(edges)
    return float((np.abs(_apart(first, second)[: len(widths)]) * widths).sum())


def mean(part: Shares, edges: Sequence[float]) -> float:
    """The arithmetic mean, all numbers being at edges."""
    return float((np.asarray(part) * _places(edges)).sum())


def spread(part: Shares, edges: Sequence[float]) -> float:
    """The unit of lengths; 0 if all numbers are at one edge, or if edges are too far apart to tell."""
    if len(edges) and max(abs(edges[0]), abs(edges[-1])) > FAR:
        return 0.0
    places = _places(edges)
    quarter, three = places[np.searchsorted(np.cumsum(part), (0.25 - 1e-12, 0.75 - 1e-12))]
    return float(three - quarter) / QUARTILES_OF_NORMAL or math.sqrt(_variance(part, edges))


def jensen_shannon_estimate(sides: Sides, confidence: float) -> Estimate:
    """The distance (the root of the divergence in bits), less what chance alone adds."""
    from scipy.special import chndtrinc

    unit = (1 / sides.n + 1 / sides.m) / 8
    degrees = int(np.count_nonzero(sides.one + sides.two)) - 1
    if degrees < 1:
        return Estimate(0.0, 0.0, 0.0)
    ratio = jensen_shannon(sides.one, sides.two) / unit
    tail = (1 - confidence) / 2
    bounds = [float(chndtrinc(ratio, degrees, chance)) for chance in (1 - tail, tail)] if ratio else [0.0, 0.0]
    # The search for a centre of 0 ends at the least number there is.
    value, low, high = (_root(unit * size) if size > NEGLIGIBLE else 0.0 for size in (ratio - degrees, *bounds))
    return Estimate(value, min(low, value), max(high, value))


def wasserstein_estimate(sides: Sides, edges: Sequence[float], confidence: float) -> Estimate | None:
    """The distance in the reference's spread; None without one. It is wide enough even if all errors agree."""
    one, two = sides.one, sides.two
    unit = spread(one, edges)
    if not unit:
        return None
    reached = np.cumsum(np.array((one, two)), axis=1)[:, : len(edges) - 1]
    variance = np.maximum(reached * (1 - reached), 0.0) / np.array(((sides.n,), (sides.m,)))
    with np.errstate(over="ignore", invalid="ignore"):
        error = float((np.sqrt(variance.sum(axis=0)) * np.diff(edges)).sum())
    value, width = wasserstein(one, two, edges) / unit, _quantile(confidence) * error / unit
    return _finite(Estimate(value, max(0.0, value - width), value + width))


def mean_shift_estimate(sides: Sides, edges: Sequence[float], confidence: float) -> Estimate | None:
    """How much larger the current mean is, in the reference's spread; None without one."""
    one, two = sides.one, sides.two
    unit = spread(one, edges)
    if not unit:
        return None
    error = math.sqrt(_variance(one, edges) / sides.n + _variance(two, edges) / sides.m)
    value, width = (mean(two, edges) - mean(one, edges)) / unit, _quantile(confidence) * error / unit
    return _finite(Estimate(value, value - width, value + width))


def _finite(estimate: Estimate) -> Estimate | None:
    """The estimate, unless it is beyond a double."""
    return estimate if all(map(math.isfinite, (estimate.value, estimate.low, estimate.high))) else None


def psi(sides: Sides, *, ordered: bool) -> Psi:
    """The population stability index with its law without drift; `ordered` bins are put into at most ten groups."""
    from scipy.special import chdtrc

    pairs = _groups(sides, share=1 / GROUPS if ordered else 0.0)
    n, m, extra = sides.n, sides.m, len(pairs) / 2
    terms = []
    for one, two in pairs:
        # Half a row more in each group: an empty one has no logarithm.
        before, after = (one + 0.5) / (n + extra), (two + 0.5) / (m + extra)
        terms.append((after - before) * math.log(after / before))
    value, unit, degrees = math.fsum(terms), 1 / n + 1 / m, len(pairs) - 1
    return Psi(value, unit * degrees, float(chdtrc(degrees, value / unit)) if degrees else 1.0, len(pairs))


def _groups(sides: Sides, *, share: float) -> list[tuple[int, int]]:
    ones, twos, n, m = list(accumulate(sides.first)), list(accumulate(sides.second)), sides.n, sides.m
    passed = list(map(add, ones, twos))
    enough = math.ceil(EXPECTED_MIN * (n + m) / min(n, m) - 1e-9)
    ends = [-1]
    while True:
        before = passed[ends[-1]] if len(ends) > 1 else 0
        end = bisect_left(passed, max(before + enough, math.ceil(share * len(ends) * (n + m) - 1e-9)))
        if end == len(passed):
            break
        ends.append(end)
    ends[max(1, len(ends) - 1) :] = [len(passed) - 1]  # what is left over joins the last group
    reached = [(0, 0), *((ones[end], twos[end]) for end in ends[1:])]
    return [(one[0] - zero[0], one[1] - zero[1]) for zero, one in pairwise(reached)]


def _apart(first: Shares, second: Shares) -> Numbers:
    """How far the distribution functions are apart after each bin."""
    found: Numbers = np.cumsum(np.subtract(first, second))
    return found


def _places(edges: Sequence[float]) -> Numbers:
    return np.array([*edges, edges[-1]] if len(edges) else [0.0])


def _variance(part: Shares, edges: Sequence[float]) -> float:
    places = _places(edges) - mean(part, edges)
    return float((np.asarray(part) * places * places).sum())


def _root(divergence: float) -> float:
    """A divergence in nats as a distance of 0 to 1."""
    return min(1.0, math.sqrt(max(0.0, divergence) / math.log(2)))


@lru_cache(maxsize=64)
def _quantile(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
