"""Rows of a classifier, counted as they pass: what was predicted of which class, and with which score.

Rules:

1. Scores are probabilities, 0 to 1, and counted in fixed cells: of `STEPS` equal steps in each octave, from either end.
   So a score of 0.001 is as well told from its neighbours as one of 0.1, and memory does not grow with the rows.
2. A row counts for the class that it is of; where that is not known, for every class by its probability. Whatever is
   computed of counts is then computed of expected counts.
3. A label that no row of the reference has is a class of its own, the last one, which is never predicted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

STEPS = 256
OCTAVES = 30
_HALF = OCTAVES * STEPS + 2
CELLS = 2 * _HALF


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of rows, in arrays that grow by `take`, `score` and `expect`.

    `confusion[i, j]` rows of class i were predicted as class j; the last i is a class that the reference does not know.
    Of the rows with scores, `rows[k, c]` had a score for class k in cell c, `hits[k, c]` of them were of class k, and
    `sums[k, c]` is what their scores sum to.
    """

    confusion: Floats
    rows: Floats
    hits: Floats
    sums: Floats

    @property
    def classes(self) -> int:
        """How many classes the reference knows."""
        return int(self.confusion.shape[1])

    @property
    def counted(self) -> float:
        """How many rows the confusion is of."""
        return float(self.confusion.sum())

    def take(self, labels: Places, predicted: Places) -> None:
        """Counts rows of known class, the places of which `labels` are."""
        import numpy as np

        met = np.bincount(labels * self.classes + predicted, minlength=self.confusion.size)
        self.confusion.__iadd__(met.reshape(self.confusion.shape))

    def score(self, labels: Places, scores: Floats) -> None:
        """Counts the scores of rows of known class; there is a column of scores for each class."""
        for place in range(self.classes):
            self._score(place, scores[:, place], (labels == place).astype(float))

    def expect(self, chances: Floats, predicted: Places, scores: Floats) -> None:
        """Counts rows by the probability of each class, a column of `chances`."""
        import numpy as np

        for place in range(self.classes):
            self.confusion[place] += np.bincount(predicted, weights=chances[:, place], minlength=self.classes)
            self._score(place, scores[:, place], chances[:, place])

    def _score(self, place: int, scores: Floats, hits: Floats) -> None:
        import numpy as np

        cells = cells_of(scores)
        self.rows[place] += np.bincount(cells, minlength=CELLS)
        self.hits[place] += np.bincount(cells, weights=hits, minlength=CELLS)
        self.sums[place] += np.bincount(cells, weights=scores, minlength=CELLS)


def empty(classes: int) -> Tally:
    """A tally of no rows."""
    import numpy as np

    counts = [np.zeros((classes, CELLS)) for _each in range(3)]
    return Tally(np.zeros((classes + 1, classes)), *counts)


def cells_of(scores: Floats) -> Places:
    """The cell of each score from 0 to 1; a higher score has no lower cell."""
    import numpy as np

    part, power = np.frexp(np.minimum(scores, 1 - scores))
    within = ((power + OCTAVES - 1) * STEPS + ((part - 0.5) * 2 * STEPS).astype(np.int64)) + 1
    near = np.where(part > 0, np.clip(within, 0, _HALF - 1), 0)
    return np.where(scores < 0.5, near, CELLS - 1 - near)
