"""How good a classifier still is, told before the labels arrive, from its own scores (CBPE).

Rules:

1. Scores are made probabilities on the reference, where labels are known: each class against all others, in bins of
   equally many rows, made monotone (isotonic), read between the bins' mean scores in straight lines. They are then made
   to sum to 1.
2. A row predicted as class j, being of class i with the probability p, counts p in the confusion's cell (i, j). What
   is computed of a confusion of counts is computed of this one.
3. It is right as long as a score means what it meant: if other rows arrive it follows, if the same rows get other
   labels it does not see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lastro.drift.tally import Tally

    Floats = NDArray[np.float64]

BINS = 200


@dataclass(frozen=True, slots=True)
class Calibration:
    """For each class, which probabilities its scores mean: `probabilities` at the ascending `scores`."""

    scores: tuple[tuple[float, ...], ...]
    probabilities: tuple[tuple[float, ...], ...]

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.scores)

    def chances(self, scores: Floats) -> Floats:
        """Each row's probability of each class; those of a row that no class wants are all alike.

        Raises `ValueError` if the scores are not those of the calibration's classes.
        """
        import numpy as np

        if scores.ndim != 2 or scores.shape[1] != self.classes:
            raise ValueError("each row needs a score for every class of the calibration")
        read = zip(self.scores, self.probabilities, strict=True)
        raw = np.stack([np.interp(scores[:, place], *each) for place, each in enumerate(read)], axis=1)
        total = raw.sum(axis=1, keepdims=True)
        alike = np.full_like(raw, 1 / self.classes)
        return np.where(total > 0, raw / np.where(total > 0, total, 1), alike)


def calibrated(reference: Tally, *, bins: int = BINS) -> Calibration:
    """What scores mean on rows whose labels are known. Raises `ValueError` if no row has scores."""
    if not reference.rows.sum():
        raise ValueError("a calibration needs rows, each with a score for every class and one label")
    read = [_isotonic(reference, place, bins) for place in range(reference.classes)]
    return Calibration(tuple(one for one, _two in read), tuple(two for _one, two in read))


def _isotonic(reference: Tally, place: int, bins: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean scores of bins of equally many rows, the rows of a cell together, with their monotone rates."""
    import numpy as np
    from scipy.optimize import isotonic_regression

    rows, hits, sums = reference.rows[place], reference.hits[place], reference.sums[place]
    # A bin is named by the rows before a cell, so that a cell cannot be parted.
    group = ((np.cumsum(rows) - rows) * bins / rows.sum()).astype(np.int64)[rows > 0]
    weights = np.bincount(group, weights=rows[rows > 0])
    held = weights > 0
    centres = np.bincount(group, weights=sums[rows > 0])[held] / weights[held]
    rates = np.bincount(group, weights=hits[rows > 0])[held] / weights[held]
    risen = isotonic_regression(rates, weights=weights[held]).x.clip(0, 1)
    return tuple(centres.tolist()), tuple(risen.tolist())
