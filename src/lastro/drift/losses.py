"""How large a regression's errors are, told before the labels arrive, from the rows themselves (direct loss estimation,
DLE).

Rules:

1. On the reference, where labels are known, trees learn which rows have large errors: |e| for the MAE, e² for the RMSE,
   from the columns and the prediction itself. What they expect of rows without labels is the estimate.
2. `FOLDS` models each learn without a part of the rows. Their mean is the estimate. It is scaled so that, on the rows
   each has not seen, what was expected sums to what was there; how far they differ (delete-a-group jackknife) is the
   doubt that learning leaves.
3. It follows other rows as far as the columns tell them apart. If rows that look the same get other labels, it does not
   see it; and beyond the reference's values trees know nothing.

Needs scikit-learn.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lastro.drift.metrics import Errors
from lastro.model.errors import MissingExtra
from lastro.model.text import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FOLDS = 3
ROUNDS = 60
ROWS_MIN = 50
"""So few rows teach nothing."""
CATEGORIES_MAX = 254
"""So many values of a column are told apart; what trees can take."""


@dataclass(frozen=True, slots=True, repr=False)
class ErrorModel:
    """What expects the errors of rows: for each fold a model of |e| and one of e².

    `scales` are of rule 2. `explained` is the share of the variation of |e| that is told from rows which a fold has not
    seen: at 0, all rows are expected to have the reference's mean error.
    """

    folds: tuple[tuple[Any, Any], ...]  # Any: sklearn.ensemble.HistGradientBoostingRegressor
    scales: tuple[float, float]
    explained: float
    learned: int

    def expected(self, rows: Floats) -> Floats:
        """The sums of |e| and of e² that each fold expects of all rows together: an array of (folds, 2)."""
        import numpy as np

        if not len(rows):
            return np.zeros((len(self.folds), 2))
        with _one_thread():
            sums = [[np.maximum(0.0, model.predict(rows)).sum() for model in pair] for pair in self.folds]
        scaled: Floats = np.asarray(sums) * np.asarray(self.scales)
        return scaled


def learned(rows: Floats, errors: Floats, categories: Sequence[bool]) -> ErrorModel:
    """Learns which rows have large errors. `categories` says which columns are codes from 0; NaN is missing.

    Raises `ValueError` if there are fewer than `ROWS_MIN` rows, `MissingExtra`.
    """
    import numpy as np

    if len(rows) < ROWS_MIN:
        raise ValueError(f"{len(rows)} rows are too few to learn from")
    fold = np.arange(len(rows)) % FOLDS
    aims = (np.abs(errors), errors * errors)
    folds, unseen = [], np.zeros((len(rows), 2))
    for place in range(FOLDS):
        kept, out = fold != place, fold == place
        pair = tuple(_fitted(rows[kept], aim[kept], categories) for aim in aims)
        with _one_thread():
            for column, model in enumerate(pair):
                unseen[out, column] = np.maximum(0.0, model.predict(rows[out]))
        folds.append((pair[0], pair[1]))
    scales = tuple(_ratio(float(aim.sum()), float(unseen[:, column].sum())) for column, aim in enumerate(aims))
    around = float(((aims[0] - aims[0].mean()) ** 2).sum())
    left = float(((aims[0] - unseen[:, 0] * scales[0]) ** 2).sum())
    explained = max(0.0, 1 - left / around) if around > 0 else 0.0
    return ErrorModel(tuple(folds), (scales[0], scales[1]), explained, len(rows))


def estimate(rows: int, sums: Floats) -> tuple[Errors, float]:
    """The errors that are expected of so many rows, and the relative standard error that learning leaves in them.

    `sums` are those of `ErrorModel.expected` over all parts of the rows.
    """
    import numpy as np

    absolute, squared = (float(each) for each in sums.mean(axis=0))
    found = Errors(rows, absolute, squared)
    if absolute <= 0 or squared <= 0 or not (sums > 0).all():
        return found, 0.0
    logs = np.log(sums) * (1.0, 0.5)
    spread = ((logs - logs.mean(axis=0)) ** 2).sum(axis=0) * (len(sums) - 1) / len(sums)
    return found, math.sqrt(float(spread.max()))


def _fitted(rows: Floats, aim: Floats, categories: Sequence[bool]) -> Any:  # Any: scikit-learn's model
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
    except ImportError as error:
        raise MissingExtra(
            _("to expect errors before labels arrive needs an optional library"), do="pip install 'lastro[learn]'"
        ) from error
    model = HistGradientBoostingRegressor(
        categorical_features=list(categories), max_iter=ROUNDS, early_stopping=False, random_state=0
    )
    import numpy as np

    empty = np.isnan(rows).all(axis=0)  # the trees cannot take what has no value; from one they learn as little
    with _one_thread():
        return model.fit(np.where(empty, 0.0, rows), aim)


def _one_thread() -> AbstractContextManager[Any]:  # Any: a context of threadpoolctl, which scikit-learn brings along
    """Trees of so few rows are grown faster by one thread than by many that wait for each other."""
    return import_module("threadpoolctl").threadpool_limits(1, user_api="openmp")  # type: ignore[no-any-return]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 1.0
