"""Rows as wholes: how well trees tell the window's from the reference's, and by which columns.

Rules:

1. The verdict is about the AUC of both halves (`auc`); columns are ranked where that is above the limit, and decide
   nothing.
2. A column is worth what is lost without it: the AUC less that with its values exchanged among the rows that are
   tested (Breiman 2001). Where two columns say the same, neither is missed; so it is also told how well each does
   alone.
3. A column that does little alone and is missed has changed together with others: it is how they hang together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastro.drift.together import learner
from lastro.drift.together.answer import Separator
from lastro.drift.together.features import Matrix, features, matrix
from lastro.drift.together.halves import Fold, Halves
from lastro.model.schema import Field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lastro.drift.together.learner import Scorer

TESTED_ROWS = 4_000
"""So many rows rank the columns, of each half."""


@dataclass(frozen=True, slots=True)
class Taught:
    """One half that was taught, and what scores the other; None if nothing varies in it."""

    fold: Fold
    made: Matrix
    scorer: Scorer | None

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each row's score, higher the more like the window's."""
        import numpy as np

        return np.zeros(len(values)) if self.scorer is None else self.scorer(values)


def taught(
    table: Any,  # Any: a pyarrow table
    halves: Halves,
    fields: Sequence[Field],
    withheld: Collection[str],
) -> tuple[Taught, ...]:
    """Trees of both halves. The table has the reference's rows first. Raises `MissingExtra`."""
    found, labels = features(table, fields, withheld), halves.labels
    made = [(fold, matrix(found, fold.train)) for fold in halves.folds()]
    with learner.one_thread():
        return tuple(Taught(fold, rows, _trees(rows, labels[fold.train], fold, halves.seed)) for fold, rows in made)


def area(both: Sequence[Taught], halves: Halves) -> float | None:
    """The mean AUC of both halves; None if nothing varies."""
    if all(one.scorer is None for one in both):
        return None
    with learner.one_thread():
        areas = [halves.area(one.scores(one.made.values[one.fold.test]), one.fold.test) for one in both]
    return sum(areas) / len(areas)


def separators(both: Sequence[Taught], halves: Halves) -> tuple[Separator, ...]:
    """The columns that vary, those that tell the sides apart most first."""
    with learner.one_thread():
        ranked = [_ranked(one, halves) for one in both]
    names = dict.fromkeys(name for columns in ranked for name in columns)
    return tuple(sorted((_separator(name, ranked) for name in names), key=lambda one: (-_worth(one), one.column)))


def _trees(made: Matrix, labels: NDArray[np.bool_], fold: Fold, seed: int) -> Scorer | None:
    if not made.columns:
        return None
    return learner.trees(made.values[fold.train], labels, list(made.is_category), seed=seed)


def _ranked(one: Taught, halves: Halves) -> dict[str, tuple[float, float]]:
    """Of each column the AUC alone, and what is lost without it."""
    train, test = (_some(places, halves.seed) for places in (one.fold.train, one.fold.test))
    if any(len(set(halves.labels[places].tolist())) < 2 for places in (train, test)):
        return {}
    usual = halves.area(one.scores(one.made.values[test]), test)
    return {
        name: (
            _alone(one.made, name, halves, Fold(train, test)),
            usual - halves.area(one.scores(_exchanged(one.made, name, test, halves.seed)), test),
        )
        for name in dict.fromkeys(one.made.columns)
    }


def _alone(made: Matrix, name: str, halves: Halves, fold: Fold) -> float:
    places = made.of(name)
    kinds = [made.is_category[place] for place in places]
    values = made.values[:, places]
    score = learner.trees(values[fold.train], halves.labels[fold.train], kinds, seed=halves.seed, quick=True)
    return halves.area(score(values[fold.test]), fold.test)


def _exchanged(made: Matrix, name: str, test: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """The rows that are tested, with one column's values exchanged among them."""
    import numpy as np

    values = made.values[test]
    order = np.random.default_rng(seed).permutation(len(values))
    places = made.of(name)
    values[:, places] = values[order][:, places]
    return values


def _some(places: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    import numpy as np

    return np.sort(np.random.default_rng(seed).permutation(places)[:TESTED_ROWS])


def _separator(name: str, ranked: list[dict[str, tuple[float, float]]]) -> Separator:
    pairs = [columns.get(name, (0.5, 0.0)) for columns in ranked]
    alone, lost = (sum(pair[what] for pair in pairs) / len(pairs) for what in (0, 1))
    return Separator(name, alone, lost)


def _worth(one: Separator) -> float:
    return max(one.lost, one.alone - 0.5)
