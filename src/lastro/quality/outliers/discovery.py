"""How many of the rows with the highest scores may be called unlike: conformal p-values and a false-discovery budget.

Rules:

1. A row's p-value is the share of the calibration's rows, itself counted with them, that score at least as high. For a
   row that is like the calibration's, whatever the scores are, it is at most p with a chance of at most p.
2. The procedure of Benjamini and Hochberg (1995) calls as many rows as it can, so that of those called, no more than
   the budget's share is expected to be like the calibration's after all. It holds for conformal p-values too, though
   they all depend on one calibration (Bates et al. 2023, theorem 2).
3. A p-value is one of few numbers, so that rows are counted by rank and not kept: how many of the calibration score at
   least as high.
4. Rows are only ever unlike *others*: a calibration that holds the same outliers as the rows under test finds none. It
   must be of rows that are taken for good.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def ranks(calibration: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Of each score, how many of the ascending calibration's are at least as high."""
    import numpy as np

    found: NDArray[np.int64] = len(calibration) - np.searchsorted(calibration, scores, side="left")
    return found


def p_value(rank: int, calibration: int) -> float:
    """The conformal p-value of a rank among so many rows of the calibration."""
    return (1 + rank) / (calibration + 1)


def last_called(times: NDArray[np.int64], budget: float) -> int:
    """The highest rank whose rows are called, where rank r occurred `times[r]` times; -1 if none is."""
    import numpy as np

    tested = int(times.sum())
    if not tested:
        return -1
    allowed = budget * np.cumsum(times) / tested
    p_values = (1 + np.arange(len(times))) / len(times)
    called = np.flatnonzero((p_values <= allowed) & (times > 0))
    return int(called[-1]) if len(called) else -1


def least_callable(tested: int, calibration: int, budget: float) -> int:
    """How many rows must be more unlike than all of the calibration before a single one can be called."""
    return max(1, math.ceil(tested / (budget * (calibration + 1)) - 1e-9))
