"""How unlike other rows a row is, by how far out in each column's tails its numbers lie: ECOD (Li et al. 2022).

Rules:

1. Of a number, the left tail is the share of the fitted numbers that are at most as large, the right tail the share at
   least as large, the number itself counted with them, so that no tail is 0. Its surprise is minus the tail's
   logarithm.
2. A row's surprises are added up three times: all left tails, all right tails, and of each column the tail on the side
   to which its numbers are skewed. The largest of the three sums is the row's score.
3. A missing number surprises as much as one does on average, which is 1: what is missing is another finding's matter.
4. Infinite numbers lie at the ends, like any others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastro.quality.outliers import words
from lastro.quality.outliers.distances import Scale, scale_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MISSING = 1.0
"""The mean of minus the logarithm of a share that is evenly distributed."""


@dataclass(frozen=True, slots=True)
class Part:
    """One column's part in a row's score: its `surprise`, in which tail (`is_high`), and which share lies there."""

    column: str
    surprise: float
    share: float
    is_high: bool

    @property
    def words(self) -> str:
        """The part in words, without the value."""
        return words.of_part(self.column, self.share, is_high=self.is_high)


@dataclass(frozen=True, slots=True, repr=False)
class _Column:
    """A column's fitted numbers, ascending, and whether they are skewed to the right."""

    scale: Scale
    ordered: Floats
    is_right: bool

    def surprises(self, values: NDArray[Any]) -> tuple[Floats, Floats]:  # Any: whichever numbers
        """Of each number, the surprise in the left and in the right tail."""
        import numpy as np

        found, total = self.scale.of(values), len(self.ordered) + 1
        is_missing = np.isnan(found) | (total == 1)
        left = (1 + np.searchsorted(self.ordered, found, side="right")) / total
        right = (total - np.searchsorted(self.ordered, found, side="left")) / total
        return (
            np.where(is_missing, MISSING, -np.log(left.clip(max=1.0))),
            np.where(is_missing, MISSING, -np.log(right.clip(1 / total))),
        )


@dataclass(frozen=True, slots=True, repr=False)
class Tails:
    """Columns' fitted tails, which score rows of the same columns."""

    columns: Mapping[str, _Column]

    def scores(self, rows: Mapping[str, NDArray[Any]]) -> Floats:  # Any: whichever numbers
        """Each row's score, the higher the less like the fitted rows. Raises `ValueError`, `KeyError`."""
        import numpy as np

        sums: Floats = np.zeros((3, _length(rows)))
        for name, column in self.columns.items():
            left, right = column.surprises(rows[name])
            sums[0] += left
            sums[1] += right
            sums[2] += right if column.is_right else left
        found: Floats = sums.max(axis=0)
        return found

    def parts(self, rows: Mapping[str, NDArray[Any]], place: int) -> tuple[Part, ...]:  # Any: whichever numbers
        """What each column has to do with one row's score, the most first."""
        one = {name: rows[name][place : place + 1] for name in self.columns}
        tails = {
            name: [float(side[0]) for side in column.surprises(one[name])] for name, column in self.columns.items()
        }
        choices = (
            dict.fromkeys(tails, 0),
            dict.fromkeys(tails, 1),
            {name: int(column.is_right) for name, column in self.columns.items()},
        )
        chosen = max(choices, key=lambda sides: sum(tails[name][side] for name, side in sides.items()))
        return tuple(sorted((_part(name, tails[name][side], side) for name, side in chosen.items()), key=_order))


def fitted(rows: Mapping[str, NDArray[Any]]) -> Tails:  # Any: whichever numbers
    """The tails of these rows' columns. Raises `ValueError` if a column holds no numbers."""
    return Tails({name: _fitted(values) for name, values in rows.items()})


def _fitted(values: NDArray[Any]) -> _Column:  # Any: whichever numbers
    import numpy as np

    scale = scale_of(values)
    found = scale.of(values)
    return _Column(scale, np.sort(found[~np.isnan(found)]), _is_right(found[np.isfinite(found)]))


def _is_right(finite: Floats) -> bool:
    """True if the third moment about the mean is not negative."""
    import numpy as np

    peak = float(np.abs(finite).max()) if len(finite) else 0.0
    if not peak:
        return True
    away = finite / peak - (finite / peak).mean()
    return bool(np.power(away, 3).sum() >= 0)


def _part(name: str, surprise: float, side: int) -> Part:
    return Part(name, surprise, math.exp(-surprise), is_high=side == 1)


def _order(part: Part) -> tuple[float, str]:
    return -part.surprise, part.column


def _length(rows: Mapping[str, NDArray[Any]]) -> int:  # Any: whichever numbers
    lengths = {len(values) for values in rows.values()}
    if len(lengths) > 1:
        raise ValueError("the columns of one table have equally many rows")
    return lengths.pop() if lengths else 0
