"""Vectors of a column, such as embeddings: how far apart both sides are in a kernel's space.

Rules:

1. A vector is usable if it has as many numbers as most of the reference's, all finite. The share of those that are not
   is a rate of its own; missing lists are not in it, they are a fact of the column.
2. The kernel is exp(-|x - y|² / 2s²), s the median distance of the rows that teach (Gretton and others 2012, section
   8).
3. The verdict is about the witness, the function by which both sides' mean embeddings differ: taught by one half, it
   scores the other, and its AUC has the bound of `auc`. So a p-value alarms here no more than elsewhere (Kübler and
   others 2022 test with a witness likewise).
4. The squared maximum mean discrepancy is told beside it: the unbiased estimator (Gretton and others 2012, equation 3)
   of `KERNEL_ROWS` of each side, with the share of permutations that come to as much, themselves counted in (Phipson
   and Smyth 2010).
5. Each of a vector's numbers is first taken from its median, all are divided by their median size and cut at a million
   times that, so that no outlier takes the others' digits. Median and size are those of the rows that teach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastro.drift.together.answer import Discrepancy
from lastro.drift.together.halves import Halves

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lastro.drift.together.halves import Learned, Places

    Floats = NDArray[np.float64]

VECTORS_MAX = 5_000
"""So many vectors of each side are drawn."""
KERNEL_ROWS, PERMUTATIONS = 1_000, 999
FARTHEST = 1e6
_LARGEST = 1e300
_BLOCK = 512
BREAKS = ("empty", "other_length", "not_finite")
"""Why a vector is not usable."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """The usable vectors of one side, and of how many lists there were; `broken` counts the others by `BREAKS`."""

    usable: Floats
    total: int
    broken: tuple[int, ...]


def length_of(column: Any) -> int | None:  # Any: a pyarrow array of lists
    """The most frequent number of numbers, of two the larger; None if no list holds any."""
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.list_value_length(column).drop_null().to_numpy(zero_copy_only=False)
    lengths = lengths[lengths > 0]
    if not len(lengths):
        return None
    single, times = np.unique(lengths, return_counts=True)
    return int(single[times == times.max()].max())


def vectors(column: Any, length: int) -> Vectors:  # Any: a pyarrow array of lists
    """One side's lists, of which those with this many numbers are usable."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    present = column.drop_null()
    lengths = pc.list_value_length(present).to_numpy(zero_copy_only=False)
    fitting = present.filter(pa.array(lengths == length))
    numbers = pc.list_flatten(fitting).cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    matrix = numbers.reshape(-1, length)
    is_finite = np.isfinite(matrix).all(axis=1)
    empty = int((lengths == 0).sum())
    broken = (empty, len(lengths) - empty - len(matrix), int((~is_finite).sum()))
    return Vectors(matrix[is_finite], len(lengths), broken)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where vectors' middle is, and the unit in which their distance from it is told (rule 5)."""

    middle: Floats
    unit: float

    def of(self, matrix: Floats) -> Floats:
        """Vectors in this unit, cut."""
        import numpy as np

        with np.errstate(over="ignore"):  # what is beyond a double is cut
            return np.clip(_centred(matrix, self.middle) / self.unit, -FARTHEST, FARTHEST)


def scale_of(matrix: Floats) -> Scale:
    """The scale of at least one vector."""
    import numpy as np

    middle = np.median(np.clip(matrix, -_LARGEST, _LARGEST), axis=0)
    centred = _centred(matrix, middle)
    sizes = np.abs(centred[centred != 0])
    return Scale(middle, float(np.median(sizes)) if len(sizes) else 1.0)


def _centred(matrix: Floats, middle: Floats) -> Floats:
    import numpy as np

    return np.clip(matrix, -_LARGEST, _LARGEST) - middle


def varies(matrix: Floats) -> bool:
    """True if not all vectors are the same one."""
    return bool(len(matrix)) and bool((matrix != matrix[0]).any())


def witnessed(matrix: Floats, halves: Halves) -> float:
    """The AUC of the witness; the reference's vectors come first."""
    import numpy as np

    is_current = halves.labels

    def learn(train: Places) -> Learned:
        scale = scale_of(matrix[train])
        taught = scale.of(matrix[train])
        bandwidth = _bandwidth(taught, halves.seed)
        weights = np.where(is_current[train], 1 / is_current[train].sum(), -1 / (~is_current[train]).sum())

        def score(test: Places) -> Floats:
            blocks = (scale.of(matrix[test[begin : begin + _BLOCK]]) for begin in range(0, len(test), _BLOCK))
            return np.concatenate([_kernel(block, taught, bandwidth) @ weights for block in blocks])

        return score

    return halves.mean_area(learn)


def discrepancy(reference: Floats, current: Floats, *, seed: int) -> Discrepancy:
    """The squared discrepancy, by at least two vectors of each side."""
    import numpy as np

    draws = np.random.default_rng(seed)
    sides = [draws.permutation(side)[:KERNEL_ROWS] for side in (reference, current)]
    n, m = len(sides[0]), len(sides[1])
    scale = scale_of(np.concatenate(sides))
    matrix = scale.of(np.concatenate(sides))
    bandwidth = _bandwidth(matrix, seed)
    kernel = _kernel(matrix, matrix, bandwidth)
    np.fill_diagonal(kernel, 0.0)
    is_current = np.concatenate([np.zeros(n), np.ones(m)])
    chosen = np.column_stack([is_current, *(draws.permutation(is_current) for _round in range(PERMUTATIONS))])
    found = _squared(kernel, chosen, n, m)
    as_much = int((found[1:] >= found[0]).sum())
    return Discrepancy(
        float(found[0]), (1 + as_much) / (1 + PERMUTATIONS), PERMUTATIONS, bandwidth * scale.unit, min(n, m)
    )


def _squared(kernel: Floats, chosen: Floats, n: int, m: int) -> Floats:
    """The unbiased estimator for each way to choose the window's m vectors; the kernel's diagonal is 0."""
    sums = kernel.sum(axis=1)
    within = (chosen * (kernel @ chosen)).sum(axis=0)
    of_chosen = sums @ chosen
    others = sums.sum() - 2 * of_chosen + within
    found: Floats = others / (n * (n - 1)) + within / (m * (m - 1)) - 2 * (of_chosen - within) / (n * m)
    return found


def _kernel(one: Floats, two: Floats, bandwidth: float) -> Floats:
    import numpy as np

    found: Floats = np.exp(_squares(one, two) / (-2 * bandwidth * bandwidth))
    return found


def _squares(one: Floats, two: Floats) -> Floats:
    """The squared distances of all pairs."""
    import numpy as np

    sizes = (one * one).sum(axis=1)[:, None] + (two * two).sum(axis=1)
    found: Floats = np.maximum(sizes - 2 * (one @ two.T), 0.0)
    return found


def _bandwidth(matrix: Floats, seed: int) -> float:
    """The median distance of some of the vectors, of those that differ."""
    import numpy as np

    some = np.random.default_rng(seed).permutation(matrix)[:KERNEL_ROWS]
    distances = _squares(some, some)[np.triu_indices(len(some), 1)]
    distances = distances[distances > 0]
    return float(np.sqrt(np.median(distances))) if len(distances) else 1.0
