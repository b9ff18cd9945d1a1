"""How far counted shares can be from the true ones: bounds that hold for every sample size, none of them asymptotic.

Rules:

1. One sample of n rows: its distribution function is nowhere further than x from the true one but with a chance of
   2 exp(-2 n x²) (Dvoretzky, Kiefer and Wolfowitz 1956; the constant 2: Massart 1990).
2. Two samples: either each has its own bound and they add (the reference's counted once for all looks), or the tail of
   the sum of both is taken, which is nearer to adding in quadrature, and all of it counted at every look. Both
   are paid for, and which is used depends on n and m alone, so the smaller may be taken.
3. Shares of k categories: one of the 2^k - 2 sets of categories tells the total variation; for each of them the
   difference of two means is sub-Gaussian (Hoeffding 1963), and they are united (for one sample: Bretagnolle and
   Huber 1978, Weissman et al. 2003). Where few categories changed, the union of each category's own exact interval
   is sharper. Both are paid for with one half each, and the better one counts. Values that were listed for being
   frequent among these very rows are so in part by chance, and all others together are rarer by chance: listed values
   count twice in the bound of sets, and all others have no interval of their own.
4. One share: the exact interval (Clopper and Pearson 1934), the reference's and the window's each at its own chance.
5. What is outside of a list that was made by looking at the rows is rarer in these than in truth. For the share of
   values outside of a list of k, the k rows that made it are left out, and all C(n, k) choices of them are united
   (sample compression: Littlestone and Warmuth 1986).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from lastro.drift.settings import Chance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Intervals = tuple[NDArray[np.float64], NDArray[np.float64]]

HALVINGS = 60
"""How often a bracket is halved: beyond the digits of a float."""


@lru_cache(maxsize=4_096)  # every column of a table has about the same numbers of rows
def distribution_width(n: int, m: int, chance: Chance) -> float:
    """How far the largest difference of two distribution functions can be from the counted one."""
    added = math.sqrt(math.log(2 / chance.reference) / (2 * n)) + math.sqrt(math.log(2 / chance.look) / (2 * m))
    together = _least(lambda width: sum_tail(width, n, m) <= chance.look, high=2 * added)
    return min(added, together)


def sum_tail(width: float, n: int, m: int) -> float:
    """The chance, at most, that the errors of two independent samples' distribution functions add to more than `width`.

    Each error is at most as large as a variable with the tail min(1, 2 exp(-2 n x²)); this is the tail of the sum of
    two such variables, integrated in closed form.
    """
    least_n, least_m = math.sqrt(math.log(2) / (2 * n)), math.sqrt(math.log(2) / (2 * m))
    if width <= least_n + least_m:
        return 1.0
    both, centre = n + m, m * width / (n + m)
    root, low, high = math.sqrt(2 * both), least_n - centre, width - least_m - centre
    bell = math.sqrt(math.pi) / (2 * root) * (math.erf(root * high) - math.erf(root * low))
    slope = (math.exp(-2 * both * low**2) - math.exp(-2 * both * high**2)) / (4 * both)
    inner = 16 * n * math.exp(-2 * n * m / both * width**2) * (centre * bell + slope)
    return min(1.0, 2 * math.exp(-2 * n * (width - least_m) ** 2) + inner)


def sets_width(n: int, m: int, categories: int, chance: Chance) -> float:
    """How far the total variation between shares of so many categories can be from the counted one."""
    if categories < 2:
        return 0.0
    sets = math.log(2) + (categories - 1) * math.log(2) + math.log1p(-(2.0 ** (1 - categories)))
    return math.sqrt((sets - math.log(chance.either)) * (1 / n + 1 / m) / 2)


def each_category(first: Intervals, second: Intervals) -> tuple[float, float]:
    """Bounds of half the sum of some categories' changes, told by each one's own intervals.

    What is left out adds to the total variation, so the lower bound holds for it too.
    """
    (one_low, one_high), (two_low, two_high) = first, second
    risen, fallen = (two_low - one_high).clip(0).sum(), (one_low - two_high).clip(0).sum()
    widest = (two_high - one_low).clip(one_high - two_low).sum() / 2
    return float(max(risen, fallen)), min(1.0, float(widest))


def exact_interval(counts: Sequence[int], total: int, chance: float) -> Intervals:
    """Each count's exact two-sided interval (Clopper and Pearson) as a share of `total`: the lows and the highs."""
    import numpy as np
    from scipy.special import betainccinv, betaincinv

    # The inverse is slow and rare values have few different counts.
    count, places = np.unique(np.asarray(counts, dtype=float), return_inverse=True)
    low = np.where(count > 0, betaincinv(np.maximum(count, 1), total - count + 1, chance / 2), 0.0)
    high = np.where(count < total, betainccinv(count + 1, np.maximum(total - count, 1), chance / 2), 1.0)
    return low[places], high[places]


@lru_cache(maxsize=4_096)
def rate_interval(count: int, total: int, chance: float) -> tuple[float, float]:
    """One count's exact two-sided interval as a share of `total`."""
    low, high = exact_interval([count], total, chance)
    return float(low[0]), float(high[0])


def outside_high(listed: int, outside: int, total: int, chance: float) -> float:
    """The largest share of values outside of a list of `listed` that may have been made from these very rows."""
    left = total - listed
    if left <= outside:
        return 1.0
    choices = math.lgamma(total + 1) - math.lgamma(listed + 1) - math.lgamma(left + 1)
    allowed = (choices - math.log(chance)) / left
    counted = outside / left
    return counted + _least(lambda more: _divergence(counted, counted + more) >= allowed, high=1 - counted)


def rows_needed(decides: Callable[[int], bool], rows: int, *, most: int = 10**12) -> int | None:
    """The fewest rows from `rows` on that would decide, to a tenth; None if not even `most` would."""
    low, high = max(rows, 1), most
    if not decides(high):
        return None
    while high > low + low // 10 + 1:
        middle = max(low + 1, math.isqrt(low * high))
        low, high = (low, middle) if decides(middle) else (middle, high)
    digit: int = 10 ** max(0, len(str(high)) - 2)
    return -(-high // digit) * digit


def _divergence(counted: float, true: float) -> float:
    """Kullback and Leibler's divergence of two Bernoulli laws, in nats; infinite where it cannot be."""
    if true >= 1:
        return math.inf if counted < 1 else 0.0
    rest = (1 - counted) * math.log((1 - counted) / (1 - true))
    return rest + (counted * math.log(counted / true) if counted else 0.0)


def _least(holds: Callable[[float], bool], *, high: float) -> float:
    """The least number of 0 to `high` from which on something holds that holds at `high`."""
    low = 0.0
    for _round in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
