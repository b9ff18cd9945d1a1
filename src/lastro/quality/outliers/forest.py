"""How unlike other rows a row is, by how easily random cuts set it apart: an isolation forest (Liu et al. 2008).

It sees combinations of columns that no single column's tails show, and cannot say which column it was. Needs
scikit-learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastro.model.errors import MissingExtra
from lastro.model.text import _
from lastro.quality.outliers.distances import Scale, scale_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False)
class Forest:
    """A fitted forest, which scores rows of the same columns. `medians` stand for what is missing."""

    trees: Any  # Any: an sklearn.ensemble.IsolationForest
    scales: Mapping[str, Scale]
    medians: Mapping[str, float]

    def scores(self, rows: Mapping[str, NDArray[Any]]) -> Floats:  # Any: whichever numbers
        """Each row's score, the higher the less like the fitted rows. Raises `ValueError`, `KeyError`."""
        import numpy as np

        matrix = _matrix(rows, self.scales, self.medians)
        if not len(matrix) or not matrix.shape[1]:
            return np.zeros(len(matrix))
        found: Floats = -self.trees.score_samples(matrix)
        return found


def fitted(rows: Mapping[str, NDArray[Any]], *, seed: int) -> Forest:  # Any: whichever numbers
    """A forest of these rows, at least one of one column. Raises `ValueError`, `MissingExtra`."""
    try:
        from sklearn.ensemble import IsolationForest
    except ImportError as error:
        raise MissingExtra(
            _("an isolation forest needs an optional library"), do="pip install 'lastro[learn]'"
        ) from error
    scales = {name: scale_of(values) for name, values in rows.items()}
    medians = {name: _median(scales[name].of(values)) for name, values in rows.items()}
    trees = IsolationForest(random_state=seed).fit(_matrix(rows, scales, medians))
    return Forest(trees, scales, medians)


def _matrix(
    rows: Mapping[str, NDArray[Any]],  # Any: whichever numbers
    scales: Mapping[str, Scale],
    medians: Mapping[str, float],
) -> Floats:
    import numpy as np

    # The trees' own numbers are single precision.
    most = float(np.finfo(np.float32).max) / 2
    columns = [np.nan_to_num(scales[name].of(rows[name]), nan=medians[name]).clip(-most, most) for name in scales]
    return np.column_stack(columns) if columns else np.zeros((0, 0))


def _median(values: Floats) -> float:
    import numpy as np

    present = values[np.isfinite(values)]
    return float(np.median(present)) if len(present) else 0.0
