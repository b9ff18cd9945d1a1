"""What is expected without labels is what the labels say when they come, as long as scores mean what they meant."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.drift.metrics import Measured, Metric, of_classes
from lastro.drift.performance import BINS, Calibration, calibrated
from lastro.drift.tally import CELLS, Tally, cells_of, empty

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


def drawn(seed: int, rows: int, *, low: float = 0.0, high: float = 1.0, bend: float = 1.0) -> Drawn:
    """Scores of two classes whose true probability is uniform between two bounds, bent by a power; labels; guesses."""
    draws = np.random.default_rng(seed)
    chance = draws.uniform(low, high, rows)
    score = chance**bend
    return np.stack([1 - score, score], axis=1), (draws.random(rows) < chance).astype(int), (chance > 0.5).astype(int)


def tally_of(scores: np.ndarray, labels: np.ndarray, guesses: np.ndarray) -> Tally:
    made = empty(scores.shape[1])
    made.take(labels, guesses)
    made.score(labels, scores)
    return made


def expected(calibration: Calibration, scores: np.ndarray, guesses: np.ndarray) -> Tally:
    made = empty(calibration.classes)
    made.expect(calibration.chances(scores), guesses, scores)
    return made


def measured(tally: Tally, *, positive: int | None = 1, deviations: float = 1.96) -> Measured:
    return of_classes(tally, deviations, positive=positive, among=frozenset(range(tally.classes)))


def test_the_accuracy_of_uniform_probabilities_is_three_quarters() -> None:
    scores, labels, guesses = drawn(1, 50_000)

    found = measured(expected(calibrated(tally_of(scores, labels, guesses)), scores, guesses))

    for metric in (Metric.ACCURACY, Metric.PRECISION, Metric.RECALL, Metric.F1):
        assert found[metric].value == pytest.approx(0.75, abs=0.01)
        assert found[metric].low < 0.75 < found[metric].high
    # P(score of a hit > score of a miss) of densities 2p and 2(1-p).
    assert found[Metric.ROC_AUC].value == pytest.approx(5 / 6, abs=0.01)


@pytest.mark.parametrize("bend", [1.0, 3.0, 0.3])
@pytest.mark.parametrize(("low", "high"), [(0.3, 0.7), (0.8, 1.0), (0.0, 0.6)])
def test_other_rows_are_followed_whatever_the_scores_scale(low: float, high: float, bend: float) -> None:
    reference = tally_of(*drawn(2, 100_000, bend=bend))
    other, truth, guesses = drawn(3, 100_000, low=low, high=high, bend=bend)

    found = measured(expected(calibrated(reference), other, guesses))

    realised = measured(tally_of(other, truth, guesses))
    for metric in realised:
        assert found[metric].value == pytest.approx(realised[metric].value, abs=0.02), metric


def test_three_classes_are_followed() -> None:
    draws = np.random.default_rng(4)

    def world(rows: int, weights: list[float]) -> Drawn:
        chances = draws.dirichlet(weights, rows)
        labels = (draws.random((rows, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)
        return chances**2, labels, chances.argmax(axis=1)

    reference = tally_of(*world(60_000, [1, 1, 1]))
    other, truth, guesses = world(60_000, [2, 1, 0.5])

    tally = expected(calibrated(reference), other, guesses)

    found, realised = measured(tally, positive=None), measured(tally_of(other, truth, guesses), positive=None)
    assert set(found) == set(realised) == {*Metric} - {Metric.MAE, Metric.RMSE}
    for metric in realised:
        assert found[metric].value == pytest.approx(realised[metric].value, abs=0.02), metric
    assert tally.counted == pytest.approx(60_000)


def test_the_interval_holds_the_realised_metrics_at_least_as_often_as_it_says() -> None:
    calibration = calibrated(tally_of(*drawn(5, 200_000)))
    held: dict[Metric, list[bool]] = {}
    for seed in range(150):
        other, truth, guesses = drawn(100 + seed, 1000)
        found = measured(expected(calibration, other, guesses))
        for metric, realised in measured(tally_of(other, truth, guesses)).items():
            held.setdefault(metric, []).append(found[metric].low <= realised.value <= found[metric].high)

    assert all(np.mean(each) >= 0.91 for each in held.values()), held


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=60), st.integers(1, BINS))
def test_a_calibration_is_monotone_and_keeps_the_rate(rows: list[tuple[float, int]], bins: int) -> None:
    scores = np.asarray([[1 - score, score] for score, _label in rows])
    labels = np.asarray([label for _score, label in rows])

    calibration = calibrated(tally_of(scores, labels, labels), bins=bins)

    for points, chances in zip(calibration.scores, calibration.probabilities, strict=True):
        assert list(points) == sorted(points)
        assert list(chances) == sorted(chances)
        assert all(0 <= chance <= 1 for chance in chances)
    assert expected(calibration, scores, labels).counted == pytest.approx(len(rows))


@settings(max_examples=200)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=50))
def test_a_higher_score_has_no_lower_cell(scores: list[float]) -> None:
    ordered = np.sort(np.asarray(scores))

    cells = cells_of(ordered)

    assert (np.diff(cells) >= 0).all()
    assert cells.min() >= 0
    assert cells.max() < CELLS


def test_small_probabilities_are_told_apart_from_either_end() -> None:
    small = np.asarray([0.0, 1e-6, 1.1e-6, 1e-3, 1.01e-3, 0.1, 0.101, 0.5, 0.501])

    cells = cells_of(np.concatenate([small, 1 - small[:-2][::-1]]))

    assert len(set(cells.tolist())) == len(small) + len(small) - 2


def test_no_rows_have_no_metrics() -> None:
    scores, labels, guesses = drawn(6, 100)
    calibration = calibrated(tally_of(scores, labels, guesses))

    found = measured(expected(calibration, scores[:0], guesses[:0]))

    assert found == {}


def test_a_calibration_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs rows"):
        calibrated(empty(2))


@pytest.mark.parametrize("scores", [np.full((3, 1), 0.5), np.full((3, 3), 0.5), np.full(3, 0.5)])
def test_scores_of_other_classes_are_refused(scores: np.ndarray) -> None:
    calibration = calibrated(tally_of(*drawn(7, 100)))

    with pytest.raises(ValueError, match="score for every class"):
        calibration.chances(scores)


def test_a_row_that_no_class_wants_may_be_of_any() -> None:
    calibration = Calibration(((0.5, 1.0), (0.5, 1.0)), ((0.0, 1.0), (0.0, 1.0)))

    assert calibration.chances(np.asarray([[0.2, 0.3]])).tolist() == [[0.5, 0.5]]
    assert not math.isnan(calibration.chances(np.asarray([[1.0, 0.2]]))[0, 0])
