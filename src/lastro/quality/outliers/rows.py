"""Rows unlike others: ranked among themselves, or called with a budget against rows that are taken for good.

Rules:

1. One half of the good rows fits the scores, the other is the calibration; which is which is drawn by the seed.
2. Rows under test come in parts, as large as is convenient. What is kept of them is how many had which rank, and the
   rows with the highest scores: memory does not grow with their number.
3. Without good rows there is no budget: rows are ranked by how unlike all of them they are, and nothing is claimed.
4. A row is told by its place, and the columns that made it unlike; never by a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from lastro.quality.outliers import discovery, tails
from lastro.quality.outliers.tails import Part, Tails

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = Mapping[str, NDArray[Any]]  # Any: whichever numbers

BUDGET = 0.1
TOLD = 20
PARTS = 3
"""So many columns are named for a row."""
PART_MIN = 2.0
"""What surprises less – an eighth of all rows are further out – is no reason."""


class Scorer(Protocol):
    """What says how unlike the rows it was fitted on others are."""

    def scores(self, rows: Rows) -> NDArray[np.float64]:
        """Each row's score, higher the more unlike."""


@dataclass(frozen=True, slots=True)
class OutlyingRow:
    """A row, by its place from 0. `p_value` is None where there is no calibration; `is_called` if the budget allows."""

    place: int
    score: float
    p_value: float | None = None
    is_called: bool = False
    parts: tuple[Part, ...] = ()

    @property
    def words(self) -> str:
        """Why, without a value."""
        return "; ".join(part.words for part in self.parts)


@dataclass(frozen=True, slots=True)
class RowOutliers:
    """Rows under test: `called` of `tested` are unlike the calibration's, at most `budget` of these wrongly.

    `budget` is None, and nothing called, where rows were only ranked. `least` is how many extreme rows it takes before
    one can be called. `rows` are those with the highest scores, the highest first.
    """

    tested: int
    called: int
    budget: float | None
    calibration: int
    least: int
    rows: tuple[OutlyingRow, ...]


@dataclass(slots=True)
class RowTest:
    """Takes rows under test, part by part, and comes to a result.

    `calibration` are ascending scores of good rows that fitted nothing; None where rows are only ranked.
    """

    scorer: Scorer
    calibration: NDArray[np.float64] | None = None
    told: int = TOLD
    tested: int = 0
    _times: NDArray[np.int64] = field(init=False)
    _highest: list[OutlyingRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        import numpy as np

        self._times = np.zeros(1 + (0 if self.calibration is None else len(self.calibration)), dtype=np.int64)

    def take(self, rows: Rows) -> None:
        """Takes some rows. Raises `ValueError` if a column holds no numbers, `KeyError` if one is not there."""
        import numpy as np

        scores = self.scorer.scores(rows)
        ranks = None if self.calibration is None else discovery.ranks(self.calibration, scores)
        if ranks is not None:
            self._times += np.bincount(ranks, minlength=len(self._times))
        for place in np.argsort(-scores, kind="stable")[: self.told].tolist():
            parts = self.scorer.parts(rows, place) if isinstance(self.scorer, Tails) else ()
            p_value = None if ranks is None else discovery.p_value(int(ranks[place]), len(self._times) - 1)
            told = tuple(part for part in parts[:PARTS] if part.surprise >= PART_MIN)
            self._highest.append(OutlyingRow(self.tested + place, float(scores[place]), p_value, parts=told))
        self._highest = sorted(self._highest, key=lambda row: (-row.score, row.place))[: self.told]
        self.tested += len(scores)

    def result(self, *, budget: float = BUDGET) -> RowOutliers:
        """What the rows taken so far come to. Raises `ValueError` if the budget is no share."""
        if not 0 < budget < 1:
            raise ValueError("a budget is a share between 0 and 1")
        if self.calibration is None:
            return RowOutliers(self.tested, 0, None, 0, 0, tuple(self._highest))
        calibration = len(self.calibration)
        last = discovery.last_called(self._times, budget)
        bound = discovery.p_value(last, calibration)
        rows = tuple(_judged(row, is_called=last >= 0 and (row.p_value or 0) <= bound) for row in self._highest)
        least = discovery.least_callable(self.tested, calibration, budget)
        return RowOutliers(self.tested, int(self._times[: last + 1].sum()), budget, calibration, least, rows)


def ranking(rows: Rows, *, forest: bool = False, seed: int = 0, told: int = TOLD) -> RowTest:
    """A test that ranks rows by how unlike these they are. Raises `ValueError`, `MissingExtra`."""
    return RowTest(_scorer(rows, forest=forest, seed=seed), told=told)


def against(good: Rows, *, forest: bool = False, seed: int = 0, told: int = TOLD) -> RowTest:
    """A test that calls rows unlike the `good` ones, at least two. Raises `ValueError`, `MissingExtra`."""
    import numpy as np

    total = min((len(values) for values in good.values()), default=0)
    if total < 2:
        raise ValueError("at least two good rows are needed: one half fits, the other calibrates")
    drawn = np.random.default_rng(seed).permutation(total)
    halves = [{name: values[half] for name, values in good.items()} for half in np.array_split(drawn, 2)]
    scorer = _scorer(halves[0], forest=forest, seed=seed)
    return RowTest(scorer, np.sort(scorer.scores(halves[1])), told)


def _scorer(rows: Rows, *, forest: bool, seed: int) -> Scorer:
    if not forest:
        return tails.fitted(rows)
    from lastro.quality.outliers import forest as trees

    return trees.fitted(rows, seed=seed)


def _judged(row: OutlyingRow, *, is_called: bool) -> OutlyingRow:
    return replace(row, is_called=is_called)
