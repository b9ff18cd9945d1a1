"""The classifiers, which are scikit-learn's; nothing else of drift knows it.

Rules:

1. Rows are told apart by boosted trees, which take missing values and categories as they are and see what columns are
   only together. Texts are told apart by a linear model over hashed parts of words, of which no word can be read.
2. A model is a function of its rows and the seed.
3. Trees use one thread: samples are small, threads that wait for each other on a busy machine take many times as long,
   and sums would depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from lastro.model.errors import MissingExtra
from lastro.model.text import _

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]
    Scorer = Callable[[Matrix], NDArray[np.float64]]

ROUNDS, LEAVES, LEAF_ROWS = 80, 15, 20
QUICK_ROUNDS = 15
"""Rounds for one column alone."""
HASHED = 1 << 18
PARTS = (1, 3)
"""Parts of words have so many letters."""
EPOCHS = 10


def check() -> None:
    """Raises `MissingExtra` if there is no scikit-learn."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            _("to compare columns together needs an optional library"), do="pip install 'lastro[learn]'"
        ) from error


def one_thread() -> AbstractContextManager[Any]:  # Any: what nobody looks at
    """What is taught and scored within uses one thread (rule 3)."""
    import sklearn.ensemble  # noqa: F401 – only libraries that are loaded already are limited
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().limit(limits=1, user_api="openmp")  # type: ignore[no-any-return]


def trees(
    rows: Matrix, labels: NDArray[np.bool_], is_category: list[bool], *, seed: int, quick: bool = False
) -> Scorer:
    """Trees taught with these rows, which score others, higher the more like those with a true label.

    `is_category` says which of the matrix's columns hold codes from 0 to 254. Missing values are NaN.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=QUICK_ROUNDS if quick else ROUNDS,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAF_ROWS,
        categorical_features=is_category if any(is_category) else None,
        early_stopping=False,
        random_state=seed,
    )
    model.fit(rows, labels)
    return model.decision_function  # type: ignore[no-any-return]  # scikit-learn has no types


def hashed(texts: list[str]) -> Any:  # Any: a SciPy sparse matrix
    """Each text as how often it has parts of words, which are hashed: one row each, of length 1."""
    from sklearn.feature_extraction.text import HashingVectorizer

    counting = HashingVectorizer(
        analyzer="char_wb", ngram_range=PARTS, n_features=HASHED, alternate_sign=False, lowercase=False
    )
    return counting.transform(texts)


def linear(
    rows: Any,  # Any: a SciPy sparse matrix
    labels: NDArray[np.bool_],
    *,
    seed: int,
) -> Callable[[Any], NDArray[np.float64]]:  # Any: another one
    """A logistic regression taught with hashed texts, which scores others."""
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(
        loss="log_loss", alpha=1e-5, max_iter=EPOCHS, tol=None, average=True, class_weight="balanced", random_state=seed
    )
    model.fit(rows, labels)
    return model.decision_function  # type: ignore[no-any-return]  # scikit-learn has no types
