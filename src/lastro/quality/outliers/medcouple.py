"""The medcouple, a robust measure of skewness from -1 to 1 (Brys, Hubert and Struyf 2004).

Rules:

1. It is the median, over all pairs of a number below the median m and one above, of how much further the upper one is
   away: h(a, b) = ((b - m) - (m - a)) / (b - a).
2. Where both are the median itself, h is -1, 0 or 1, as often below as above 0.
3. The pairs are too many to be made. For a bound t, h <= t means b - m <= (m - a)(1 + t) / (1 - t), so that sorted
   numbers count them in n log n; halving the bound finds the median as exactly as a float can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HALVINGS = 56


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Distances from the median: `below` and `above` it, ascending and positive, and how many are 0."""

    below: NDArray[np.float64]
    above: NDArray[np.float64]
    ties: int

    @property
    def total(self) -> int:
        return (len(self.below) + self.ties) * (len(self.above) + self.ties)

    @property
    def lowest(self) -> int:
        """How many pairs are -1."""
        return len(self.below) * self.ties + self.ties * (self.ties - 1) // 2

    @property
    def highest(self) -> int:
        """How many pairs are 1."""
        return len(self.above) * self.ties + self.ties * (self.ties - 1) // 2

    def at_most(self, bound: float) -> int:
        """How many pairs are at most `bound`, which is above -1; of those that are 1, none is."""
        import numpy as np

        if bound >= 1:
            return self.total - self.highest
        inner = np.searchsorted(self.above, self.below * ((1 + bound) / (1 - bound)), side="right").sum()
        return self.lowest + int(inner) + (self.ties if bound >= 0 else 0)

    def ranked(self, rank: int) -> float:
        """The pair of this rank, counted from 1."""
        if rank <= self.lowest:
            return -1.0
        if rank > self.total - self.highest:
            return 1.0
        if self.ties and self.at_most(-(2.0**-HALVINGS)) < rank <= self.at_most(0.0):
            return 0.0
        low, high = -1.0, 1.0
        for _halving in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.at_most(middle) >= rank else (middle, high)
        return (low + high) / 2


def medcouple(values: NDArray[np.float64]) -> float:
    """The medcouple of finite numbers; 0 of fewer than three, or if all are equal."""
    import numpy as np

    if len(values) < 3:
        return 0.0
    # By a power of two, so that no digit is lost.
    from_median = np.sort(np.ldexp(values, -int(np.frexp(np.abs(values).max())[1])))
    from_median = from_median - np.median(from_median)
    below, above = from_median[from_median < 0], from_median[from_median > 0]
    pairs = _Pairs(-below[::-1], above, len(values) - len(below) - len(above))
    if not len(below) and not len(above):
        return 0.0
    first, second = pairs.ranked((pairs.total + 1) // 2), pairs.ranked(pairs.total // 2 + 1)
    return (first + second) / 2
