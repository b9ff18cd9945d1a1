"""How well scores tell two sides apart, how sure that is, and what it means in shares of rows.

Rules:

1. The AUC is the chance that a row of the window scores higher than one of the reference, ties counting half (Mann and
   Whitney 1947): a two-sample U-statistic with a kernel from 0 to 1. Of n and m independent rows it is further than x
   from the true AUC of these scores with a chance of at most 2 exp(-2 k x²), k the smaller of n and m (Hoeffding 1963,
   section 5). That holds for every n and m; the intervals of Hanley and McNeil (1982) and of DeLong and others (1988)
   are shorter and asymptotic.
2. Each half of the sample tests scores that the other half taught, so given the other half rule 1 holds for it. Both
   halves' errors hang together in a way nobody knows. The exponential of a mean is at most the mean of the
   exponentials (Jensen), so the mean of both AUCs has the bound of *one* half, k being the smaller half of the smaller
   side: no independence of the folds is needed, and none is claimed.
3. The true AUC of any scores is at most that of the likelihood ratio. If a share d of the rows are others (the total
   variation), no curve of rates rises further than d above the diagonal, and the area below is at most 1/2 + d - d²/2.
   So a margin of d is one of the AUC, and an AUC of a surely needs d >= 1 - sqrt(2 - 2a).
4. An AUC at most the margin says that *this* classifier finds no more, not that nobody could.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lastro.drift.measure import decided
from lastro.drift.result import Estimate, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROWS_MAX = 10**9


def area(reference: Floats, current: Floats) -> float:
    """The AUC of scores that should be higher for the window; neither side may be empty."""
    import numpy as np
    from scipy.stats import rankdata

    n, m = len(reference), len(current)
    ranks = rankdata(np.concatenate([reference, current]))
    return float((ranks[n:].sum() - m * (m + 1) / 2) / (n * m))


def width(half: int, chance: float) -> float:
    """How far the mean AUC of both halves can be from the true one; `half` is the smaller half of the smaller side."""
    return math.sqrt(math.log(2 / chance) / (2 * half))


def estimate(value: float, half: int, chance: float) -> Estimate:
    """An AUC with its interval."""
    reach = width(half, chance)
    return Estimate(value, max(0.0, value - reach), min(1.0, value + reach))


def limit_of(margin: float) -> float:
    """The largest AUC there can be if at most this share of rows are others."""
    return 0.5 + margin - margin * margin / 2


def moved(area_low: float) -> float:
    """The share of rows that are others at least, if the true AUC is this."""
    return max(0.0, 1 - math.sqrt(2 - 2 * area_low)) if area_low > 0.5 else 0.0


def finds(limit: float, half: int, chance: float) -> float | None:
    """From which true AUC on the verdict is drifted but with that chance; None if there is no such AUC."""
    least = limit + 2 * width(half, chance)
    return least if least <= 1 else None


def rows_needed(value: float, limit: float, chance: float) -> int | None:
    """How many rows of either side would tell this AUC from the limit, to a tenth; None if no number would."""
    gap = abs(value - limit)
    if gap <= 0 or (needed := 2 * math.ceil(math.log(2 / chance) / (2 * gap * gap))) > ROWS_MAX:
        return None
    digit: int = 10 ** max(0, len(str(needed)) - 2)
    return -(-needed // digit) * digit


def verdict(found: Estimate, limit: float) -> Verdict:
    """The margin rule."""
    return decided(found, limit)
