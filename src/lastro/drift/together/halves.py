"""Halves: each side's sample is cut in two by the seed, and what one half teaches is tested on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastro.drift.together import auc

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]
    Learned = Callable[[Places], NDArray[Any]]  # Any: whichever floating numbers


@dataclass(frozen=True, slots=True)
class Fold:
    """Which rows teach and which are tested, by their places: the reference's come first, then the window's."""

    train: Places
    test: Places


@dataclass(frozen=True, slots=True)
class Halves:
    """Samples of `reference` and `current` rows, at least two each, numbered through."""

    reference: int
    current: int
    seed: int

    @property
    def smaller(self) -> int:
        """The rows of the smaller half of the smaller side."""
        return min(self.reference, self.current) // 2

    @property
    def labels(self) -> NDArray[np.bool_]:
        """True for the window's rows."""
        import numpy as np

        return np.arange(self.reference + self.current) >= self.reference

    def folds(self) -> Iterator[Fold]:
        """Both ways to teach and to test."""
        import numpy as np

        draws = np.random.default_rng(self.seed)
        first = draws.permutation(self.reference)
        second = self.reference + draws.permutation(self.current)
        cuts = [np.array_split(side, 2) for side in (first, second)]
        one, two = (np.sort(np.concatenate([cuts[0][half], cuts[1][half]])) for half in (0, 1))
        yield Fold(one, two)
        yield Fold(two, one)

    def area(self, scores: NDArray[Any], places: Places) -> float:  # Any: whichever floating numbers
        """The AUC of the scores of the rows at these places."""
        is_current = self.labels[places]
        return auc.area(scores[~is_current], scores[is_current])

    def mean_area(self, learn: Callable[[Places], Learned]) -> float:
        """The mean of both halves' AUCs; `learn` is told which rows teach, and gives what scores others."""
        areas = [self.area(learn(fold.train)(fold.test), fold.test) for fold in self.folds()]
        return sum(areas) / len(areas)
