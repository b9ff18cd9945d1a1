"""Metrics are scikit-learn's, and their intervals hold as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    mean_absolute_error,
    precision_score,
    recall_score,
    roc_auc_score,
    root_mean_squared_error,
)

from lastro.drift.decline import Standing, Tolerance, changes, standing_of
from lastro.drift.metrics import CLASSIFICATION, REGRESSION, Errors, Metric, of_classes, of_errors, share
from lastro.drift.performance import calibrated
from lastro.drift.result import Estimate
from lastro.drift.tally import Tally, empty

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


def world(draws: np.random.Generator, rows: int, weights: list[float]) -> Drawn:
    """Probabilities of each class, and labels and guesses that follow them."""
    chances = draws.dirichlet(weights, rows)
    labels = (draws.random((rows, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, len(weights) - 1)
    return chances, labels, chances.argmax(axis=1)


def tally_of(chances: np.ndarray, labels: np.ndarray, guesses: np.ndarray) -> Tally:
    made = empty(chances.shape[1])
    half = len(labels) // 2
    for part in (slice(0, half), slice(half, None)):
        made.take(labels[part], guesses[part])
        made.score(labels[part], chances[part])
    return made


@pytest.mark.parametrize("weights", [[1.0, 0.4], [0.3, 1.0, 0.5, 0.2]])
def test_metrics_are_those_of_scikit_learn(weights: list[float]) -> None:
    chances, labels, guesses = world(np.random.default_rng(1), 3000, weights)
    two = len(weights) == 2
    average = "binary" if two else "macro"

    found = of_classes(
        tally_of(chances, labels, guesses),
        1.96,
        positive=1 if two else None,
        among=frozenset(range(len(weights))),
    )

    area = roc_auc_score(labels, chances[:, 1]) if two else roc_auc_score(labels, chances, multi_class="ovr")
    truth = {
        Metric.ACCURACY: (accuracy_score(labels, guesses), 1e-12),
        Metric.PRECISION: (precision_score(labels, guesses, average=average), 1e-12),
        Metric.RECALL: (recall_score(labels, guesses, average=average), 1e-12),
        Metric.F1: (f1_score(labels, guesses, average=average), 1e-12),
        Metric.ROC_AUC: (area, 1e-5),  # scores of one cell are tied
    }
    assert set(found) == set(truth)
    for metric, (value, within) in truth.items():
        assert found[metric].value == pytest.approx(value, abs=within)
        assert found[metric].low < value < found[metric].high


def test_errors_are_those_of_scikit_learn() -> None:
    draws = np.random.default_rng(2)
    labels = draws.normal(0, 1, 500)
    predicted = labels + draws.normal(0, 3, 500)

    found = of_errors(Errors().plus(predicted[:100] - labels[:100]).plus(predicted[100:] - labels[100:]), 1.96)

    assert found[Metric.MAE].value == pytest.approx(mean_absolute_error(labels, predicted))
    assert found[Metric.RMSE].value == pytest.approx(root_mean_squared_error(labels, predicted))


@pytest.mark.parametrize(("part", "whole"), [(0, 10), (10, 10), (3, 17), (900, 1000)])
def test_the_interval_of_a_share_is_scipys(part: int, whole: int) -> None:
    theirs = binomtest(part, whole).proportion_ci(0.95, method="wilson")

    found = share(part, whole, 1.959963984540054)

    assert (found.low, found.high) == (pytest.approx(theirs.low, abs=1e-12), pytest.approx(theirs.high, abs=1e-12))


@pytest.mark.parametrize("weights", [[1.0, 0.4], [1.0, 1.0, 0.5]])
def test_intervals_hold_as_often_as_they_say(weights: list[float]) -> None:
    draws = np.random.default_rng(3)
    positive = 1 if len(weights) == 2 else None
    among = frozenset(range(len(weights)))
    truth = of_classes(tally_of(*world(draws, 200_000, weights)), 1.96, positive=positive, among=among)
    held: dict[Metric, list[bool]] = {metric: [] for metric in truth}
    for _look in range(200):
        found = of_classes(tally_of(*world(draws, 250, weights)), 1.96, positive=positive, among=among)
        for metric, estimate in found.items():
            held[metric].append(estimate.low <= truth[metric].value <= estimate.high)

    assert all(np.mean(each) >= 0.91 for each in held.values()), {m: np.mean(each) for m, each in held.items()}


def test_a_class_that_is_never_predicted_has_no_precision_and_no_recall() -> None:
    made = empty(3)
    made.take(np.asarray([0, 0, 1, 2]), np.asarray([0, 0, 1, 1]))

    found = of_classes(made, 1.96, positive=None, among=frozenset({0, 1, 2}))

    assert found[Metric.PRECISION].value == pytest.approx((1 + 0.5 + 0) / 3)
    assert found[Metric.RECALL].value == pytest.approx(2 / 3)
    assert Metric.ROC_AUC not in found


def test_a_label_that_is_not_known_is_a_mistake() -> None:
    made = empty(2)
    made.take(np.asarray([0, 1, 2]), np.asarray([0, 1, 1]))

    found = of_classes(made, 1.96, positive=1, among=frozenset({0, 1}))

    assert found[Metric.ACCURACY].value == pytest.approx(2 / 3)
    assert found[Metric.PRECISION].value == pytest.approx(1 / 2)


def test_perfect_predictions_have_an_interval_all_the_same() -> None:
    made = empty(2)
    labels = np.asarray([0, 1] * 10)
    made.take(labels, labels)
    made.score(labels, np.stack([1.0 - labels, labels], axis=1))

    found = of_classes(made, 3.0, positive=1, among=frozenset({0, 1}))

    assert all(each.value == 1.0 and each.low < 0.8 and each.high == 1.0 for each in found.values())


def test_errors_of_nothing_but_zero_are_no_trouble() -> None:
    found = of_errors(Errors().plus(np.zeros(5)), 3.0)

    assert found[Metric.MAE] == Estimate(0.0, 0.0, 0.0)
    assert standing_of(changes(REGRESSION, found, found, margin=0.05)) is Standing.UNKNOWN


def test_an_error_beyond_all_measure_leaves_all_open() -> None:
    before, now = of_errors(Errors().plus(np.ones(9)), 3.0), of_errors(Errors().plus(np.asarray([1.0, 1e70])), 3.0)

    found = changes(REGRESSION, before, now, margin=0.05)

    assert all(change.size is not None and math.isfinite(change.size.value) for change in found)


def test_what_is_worse_by_more_than_the_margin_is_worse() -> None:
    def stood(before: Estimate, now: Estimate, metric: Metric = Metric.ACCURACY) -> Standing:
        return changes((metric,), {metric: before}, {metric: now}, margin=0.05)[0].standing

    good = Estimate(0.9, 0.89, 0.91)
    assert stood(good, Estimate(0.8, 0.79, 0.81)) is Standing.WORSE
    assert stood(good, Estimate(0.84, 0.83, 0.85)) is Standing.UNSURE
    assert stood(good, Estimate(0.89, 0.88, 0.90)) is Standing.NO_WORSE
    assert stood(good, Estimate(0.99, 0.98, 1.0)) is Standing.NO_WORSE
    large = Estimate(100.0, 99.0, 101.0)
    assert stood(large, Estimate(120.0, 119.0, 121.0), Metric.MAE) is Standing.WORSE
    assert stood(large, Estimate(80.0, 79.0, 81.0), Metric.MAE) is Standing.NO_WORSE
    assert standing_of(changes((Metric.F1,), {}, {}, margin=0.05)) is Standing.UNKNOWN


@pytest.mark.parametrize("rows", [200, 2000])
def test_nothing_is_called_worse_that_is_not_within_the_budget(rows: int) -> None:
    draws, tolerance = np.random.default_rng(5), Tolerance(alpha=0.05, looks=10, margin=0.0)
    deviations = tolerance.deviations(len(CLASSIFICATION))
    alarms, months = 0, 40
    for _month in range(months):
        reference, *looks = (
            of_classes(tally_of(*world(draws, rows, [1, 1])), deviations, positive=1, among=frozenset({0, 1}))
            for _look in range(11)
        )
        found = [standing_of(changes(CLASSIFICATION, reference, now, margin=0.0)) for now in looks]
        alarms += Standing.WORSE in found

    assert alarms <= 4  # of 40 months 2 are allowed; more than 4 have a chance of 5 % then


def test_a_small_reference_calls_nothing_expected_worse_that_is_not() -> None:
    draws, deviations = np.random.default_rng(6), Tolerance(looks=1, margin=0.0).deviations(len(CLASSIFICATION))
    alarms = 0
    for _look in range(40):
        sides = []
        reference = tally_of(*world(draws, 200, [1, 1]))
        scores, _labels, guesses = world(draws, 2000, [1, 1])
        waiting = empty(2)
        waiting.expect(calibrated(reference).chances(scores), guesses, scores)
        for tally in (reference, waiting):
            sides.append(of_classes(tally, deviations, positive=1, among=frozenset({0, 1})))
        alarms += standing_of(changes(CLASSIFICATION, *sides, margin=0.0)) is Standing.WORSE

    assert alarms <= 4


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": 1.0}, {"looks": 0}, {"margin": -0.1}, {"margin": 1.0}])
def test_a_tolerance_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"alpha|looks|margin"):
        Tolerance(**wrong)


@pytest.mark.parametrize(
    ("reference", "rows"), [(1_000, 1), (1_000, 2), (1_000, 4), (1_000, 10), (1, 1_000), (5, 1_000), (20, 1_000)]
)
def test_few_rows_of_a_regression_raise_no_alarm(reference: int, rows: int) -> None:
    draws = np.random.default_rng(7)
    alarms = 0
    for _look in range(200):
        before, now = (Errors().plus(draws.laplace(0, 1, count)) for count in (reference, rows))
        sides = of_errors(before, 3.5, beside=now), of_errors(now, 3.5, beside=before)
        alarms += standing_of(changes(REGRESSION, *sides, margin=0.05)) is Standing.WORSE

    assert alarms == 0


def test_few_rows_of_a_regression_tell_a_large_change() -> None:
    draws = np.random.default_rng(8)
    before, now = (Errors().plus(draws.normal(0, scale, count)) for scale, count in ((1, 1_000), (4, 20)))

    sides = of_errors(before, 3.5, beside=now), of_errors(now, 3.5, beside=before)

    assert standing_of(changes(REGRESSION, *sides, margin=0.05)) is Standing.WORSE


@pytest.mark.parametrize("positives", [1, 2, 3])
def test_few_positives_raise_no_alarm_by_their_curve(positives: int) -> None:
    draws = np.random.default_rng(9)

    def curve(are: int, others: int) -> Estimate:
        made = empty(2)
        labels = np.repeat([1, 0], [are, others])
        scores = np.concatenate([draws.beta(2, 1.2, are), draws.beta(1.2, 2, others)])
        made.take(labels, (scores > 0.5).astype(np.int64))
        made.score(labels, np.stack([1 - scores, scores], axis=1))
        return of_classes(made, 3.5, positive=1, among=frozenset({0, 1}))[Metric.ROC_AUC]

    before = {Metric.ROC_AUC: curve(500, 500)}
    for _look in range(200):
        now = {Metric.ROC_AUC: curve(positives, 30)}
        assert standing_of(changes((Metric.ROC_AUC,), before, now, margin=0.05)) is not Standing.WORSE


def test_a_single_row_of_a_class_leaves_a_mean_over_classes_open() -> None:
    made = empty(3)
    made.take(np.repeat([0, 1, 1, 2], [1, 9, 1, 10]), np.repeat([2, 1, 2, 2], [1, 9, 1, 10]))

    found = of_classes(made, 3.5, positive=None, among=frozenset({0, 1, 2}))

    assert found[Metric.RECALL].value == pytest.approx((0 + 0.9 + 1) / 3)
    for metric in (Metric.PRECISION, Metric.RECALL, Metric.F1):  # had the one row been right, a third more
        assert found[metric].high > found[metric].value + 0.25
